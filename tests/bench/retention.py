"""How long old logs take to go. Run: `python -m tests.bench.retention [--rows 1000000] [--url URL]`.

A month of log lines, 31 daily partitions, is dropped as retention does it (`db.partitions.drop_older`), while somebody else
writes a line every 2 ms. Two things are timed:

- *gone*: until the call returns that takes the partitions out of their table, committed. From here on nobody reads these
  lines, and this is all that others ever wait for. The disk has it with the first file that is removed, since the log of
  changes is written in order; a server that crashes before has them still, and retention drops them the next time.
- *their files removed*: the tables nobody reaches any more are dropped, one in a transaction. It grows with what they held,
  and with the file system.

Retention drops a day each night; that is timed too, as a whole call.
"""

import argparse
import asyncio
import statistics
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import asyncpg

from db.database import Database, open_database
from db.partitions import SYSTEM_LOGS, create_ahead, detach_older, drop_detached, drop_older

from .figures import Figure, doing, scratch, show
from .ledger import server

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
DAY, MONTH = timedelta(days=1), timedelta(days=31)
FEW = 1000
LARGE_ROUNDS = 3
BAR_MS = 50
FILL = """
INSERT INTO system_logs (timestamp, level, source, message, metadata)
SELECT $1::timestamptz + n * ($3::interval / $2), 'INFO', 'daemon.butler', 'turn_done',
       jsonb_build_object('turn', n, 'area', 'sala', 'ms', 412.5)
FROM generate_series(0, $2::int - 1) AS n
"""
SIZE = """
SELECT pg_size_pretty(sum(pg_total_relation_size(inhrelid))) FROM pg_inherits
WHERE inhparent = 'system_logs'::regclass AND inhrelid::regclass::text LIKE 'system_logs_y2026m01%'
"""


@dataclass(frozen=True, slots=True)
class Dropped:
    """What one drop took, in milliseconds; `size` is what it held, as PostgreSQL says it."""

    size: str
    gone: float
    files: float
    longest_file: float
    writer: float


async def fill(db: Database, rows: int, span: timedelta) -> str:
    """Make the partitions of `span` with so many lines, on the disk as old ones are; return their size."""
    for first in range(0, span.days, 8):
        await create_ahead(db, SYSTEM_LOGS, BEGAN + timedelta(days=first))
    await db.execute(FILL, BEGAN, rows, span, timeout=1800)
    await db.execute("CHECKPOINT", timeout=600)
    size: str = await db.fetchval(SIZE)
    return size


async def drop_month(db: Database, rows: int) -> Dropped:
    """Fill a month with `rows` lines and drop it while somebody else writes."""
    size = await fill(db, rows, MONTH)
    stopped = asyncio.Event()
    began_writing = asyncio.Event()
    writer = asyncio.create_task(writing(db.url, began_writing, stopped))
    await began_writing.wait()
    began = time.perf_counter()
    assert await detach_older(db, SYSTEM_LOGS, BEGAN + MONTH) == MONTH.days
    gone = time.perf_counter()
    assert await db.fetchval("SELECT count(*) FROM system_logs WHERE timestamp < $1", BEGAN + MONTH) == 0
    checked = last = time.perf_counter()
    longest = 0.0
    while await db.fetchval("SELECT drop_detached($1)", SYSTEM_LOGS.table):
        now = time.perf_counter()
        longest, last = max(longest, now - last), now
    assert await drop_detached(db, SYSTEM_LOGS) == 0
    done = time.perf_counter()
    stopped.set()
    waited_ms = await writer
    await drop_older(db, SYSTEM_LOGS, BEGAN + 2 * MONTH)
    return Dropped(size, (gone - began) * 1000, (done - checked) * 1000, longest * 1000, waited_ms)


async def drop_day(db: Database, rows: int) -> float:
    """Fill a day with `rows` lines and drop it, as every night; return the milliseconds of the whole call."""
    await fill(db, rows, DAY)
    began = time.perf_counter()
    assert await drop_older(db, SYSTEM_LOGS, BEGAN + DAY) == 1
    return (time.perf_counter() - began) * 1000


async def writing(url: str, began: asyncio.Event, stopped: asyncio.Event) -> float:
    """Write lines until told to stop; return how long the longest took, in milliseconds."""
    connection = await asyncpg.connect(url)
    await connection.execute("SET synchronous_commit = off")
    longest = 0.0
    while not stopped.is_set():
        start = time.perf_counter()
        await connection.execute("INSERT INTO system_logs (level, source, message) VALUES ('INFO', 'bench', 'beside')")
        if began.is_set():
            longest = max(longest, time.perf_counter() - start)
        began.set()
        await asyncio.sleep(0.002)
    await connection.close()
    return longest * 1000


async def retention(url: str, rows: int, rounds: int) -> list[Figure]:
    """Measure months of FEW and of `rows` lines, and nights of a month so full."""
    figures = []
    async with open_database(url, size=1) as db:
        for count, times in ((FEW, rounds), (rows, min(rounds, LARGE_ROUNDS))):
            found = []
            for number in range(times):
                doing(f"a month of {count:,} log lines is written and dropped, {number + 1} of {times}")
                found.append(await drop_month(db, count))
            figures += told(count, found)
        doing("nights")
        nights = [await drop_day(db, max(rows // MONTH.days, 1)) for _ in range(rounds)]
    whole = f"p50 {statistics.median(nights):.0f} ms, most {max(nights):.0f} ms"
    return [*figures, Figure(f"a day of {rows // MONTH.days:,} log lines dropped, files and all", whole)]


def told(rows: int, found: list[Dropped]) -> list[Figure]:
    """Return the figures of months of `rows` lines."""
    gone, files, writers = ([getattr(each, name) for each in found] for name in ("gone", "files", "writer"))
    month = f"a month of {rows:,} log lines"
    worst = f"p50 {statistics.median(gone):.0f} ms, most {max(gone):.0f} ms of {len(found)}"
    longest = max(each.longest_file for each in found)
    return [
        Figure(f"{month} ({found[0].size}) dropped: gone", worst, f"{BAR_MS} ms", statistics.median(gone) <= BAR_MS),
        Figure(
            f"{month}: longest wait of a writer", f"p50 {statistics.median(writers):.0f} ms, most {max(writers):.0f} ms"
        ),
        Figure(
            f"{month}: their files removed, nobody waits",
            f"p50 {statistics.median(files):.0f} ms in {MONTH.days} steps of {longest:.0f} ms at most",
        ),
    ]


async def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--url", help="a scratch server; a database is made on it and dropped")
    options.add_argument("--rows", type=int, default=1_000_000)
    options.add_argument("--rounds", type=int, default=10)
    given = options.parse_args()
    async with server(given.url) as url, scratch(url, "retention") as own:
        show(await retention(own, given.rows, given.rounds))


if __name__ == "__main__":
    asyncio.run(main())
