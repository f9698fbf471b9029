"""How fast logs reach the table, what they cost a turn, and how long a month of them takes to drop.

    python -m tests.bench.logs [--lines 100000] [--turns 400] [--rows 1000000] [--messages 0]

Everything is real: the embedded server with its durable settings, structlog as the daemon configures it (its console goes
to a file), the sink, and for turns the ledger: a turn is what it writes (a conversation, two messages, an action with its
states). Turns are measured without a sink, with one under a log storm, and at its full rate. `--rows` log lines are
spread over 31 days and dropped. `--messages` compares messages in one table with messages in monthly partitions.
"""

import argparse
import asyncio
import os
import statistics
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

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
STORM = 1_000
"""Lines a second in a log storm: a hundred times a busy house's."""


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
    backlog = Backlog(most=lines)
    for _ in range(lines // 1000):
        for line in ready:
            backlog.put(line)
    began = time.perf_counter()
    async with sinking(backlog, url) as sink:
        while sink.written < lines:
            await asyncio.sleep(0.005)
    took = time.perf_counter() - began
    print(f"sink, backlog to committed row:  {lines / took:10,.0f} lines/s  ({lines:,} lines in {took:.2f} s)")

    backlog = Backlog()
    with open(os.devnull, "w") as nowhere:  # noqa: ASYNC230, PTH123 - a bench
        shown, sys.stderr = sys.stderr, nowhere
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
            while sink.written < lines:
                await asyncio.sleep(0.005)
        took = time.perf_counter() - began
        sys.stderr = shown
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


async def turns_beside(url: str, turns: int, folder: Path) -> None:
    """Measure turns without a sink, under a storm and beside a sink at 20,000 lines a second, by turns."""
    spent: dict[str, list[float]] = {}
    written: dict[str, int] = {}
    async with open_database(url) as db, open_ledger(db, folder) as ledger:
        for _ in range(20):
            await turn(ledger)
        with open(os.devnull, "w") as nowhere:  # noqa: ASYNC230, PTH123 - a bench
            shown, sys.stderr = sys.stderr, nowhere
            for _ in range(4):
                for rate in (0, 10, STORM, 20_000):
                    name = f"{rate:,} lines/s" if rate else "no sink"
                    backlog = Backlog()
                    logs.configure("console", "ERROR", backlog)
                    if not rate:
                        spent.setdefault(name, []).extend([await spaced(ledger) for _ in range(turns // 4)])
                        continue
                    async with sinking(backlog, url) as sink:
                        load = asyncio.create_task(lines_at(rate, backlog))
                        spent.setdefault(name, []).extend([await spaced(ledger) for _ in range(turns // 4)])
                        load.cancel()
                    written[name] = written.get(name, 0) + sink.written
            sys.stderr = shown
    for name, ms in spent.items():
        took = f"{written.get(name, 0):,} lines meanwhile"
        print(f"turn stored, {name:16}  p50 {percentile(ms, 50):7.2f} ms  p99 {percentile(ms, 99):7.2f} ms  {took}")


async def spaced(ledger: Ledger) -> float:
    """Store a turn after a little pause, so that it meets the sink in whatever it is doing."""
    await asyncio.sleep(0.01)
    return await turn(ledger)


async def drop_month(db: Database, rows: int) -> None:
    """Fill 31 days with `rows` lines and drop them."""
    began = datetime(2026, 1, 1, tzinfo=UTC)
    for day in range(0, 31, 7):
        await create_ahead(db, SYSTEM_LOGS, began + timedelta(days=day))
    await db.execute(
        "INSERT INTO system_logs (timestamp, level, source, message, metadata)"
        " SELECT $1::timestamptz + n * (interval '31 days' / $2), 'INFO', 'daemon.butler', 'turn_done',"
        " jsonb_build_object('turn', n, 'area', 'sala', 'ms', 412.5) FROM generate_series(0, $2::int - 1) AS n",
        began, rows, timeout=600,
    )  # fmt: skip
    size = await db.fetchval(
        "SELECT pg_size_pretty(sum(pg_total_relation_size(inhrelid))) FROM pg_inherits"
        " WHERE inhparent = 'system_logs'::regclass AND inhrelid::regclass::text LIKE 'system_logs_y2026m01%'"
    )
    await db.execute("CHECKPOINT")
    start = time.perf_counter()
    dropped = await drop_older(db, SYSTEM_LOGS, began + timedelta(days=31))
    took_ms = (time.perf_counter() - start) * 1000
    left = await db.fetchval("SELECT count(*) FROM system_logs WHERE timestamp < '2026-02-01Z'")
    print(f"drop a month: {rows:,} rows, {size}, {dropped} partitions: {took_ms:.1f} ms; left: {left}")


MESSAGES = """
CREATE TABLE {name} (
    id UUID NOT NULL, conversation_id UUID NOT NULL, role VARCHAR(20) NOT NULL, content TEXT NOT NULL,
    timestamp TIMESTAMPTZ NOT NULL, latency_ms INTEGER, intent VARCHAR(100), confidence FLOAT,
    metadata JSONB NOT NULL DEFAULT '{{}}'::jsonb, PRIMARY KEY ({key})) {partitioned};
"""
INDEXES = """
CREATE INDEX ON {name}(conversation_id, timestamp); CREATE INDEX ON {name}(role);
CREATE INDEX ON {name}(intent); CREATE INDEX ON {name}(timestamp DESC);
"""
# Conversations of ten messages, evenly over ten years, made of md5 so that both tables hold the same.
FILL = """
INSERT INTO {name} (id, conversation_id, role, content, timestamp, latency_ms, intent, confidence)
SELECT md5('m' || n)::uuid, md5('c' || n / 10)::uuid, CASE n % 2 WHEN 0 THEN 'user' ELSE 'assistant' END,
    'acende a luz da sala, por favor, e lembra do remédio ' || n,
    '2016-12-01Z'::timestamptz + n * (interval '10 years' / {rows}), n % 900, 'HassTurn' || n % 40, 0.9
FROM generate_series(0, {rows} - 1) AS n
"""
QUERIES = {
    "history of a conversation": "SELECT * FROM {name} WHERE conversation_id = md5('c' || $1::int)::uuid"
    " ORDER BY timestamp DESC LIMIT 20",
    "history, its month known": "SELECT * FROM {name} WHERE conversation_id = md5('c' || $1::int)::uuid"
    " AND timestamp BETWEEN '2016-12-01Z'::timestamptz + $1::int * 10 * (interval '10 years' / {rows}) - interval '1 h'"
    " AND '2016-12-01Z'::timestamptz + $1::int * 10 * (interval '10 years' / {rows}) + interval '7 days'"
    " ORDER BY timestamp DESC LIMIT 20",
    "newest 50 messages": "SELECT * FROM {name} WHERE $1::int >= 0 ORDER BY timestamp DESC LIMIT 50",
    "one message by id": "SELECT * FROM {name} WHERE id = md5('m' || $1::int)::uuid",
    "insert": "INSERT INTO {name} (id, conversation_id, role, content, timestamp)"
    " VALUES (gen_random_uuid(), md5('c' || $1::int)::uuid, 'user', 'acende a luz', '2026-11-30Z')",
}


async def messages(url: str, rows: int) -> None:
    """Compare one table of messages with monthly partitions of it."""
    db = await asyncpg.connect(url, command_timeout=1800)
    variants = {"one_table": ("id", ""), "by_month": ("id, timestamp", "PARTITION BY RANGE (timestamp)")}
    for name, (key, partitioned) in variants.items():
        await db.execute(MESSAGES.format(name=name, key=key, partitioned=partitioned))
        if partitioned:
            await db.execute(f"CREATE TABLE {name}_default PARTITION OF {name} DEFAULT")
            for month in range(121):
                await db.execute(
                    f"CREATE TABLE {name}_{month} PARTITION OF {name} FOR VALUES FROM"
                    f" ('{2016 + (11 + month) // 12}-{(11 + month) % 12 + 1:02}-01Z')"
                    f" TO ('{2016 + (12 + month) // 12}-{(12 + month) % 12 + 1:02}-01Z')"
                )
        began = time.perf_counter()
        await db.execute(FILL.format(name=name, rows=rows))
        await db.execute(INDEXES.format(name=name))
        await db.execute(f"ANALYZE {name}")
        print(f"messages, {name:10} filled {rows:,} rows in {time.perf_counter() - began:.0f} s")
    for question, sql in QUERIES.items():
        figures = []
        for name in variants:
            statement = await db.prepare(sql.format(name=name, rows=rows))
            ms = []
            for number in range(220):
                start = time.perf_counter()
                await statement.fetch(number * 7919 % (rows // 10))
                ms.append((time.perf_counter() - start) * 1000)
            figures.append(f"{name} p50 {percentile(ms[20:], 50):7.2f} p99 {percentile(ms[20:], 99):7.2f} ms")
        print(f"messages, {question:26} {'   '.join(figures)}")
    start = time.perf_counter()
    gone = await db.execute("DELETE FROM one_table WHERE timestamp < '2017-01-01Z'")
    print(f"messages, a month forgotten: one_table {gone} in {(time.perf_counter() - start) * 1000:.0f} ms", end="   ")
    start = time.perf_counter()
    await db.execute("DROP TABLE by_month_0")
    print(f"by_month dropped in {(time.perf_counter() - start) * 1000:.0f} ms")
    await db.execute("DROP TABLE one_table")
    await db.execute("DROP TABLE by_month_default")
    for month in range(1, 121):
        await db.execute(f"DROP TABLE by_month_{month}")
    await db.close()


def percentile(values: Sequence[float], percent: int) -> float:
    """Return a percentile."""
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


async def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--lines", type=int, default=100_000)
    options.add_argument("--turns", type=int, default=400)
    options.add_argument("--rows", type=int, default=1_000_000)
    options.add_argument("--messages", type=int, default=0)
    given = options.parse_args()
    with TemporaryDirectory(prefix="mordomo-", dir="/tmp") as name:
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
            async with open_database(url) as db:
                if given.rows:
                    await drop_month(db, given.rows)
            if given.messages:
                await messages(url, given.messages)
        finally:
            await postgres.stop(only_if_unused=False)


if __name__ == "__main__":
    asyncio.run(main())
