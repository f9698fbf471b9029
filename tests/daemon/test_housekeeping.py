"""Partitions ahead and retention, on a clock that the test moves and a database that is real."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

import asyncpg
from support.clock import START, FakeClock
from support.until import until

from daemon.housekeeping import EVERY_S, SOON_S, Housekeeping
from db.database import Database
from db.preferences import set_value

PARTS = "(SELECT count(*) FROM pg_inherits WHERE inhparent = 'system_logs'::regclass)"
WRITE = "INSERT INTO system_logs (timestamp, level, source, message) VALUES ($1, 'INFO', 'teste', $2)"


@asynccontextmanager
async def running(keeping: Housekeeping) -> AsyncIterator[None]:
    task = asyncio.create_task(keeping.run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def lines(db: Database) -> list[str]:
    return [row["message"] for row in await db.fetch("SELECT message FROM system_logs ORDER BY timestamp")]


async def write(db: Database, *days_ago: int) -> None:
    for days in days_ago:
        await db.execute(WRITE, START - timedelta(days=days), str(days))


async def test_it_looks_at_the_start_and_every_hour(db: Database) -> None:
    clock = FakeClock()
    async with running(Housekeeping(db, clock)):
        await clock.asleep(EVERY_S)
        assert await db.fetchval(f"SELECT {PARTS}") == 9
        clock.jump(86_400)
        clock.advance(EVERY_S)
        await until(db, f"{PARTS} = 10")
        await clock.asleep(EVERY_S)
        clock.jump(86_400 * 200)
        clock.advance(EVERY_S)
        await until(db, f"{PARTS} = 9")


async def test_what_is_old_goes_by_the_preference(db: Database) -> None:
    await write(db, 0, 1, 29, 31, 300)
    keeping = Housekeeping(db, FakeClock())
    assert await keeping.look()
    assert await lines(db) == ["29", "1", "0"]
    await set_value(db, "retention.system_logs_days", 2, by="Ana")
    assert await keeping.look()
    assert await lines(db) == ["1", "0"]
    assert await db.fetchval("SELECT count(*) FROM audit_log") == 1


async def test_days_go_with_their_partition(db: Database) -> None:
    clock = FakeClock(START - timedelta(days=31))
    assert await Housekeeping(db, clock).look()
    await write(db, *range(20, 40))
    assert await Housekeeping(db, FakeClock()).look()
    # A day is dropped when the last of it is 30 days old.
    assert await lines(db) == [str(days) for days in range(30, 19, -1)]


async def test_conversations_stay_for_ever_unless_told_otherwise(db: Database) -> None:
    for days in (4000, 100, 1):
        await db.execute("INSERT INTO conversations (started_at) VALUES ($1)", START - timedelta(days=days))
    keeping = Housekeeping(db, FakeClock())
    assert await keeping.look()
    assert await db.fetchval("SELECT count(*) FROM conversations") == 3
    await set_value(db, "retention.messages_days", 99, by="Ana")
    assert await keeping.look()
    assert await db.fetchval("SELECT count(*) FROM conversations") == 1


async def test_a_preference_that_broke_deletes_nothing(db: Database) -> None:
    await write(db, 31, 300)
    await db.execute("ALTER TABLE config DISABLE TRIGGER config_check")
    await db.execute("UPDATE config SET value = '\"muitos\"' WHERE key = 'retention.system_logs_days'")
    keeping = Housekeeping(db, FakeClock())
    assert not await keeping.look()
    assert "retention.system_logs_days" in (keeping.problem or "")
    part = keeping.part()
    assert (part.condition, "retention.system_logs_days" in part.detail) == ("failed", True)
    assert await lines(db) == ["300", "31"]
    assert await db.fetchval(f"SELECT {PARTS}") == 9


async def test_a_held_table_is_tried_again_soon(db: Database, database_url: str) -> None:
    holder = await asyncpg.connect(database_url)
    held = holder.transaction()
    await held.start()
    await holder.execute(WRITE, START, "0")
    clock = FakeClock()
    keeping = Housekeeping(db, clock)
    assert keeping.part().condition == "starting"
    async with running(keeping):
        await clock.asleep(SOON_S)
        assert "TableHeld" in (keeping.problem or "")
        assert keeping.part().condition == "failed"
        await held.rollback()
        clock.advance(SOON_S)
        await clock.asleep(EVERY_S)
        assert keeping.problem is None
        assert keeping.part().condition == "ok"
    await holder.close()
    assert await db.fetchval(f"SELECT {PARTS}") == 9
