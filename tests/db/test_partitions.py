"""Partitions on real servers: made ahead, and filled from the default one, with others reading and writing."""

import asyncio
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from support.partitioned import NOON, WHERE_IT_IS, WRITE, parts
from support.until import until

from db.database import Database, open_database
from db.partitions import (
    AUDIT_LOG,
    SYSTEM_LOGS,
    Partitioned,
    TableHeld,
    create_ahead,
    drop_older,
)
from db.upgrade import REVISIONS, current, downgrade, upgrade


async def test_days_are_made_ahead_and_only_once(db: Database) -> None:
    assert await create_ahead(db, SYSTEM_LOGS, NOON) == 8
    assert await create_ahead(db, SYSTEM_LOGS, NOON + timedelta(hours=11)) == 0
    assert await parts(db) == ["system_logs_default"] + [f"system_logs_y2026m11d{day}" for day in range(20, 28)]


async def test_months_are_made_ahead(db: Database) -> None:
    assert await create_ahead(db, AUDIT_LOG, NOON) == 3
    assert await parts(db, "audit_log") == [
        "audit_log_default", "audit_log_y2026m11", "audit_log_y2026m12", "audit_log_y2027m01",
    ]  # fmt: skip


async def test_after_months_off_the_days_begin_anew(db: Database) -> None:
    await create_ahead(db, SYSTEM_LOGS, NOON)
    assert await create_ahead(db, SYSTEM_LOGS, NOON + timedelta(days=200)) == 8
    assert "system_logs_y2027m06d08" in await parts(db)


@pytest.mark.parametrize("zone", ["UTC", "America/Sao_Paulo", "Pacific/Kiritimati"])
async def test_a_day_is_utcs_whatever_the_sessions_zone(db: Database, database_url: str, zone: str) -> None:
    connection = await asyncpg.connect(database_url, server_settings={"timezone": zone})
    await connection.execute("SELECT create_partitions('system_logs', $1, $2)", NOON, NOON + timedelta(days=2))
    await connection.close()
    await create_ahead(db, SYSTEM_LOGS, NOON)
    for moment, part in [
        (datetime(2026, 11, 20, 0, 0, tzinfo=UTC), "system_logs_y2026m11d20"),
        (datetime(2026, 11, 20, 23, 59, 59, 999999, tzinfo=UTC), "system_logs_y2026m11d20"),
        (datetime(2026, 11, 21, 0, 0, tzinfo=UTC), "system_logs_y2026m11d21"),
        (datetime(2026, 11, 19, 23, 59, tzinfo=UTC), "system_logs_default"),
        (datetime(2030, 1, 1, tzinfo=UTC), "system_logs_default"),
    ]:
        await db.execute(WRITE, moment, str(moment))
        assert await db.fetchval(WHERE_IT_IS, str(moment)) == part


async def test_what_fell_into_the_default_partition_is_moved(db: Database) -> None:
    await db.execute(
        "INSERT INTO system_logs (timestamp, level, source, message, metadata)"
        " SELECT $1::timestamptz + n * interval '1 hour', 'INFO', 'teste', n::text, jsonb_build_object('n', n)"
        " FROM generate_series(-100, 300) AS n",
        NOON,
    )
    before = await db.fetch("SELECT * FROM system_logs ORDER BY id")
    assert await create_ahead(db, SYSTEM_LOGS, NOON) == 8
    assert await db.fetch("SELECT * FROM system_logs ORDER BY id") == before
    left = await db.fetchrow(
        "SELECT count(*), count(*) FILTER (WHERE timestamp >= '2026-11-20Z' AND timestamp < '2026-11-28Z')"
        " FROM system_logs_default"
    )
    assert tuple(left or ()) == (401 - 8 * 24, 0)
    assert await db.fetchval("INSERT INTO system_logs (level, source, message) VALUES ('INFO', 'a', '') RETURNING id")


async def test_a_partition_has_the_indexes_and_rules_of_its_table(db: Database) -> None:
    await create_ahead(db, SYSTEM_LOGS, NOON)
    await create_ahead(db, AUDIT_LOG, NOON)
    for table, part in (("system_logs", "system_logs_y2026m11d20"), ("audit_log", "audit_log_y2026m11")):
        attached = await db.fetchval(
            f"SELECT count(*) FROM pg_inherits WHERE inhrelid IN"
            f" (SELECT indexrelid FROM pg_index WHERE indrelid = '{part}'::regclass)"
        )
        assert attached == await db.fetchval(f"SELECT count(*) FROM pg_index WHERE indrelid = '{table}'::regclass")
    with pytest.raises(asyncpg.CheckViolationError):
        await db.execute(WRITE.replace("'INFO'", "'LOUD'"), NOON, "alto")


async def test_a_row_on_its_way_while_its_day_is_made_finds_the_day(database_url: str) -> None:
    """Were writers not held off, the row would be refused: it was sent to the default partition, which may not take it."""
    maker, writer, watcher = [await asyncpg.connect(database_url) for _ in range(3)]
    await writer.execute(WRITE, NOON - timedelta(days=9), "the statement is prepared and the route known")
    making = maker.transaction()
    await making.start()
    await maker.execute("SELECT create_partitions('system_logs', $1, $1)", NOON)
    writing = asyncio.create_task(writer.execute(WRITE, NOON, "no caminho"))
    await until(watcher, f"EXISTS (SELECT FROM pg_locks WHERE pid = {writer.get_server_pid()} AND NOT granted)")
    await making.commit()
    await writing
    assert await watcher.fetchval(WHERE_IT_IS, "no caminho") == "system_logs_y2026m11d20"
    for connection in (maker, writer, watcher):
        await connection.close()


async def test_several_daemons_make_days_while_others_write(db: Database, database_url: str) -> None:
    finished = asyncio.Event()
    written = 0

    async def write(start: int) -> None:
        nonlocal written
        connection = await asyncpg.connect(database_url)
        number = start
        while not finished.is_set():
            await connection.execute(WRITE, NOON + timedelta(hours=number % 240), f"{number}")
            number, written = number + 3, written + 1
        await connection.close()

    async def make() -> int:
        connection = await asyncpg.connect(database_url)
        made = 0
        for day in range(10):
            while True:
                try:
                    made += await connection.fetchval(
                        "SELECT create_partitions('system_logs', $1, $1)", NOON + timedelta(days=day)
                    )
                except asyncpg.LockNotAvailableError:
                    continue
                break
        await connection.close()
        return made

    writers = [asyncio.create_task(write(start)) for start in range(3)]
    made = await asyncio.gather(make(), make())
    finished.set()
    await asyncio.gather(*writers)
    assert sum(made) == 10
    assert await db.fetchval("SELECT count(*) FROM system_logs") == written
    assert await db.fetchval("SELECT count(*) FROM system_logs_default WHERE timestamp < '2026-11-30Z'") == 0


async def test_who_holds_the_table_is_waited_for_briefly_and_nothing_is_done(db: Database, database_url: str) -> None:
    holder = await asyncpg.connect(database_url)
    old = NOON - timedelta(days=100)
    await create_ahead(db, SYSTEM_LOGS, old)
    before = await parts(db)

    held = holder.transaction()
    await held.start()
    await holder.execute(WRITE, NOON, "ainda não")
    with pytest.raises(TableHeld):
        await create_ahead(db, SYSTEM_LOGS, NOON)
    await held.commit()

    held = holder.transaction()
    await held.start()
    await holder.fetch("SELECT count(*) FROM system_logs")
    with pytest.raises(TableHeld):
        await drop_older(db, SYSTEM_LOGS, NOON)
    assert await parts(db) == before
    await db.execute(WRITE, NOON, "quem escreve segue")
    await held.rollback()
    await holder.close()

    assert await drop_older(db, SYSTEM_LOGS, NOON) == 8
    assert await create_ahead(db, SYSTEM_LOGS, NOON) == 8
    assert await db.fetchval(WHERE_IT_IS, "ainda não") == "system_logs_y2026m11d20"


async def test_no_other_table_is_touched(db: Database) -> None:
    users = Partitioned("users", "created_at", timedelta(days=1))
    for attempt in (create_ahead(db, users, NOON), drop_older(db, users, NOON)):
        with pytest.raises(asyncpg.RaiseError, match="users has no partitions"):
            await attempt


async def test_down_and_up_again_with_partitions_keeps_every_line(db: Database, database_url: str) -> None:
    await create_ahead(db, SYSTEM_LOGS, NOON)
    for hours in range(0, 400, 25):
        await db.execute(WRITE, NOON + timedelta(hours=hours), str(hours))
    lines = await db.fetch("SELECT * FROM system_logs ORDER BY id")
    await downgrade(database_url, "0001")
    async with open_database(database_url) as old:
        assert await old.fetch("SELECT * FROM system_logs ORDER BY id") == lines
        await old.execute("SELECT cleanup_old_logs()")
        await old.execute(WRITE, NOON + timedelta(days=20), "depois")
    await upgrade(database_url)
    assert await current(database_url) == REVISIONS[-1]
    async with open_database(database_url) as new:
        assert await create_ahead(new, SYSTEM_LOGS, NOON + timedelta(days=20)) == 8
        assert await new.fetchval("SELECT count(*) FROM system_logs") == len(lines) + 1
