"""How fast logs reach the table, what they cost a turn, and how long a month of them takes to drop.

    python -m tests.bench.logs [--lines 100000] [--turns 400] [--rows 1000000] [--folder /tmp]

Everything is real: the embedded server with its durable settings, structlog as the daemon configures it (its console goes
nowhere), the sink, and for turns the ledger: a turn is what it writes (a conversation, two messages, an action with its
states). Turns are measured without a sink, with a busy house's log, with a log storm, and beside a sink that writes 20,000
lines a second. `--rows` log lines are spread over 31 days and dropped, while somebody else writes.
"""

import argparse
import asyncio
import os
import statistics
import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeAlias

import asyncpg
import structlog

from daemon import logs
from daemon.log_sink import Backlog, LogSink, line_of
from db.database import Database, open_database
from db.embedded import EmbeddedPostgres
from db.ledger import HeardMessage, Ledger, NewAction, SaidMessage, new_id, open_ledger
from db.partitions import SYSTEM_LOGS, create_ahead, drop_older
from db.upgrade import upgrade

EVENT = {
    "event": "turn_done",
    "level": "info",
    "logger": "daemon.butler",
    "turn": "0193e1a2",
    "area": "sala",
    "ms": 412.5,
}
Load: TypeAlias = Callable[[float, Backlog], Coroutine[Any, Any, None]]


@asynccontextmanager
async def sinking(backlog: Backlog, url: str) -> AsyncIterator[LogSink]:
    """Run a sink."""
    sink = LogSink(backlog, url)
    task = asyncio.create_task(sink.run())
    try:
        yield sink
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def sink_rate(url: str, lines: int) -> None:
    """Measure lines a second from the backlog into the table, and from the log call into the table."""
    ready = [line_of(EVENT, datetime.now(UTC))] * 1000
    backlog = Backlog(most=lines, most_characters=10**9)
    for _ in range(lines // 1000):
        for line in ready:
            backlog.put(line)
    began = time.perf_counter()
    async with sinking(backlog, url) as sink:
        while sink.written + sink.dropped < lines:
            await asyncio.sleep(0.005)
    took = time.perf_counter() - began
    print(f"sink, backlog to committed row:  {lines / took:10,.0f} lines/s  ({lines:,} lines in {took:.2f} s)")

    backlog = Backlog()
    with unseen():
        logs.configure("console", "ERROR", backlog)
        log = structlog.get_logger("daemon.butler")
        began = time.perf_counter()
        async with sinking(backlog, url) as sink:
            for number in range(lines):
                log.info("turn_done", turn="0193e1a2", area="sala", ms=412.5)
                if number % 100 == 0:
                    await asyncio.sleep(0)
                while len(backlog) > 8000:
                    await asyncio.sleep(0.001)
            while sink.written + sink.dropped < lines:
                await asyncio.sleep(0.005)
        took = time.perf_counter() - began
    print(f"log call to committed row:       {lines / took:10,.0f} lines/s  (one thread, lost: {sink.dropped})")

    began = time.perf_counter()
    for _ in range(lines):
        log.info("turn_done", turn="0193e1a2", area="sala", ms=412.5)
    print(f"cost of a log call to its caller: {(time.perf_counter() - began) / lines * 1e6:8.1f} µs")


async def turn(ledger: Ledger) -> float:
    """Store one turn; return the milliseconds."""
    conversation, message, action, at = new_id(), new_id(), new_id(), datetime.now(UTC)
    began = time.perf_counter()
    actions = (NewAction(action, "iot_control", "turn_on", {"entity": "light.sala"}),)
    heard = HeardMessage(conversation, message, "acende a luz da sala", at, None, "HassTurnOn", 0.93, actions=actions)
    await ledger.heard(heard)
    await ledger.executing([action], at)
    await ledger.finished(action, status="success", result={"state": "on"}, at=at)
    await ledger.said(SaidMessage(conversation, new_id(), "Acendi a luz da sala.", at, 420))
    return (time.perf_counter() - began) * 1000


async def lines_at(rate: float, backlog: Backlog) -> None:
    """Put lines into the backlog at an even rate, in small groups as a busy house would."""
    log = structlog.get_logger("daemon.butler")
    began, done = time.perf_counter(), 0
    while True:
        due = int((time.perf_counter() - began) * rate)
        for _ in range(min(due - done, 100)):
            log.info("event", turn="0193e1a2", area="sala", ms=412.5)
        done = max(done, due)
        await asyncio.sleep(0.005)


async def ready_lines(rate: float, backlog: Backlog) -> None:
    """Put lines that are made already into the backlog: what is measured is the sink, not whoever logs so much."""
    line = line_of(EVENT, datetime.now(UTC))
    began, done = time.perf_counter(), 0
    while True:
        due = int((time.perf_counter() - began) * rate)
        for _ in range(due - done):
            backlog.put(line)
        done = due
        await asyncio.sleep(0.005)


LOADS: dict[str, tuple[Load, float] | None] = {
    "no sink": None,
    "10 log calls/s": (lines_at, 10),
    "1,000 log calls/s": (lines_at, 1_000),
    "20,000 lines/s": (ready_lines, 20_000),
}


async def turns_beside(url: str, turns: int, folder: Path) -> None:
    """Measure turns without a sink and beside one under each load, in four rounds."""
    spent: dict[str, list[float]] = {name: [] for name in LOADS}
    written: dict[str, float] = dict.fromkeys(LOADS, 0.0)
    async with open_database(url) as db, open_ledger(db, folder) as ledger:
        for _ in range(20):
            await turn(ledger)
        with unseen():
            for _ in range(4):
                for name, load in LOADS.items():
                    backlog = Backlog()
                    logs.configure("console", "ERROR", backlog)
                    began = time.perf_counter()
                    async with loaded(url, backlog, load) as sink:
                        spent[name] += [await spaced(ledger) for _ in range(turns // 4)]
                        if sink:
                            written[name] += sink.written / (time.perf_counter() - began) / 4
    for name, ms in spent.items():
        print(
            f"turn stored, {name:18} p50 {percentile(ms, 50):7.2f} ms  p99 {percentile(ms, 99):7.2f} ms"
            f"  ({written[name]:,.0f} lines/s written)"
        )


@asynccontextmanager
async def loaded(url: str, backlog: Backlog, load: tuple[Load, float] | None) -> AsyncIterator[LogSink | None]:
    """Run a sink and a load on it, or nothing."""
    if load is None:
        yield None
        return
    async with sinking(backlog, url) as sink:
        task = asyncio.create_task(load[0](load[1], backlog))
        yield sink
        task.cancel()


@contextmanager
def unseen() -> Iterator[None]:
    """Have the console go nowhere."""
    shown = sys.stderr
    with open(os.devnull, "w") as sys.stderr:  # noqa: PTH123 - a device
        yield
    sys.stderr = shown


async def spaced(ledger: Ledger) -> float:
    """Store a turn after a little pause, so that it meets the sink in whatever it is doing."""
    await asyncio.sleep(0.01)
    return await turn(ledger)


async def drop_month(db: Database, url: str, rows: int, rounds: int) -> None:
    """Fill 31 days with lines and drop them, while somebody else writes; the last time with `rows` lines."""
    began, took, stalls = datetime(2026, 1, 1, tzinfo=UTC), [], []
    for number in range(rounds + 1):
        count = rows if number == rounds else 1000
        for day in range(0, 31, 7):
            await create_ahead(db, SYSTEM_LOGS, began + timedelta(days=day))
        await db.execute(
            "INSERT INTO system_logs (timestamp, level, source, message, metadata)"
            " SELECT $1::timestamptz + n * (interval '31 days' / $2), 'INFO', 'daemon.butler', 'turn_done',"
            " jsonb_build_object('turn', n, 'area', 'sala', 'ms', 412.5) FROM generate_series(0, $2::int - 1) AS n",
            began, count, timeout=600,
        )  # fmt: skip
        size = await db.fetchval(
            "SELECT pg_size_pretty(sum(pg_total_relation_size(inhrelid))) FROM pg_inherits"
            " WHERE inhparent = 'system_logs'::regclass AND inhrelid::regclass::text LIKE 'system_logs_y2026m01%'"
        )
        await db.execute("CHECKPOINT", timeout=600)  # what is a month old has long been written
        stopped = asyncio.Event()
        writer = asyncio.create_task(writing(url, stopped))
        await asyncio.sleep(0.2)
        start = time.perf_counter()
        dropped = await drop_older(db, SYSTEM_LOGS, began + timedelta(days=31))
        took.append((time.perf_counter() - start) * 1000)
        stopped.set()
        stalls.append(await writer)
        assert dropped == 31
    print(f"drop a month, 1,000 rows:     p50 {statistics.median(took[:-1]):6.1f} ms, longest wait of a writer"
          f" p50 {statistics.median(stalls[:-1]):.1f} ms  (of {rounds})")  # fmt: skip
    print(f"drop a month, {rows:,} rows ({size}): {took[-1]:6.1f} ms, longest wait of a writer {stalls[-1]:.1f} ms")


async def writing(url: str, stopped: asyncio.Event) -> float:
    """Write lines until told to stop; return how long the longest took, in milliseconds."""
    connection = await asyncpg.connect(url)
    await connection.execute("SET synchronous_commit = off")
    longest = 0.0
    while not stopped.is_set():
        start = time.perf_counter()
        await connection.execute("INSERT INTO system_logs (level, source, message) VALUES ('INFO', 'bench', 'beside')")
        longest = max(longest, time.perf_counter() - start)
    await connection.close()
    return longest * 1000


def percentile(values: Sequence[float], percent: int) -> float:
    """Return a percentile."""
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


async def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--lines", type=int, default=100_000)
    options.add_argument("--turns", type=int, default=400)
    options.add_argument("--rows", type=int, default=1_000_000)
    options.add_argument("--folder", default="/tmp", help="where the server's files are, for as long as it takes")
    given = options.parse_args()
    with TemporaryDirectory(prefix="mordomo-", dir=given.folder) as name:
        folder = Path(name)
        folder.chmod(0o711)
        postgres = EmbeddedPostgres(folder / "data")
        url = await postgres.start()
        try:
            await upgrade(url)
            if given.turns:
                await turns_beside(url, given.turns, folder)
            if given.lines:
                await sink_rate(url, given.lines)
            if given.rows:
                async with open_database(url) as db:
                    await drop_month(db, url, given.rows, rounds=10)
        finally:
            await postgres.stop(only_if_unused=False)


if __name__ == "__main__":
    asyncio.run(main())
