"""From a log call to a row: bounded, counted, and in nobody's way."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog
from hypothesis import given, settings
from hypothesis import strategies as st
from support.until import until

from daemon import logs
from daemon.errors import LinkDown
from daemon.log_sink import BATCH_LINES, MOST_MESSAGE, MOST_METADATA, Backlog, Feed, LogSink, line_of
from daemon.parts import part_of_log
from db.database import Database
from db.system_logs import Line

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
FOREVER_S = 60.0


@asynccontextmanager
async def running(sink: LogSink) -> AsyncIterator["asyncio.Task[None]"]:
    task = asyncio.create_task(sink.run())
    try:
        yield task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError, LinkDown):
            await task


def line(number: int) -> Line:
    return Line(NOON + timedelta(seconds=number), "INFO", "teste", str(number), "{}")


async def messages(db: Database) -> list[str]:
    return [row["message"] for row in await db.fetch("SELECT message FROM system_logs ORDER BY id")]


# --- an event as a line


def test_an_event_as_a_line() -> None:
    event = {"event": "link_down", "level": "warning", "logger": "daemon.supervise", "timestamp": "x", "wait_s": 1.5}
    assert line_of(event, NOON) == Line(NOON, "WARN", "daemon.supervise", "link_down", '{"wait_s": 1.5}')


@pytest.mark.parametrize(
    ("level", "word"),
    [("debug", "DEBUG"), ("info", "INFO"), ("warning", "WARN"), ("error", "ERROR"), ("critical", "ERROR")],
)
def test_levels_in_the_seeds_words(level: str, word: str) -> None:
    assert line_of({"event": "", "level": level}, NOON).level == word


def test_large_events_are_cut() -> None:
    cut = line_of({"event": "x" * 10**6, "logger": "y" * 500, "big": "ç" * 10**6, "many": list(range(10**5))}, NOON)
    assert (len(cut.message), len(cut.source)) == (MOST_MESSAGE, 100)
    assert len(cut.metadata) < MOST_METADATA
    assert json.loads(cut.metadata)["cut"].startswith('{"big": "çç')


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()) | st.binary() | st.datetimes(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters()) | st.integers(), inner),
    max_leaves=8,
)


@given(st.dictionaries(st.text(st.characters()), ANYTHING))
@settings(max_examples=150, deadline=None)
def test_whatever_is_logged_the_database_can_hold(event: dict[str, Any]) -> None:
    made = line_of(event, NOON)
    for text in (made.source, made.message, made.metadata):
        assert "\0" not in text
        text.encode()
    assert "\\u0000" not in made.metadata.replace("\\\\", "")
    json.loads(made.metadata, parse_constant=pytest.fail)


def test_a_value_that_cannot_be_written_does_not_break_logging() -> None:
    class Broken:
        def __str__(self) -> str:
            raise RuntimeError

    backlog = Backlog()
    event = {"event": "x", "level": "info", "value": Broken()}
    assert Feed(backlog)(None, "info", event) is event
    ((made,), _) = backlog.take(1)
    assert (made.message, made.metadata) == ("log_line_unreadable", '{"why": "RuntimeError"}')


# --- the backlog


def test_when_full_the_oldest_give_way_and_are_counted() -> None:
    backlog = Backlog(most=5)
    for number in range(12):
        backlog.put(line(number))
    taken, lost = backlog.take(3)
    assert ([each.message for each in taken], lost) == (["7", "8", "9"], 7)
    for number in range(12, 15):
        backlog.put(line(number))
    backlog.put_back(taken, lost)
    taken, lost = backlog.take(10)
    assert ([each.message for each in taken], lost) == (["10", "11", "12", "13", "14"], 10)
    backlog.put_back([], 2)
    assert backlog.take(10) == ([], 2)


def test_large_lines_have_less_room() -> None:
    backlog = Backlog(most_characters=1000)
    for number in range(5):
        backlog.put(line(number)._replace(message=str(number) * 300))
    taken, lost = backlog.take(1)
    assert (taken[0].message[0], lost, len(backlog)) == ("2", 2, 2)
    backlog.put(line(5)._replace(message="5" * 400))
    backlog.put_back(taken, 0)
    assert (len(backlog), backlog.lost) == (2, 2)
    backlog.put(line(6)._replace(message="6" * 2000))
    assert (len(backlog), backlog.lost) == (0, 5)


def test_of_a_long_trace_the_end_is_kept() -> None:
    trace = "Traceback…\n" + "  File x\n" * 5000 + "OSError: disco cheio"
    kept = json.loads(line_of({"event": "x", "exception": trace, "n": 1}, NOON).metadata)
    assert kept["exception"].endswith("OSError: disco cheio")
    assert kept["n"] == 1


def test_from_any_thread_none_is_lost_uncounted() -> None:
    backlog, each = Backlog(most=1000), 3000

    def put() -> None:
        for number in range(each):
            backlog.put(line(number))

    threads = [threading.Thread(target=put) for _ in range(4)]
    for thread in threads:
        thread.start()
    taken = lost = 0
    while any(thread.is_alive() for thread in threads) or backlog:
        lines, gone = backlog.take(100)
        taken, lost = taken + len(lines), lost + gone
    for thread in threads:
        thread.join()
    assert taken + lost + backlog.take(1)[1] == 4 * each


# --- the sink


async def test_a_line_is_written_within_the_time(db: Database, database_url: str) -> None:
    backlog = Backlog()
    backlog.put(line(1))
    async with running(LogSink(backlog, database_url, flush_s=0.01)):
        await until(db, "EXISTS (SELECT FROM system_logs WHERE message = '1')")
        threading.Thread(target=backlog.put, args=(line(2),)).start()
        await until(db, "EXISTS (SELECT FROM system_logs WHERE message = '2')")


async def test_many_lines_are_written_without_waiting(db: Database, database_url: str) -> None:
    backlog = Backlog()
    async with running(LogSink(backlog, database_url, flush_s=FOREVER_S)) as task:
        for round_number in (1, 2, 3):
            for number in range(BATCH_LINES):
                backlog.put(line(number))
            await until(db, f"(SELECT count(*) FROM system_logs) = {round_number * BATCH_LINES}")
        backlog.put(line(0))
        task.cancel()
    assert await db.fetchval("SELECT count(*) FROM system_logs") == 3 * BATCH_LINES + 1


async def test_more_than_a_batch_waiting_is_written_at_once(db: Database, database_url: str) -> None:
    backlog = Backlog()
    for number in range(4700):
        backlog.put(line(number))
    sink = LogSink(backlog, database_url, flush_s=FOREVER_S)
    async with running(sink):
        await until(db, "(SELECT count(*) FROM system_logs) >= 4500")
    assert await messages(db) == [str(number) for number in range(4700)]
    assert (sink.written, sink.dropped) == (4700, 0)


async def test_while_the_database_is_away_the_newest_are_kept_and_the_rest_told(
    db: Database, database_url: str, tmp_path: Path
) -> None:
    backlog = Backlog(most=100)
    away = LogSink(backlog, f"postgresql://mordomo@/mordomo?host={tmp_path}", flush_s=0.01)
    for number in range(250):
        backlog.put(line(number))
    with pytest.raises(LinkDown):
        await away.run()
    part = part_of_log(away, backlog)
    assert (part.condition, "150" in part.detail) == ("failed", True)
    sink = LogSink(backlog, database_url, flush_s=0.01, now=lambda: NOON)
    async with running(sink):
        await until(db, "(SELECT count(*) FROM system_logs) = 101")
    assert await messages(db) == [*(str(number) for number in range(150, 250)), "log_lines_dropped"]
    told = await db.fetchrow("SELECT level, source, metadata FROM system_logs WHERE message = 'log_lines_dropped'")
    assert tuple(told or ()) == ("WARN", "daemon.log_sink", {"lines": 150})
    assert (sink.written, sink.dropped, backlog.lost) == (101, 150, 0)
    part = part_of_log(sink, backlog)
    assert (part.condition, "150" in part.detail) == ("ok", True)


async def test_a_link_that_breaks_loses_nothing(db: Database, database_url: str) -> None:
    backlog = Backlog()
    backlog.put(line(1))
    sink = LogSink(backlog, database_url, flush_s=0.01)
    async with running(sink) as task:
        await until(db, "EXISTS (SELECT FROM system_logs)")
        await db.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        backlog.put(line(2))
        with pytest.raises(LinkDown):
            await task
    assert len(backlog) == 1
    async with running(sink):
        await until(db, "(SELECT count(*) FROM system_logs) = 2")
    assert await messages(db) == ["1", "2"]


async def test_without_its_table_it_waits(empty_database_url: str) -> None:
    backlog = Backlog()
    backlog.put(line(1))
    with pytest.raises(LinkDown, match="system_logs"):
        await LogSink(backlog, empty_database_url, flush_s=0.01).run()
    assert len(backlog) == 1


async def test_the_last_lines_are_written_at_the_end(db: Database, database_url: str) -> None:
    backlog = Backlog()
    async with running(LogSink(backlog, database_url, flush_s=FOREVER_S)) as task:
        await until(db, "(SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()) > 1")
        backlog.put(line(1))
        task.cancel()
    assert await messages(db) == ["1"]


@pytest.mark.usefixtures("logging_as_before")
async def test_its_own_troubles_are_not_fed_back(
    db: Database, database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    backlog = Backlog(most=10)
    logs.configure("json", "INFO", backlog)
    log = structlog.get_logger("daemon.teste")
    for number in range(30):
        log.info("event", number=number)
    async with running(LogSink(backlog, database_url, flush_s=0.01)):
        await until(db, "EXISTS (SELECT FROM system_logs WHERE message = 'log_lines_dropped')")
        log.info("of_the_house")
        await until(db, "EXISTS (SELECT FROM system_logs WHERE message = 'of_the_house')")
    assert await messages(db) == ["event"] * 10 + ["log_lines_dropped", "of_the_house"]
    shown = [json.loads(each) for each in capsys.readouterr().err.splitlines()]
    assert [each["lines"] for each in shown if each["event"] == "log_lines_dropped"] == [20]
