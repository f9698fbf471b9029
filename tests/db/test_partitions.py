"""Partitions on real servers: made ahead, filled from the default one, dropped; with others reading and writing."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg
import pytest
from support.until import until

from db.database import Database, open_database
from db.partitions import (
    AUDIT_LOG,
    MOST_PARTITIONS,
    SYSTEM_LOGS,
    Partitioned,
    TableHeld,
    create_ahead,
    delete_older,
    detach_older,
    drop_detached,
    drop_older,
    forget_conversations,
)
from db.upgrade import REVISIONS, current, downgrade, upgrade

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
WRITE = "INSERT INTO system_logs (timestamp, level, source, message) VALUES ($1, 'INFO', 'teste', $2)"
WHERE_IT_IS = "SELECT tableoid::regclass::text FROM system_logs WHERE message = $1"
PARTS = "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = $1::regclass ORDER BY 1"


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    async with open_database(database_url) as database:
        yield database


async def parts(db: Database, table: str = "system_logs") -> list[str]:
    rows = await db.fetch(PARTS.replace("$1", f"'{table}'"))
    return [row[0] for row in rows]


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


async def test_only_days_that_are_over_are_dropped(db: Database) -> None:
    await create_ahead(db, SYSTEM_LOGS, NOON)
    assert await drop_older(db, SYSTEM_LOGS, datetime(2026, 11, 22, 23, 59, tzinfo=UTC)) == 2
    assert await drop_older(db, SYSTEM_LOGS, datetime(2026, 11, 23, tzinfo=UTC)) == 1
    assert (await parts(db))[:2] == ["system_logs_default", "system_logs_y2026m11d23"]
    assert await drop_older(db, SYSTEM_LOGS, NOON + timedelta(days=4000)) == 5
    assert await parts(db) == ["system_logs_default"]


async def test_years_are_dropped_in_several_steps(db: Database) -> None:
    for week in range(10):
        await create_ahead(db, SYSTEM_LOGS, NOON + timedelta(days=8 * week))
    assert len(await parts(db)) == 81 > 2 * MOST_PARTITIONS
    assert await drop_older(db, SYSTEM_LOGS, NOON + timedelta(days=1000)) == 80


async def left_behind(db: Database) -> list[str]:
    rows = await db.fetch("SELECT relname FROM pg_class WHERE relkind = 'r' AND relname ~ '_logs_(gone|y)' ORDER BY 1")
    return [row[0] for row in rows]


async def test_rows_are_gone_before_files_are_and_a_daemon_killed_in_between_leaves_nothing(db: Database) -> None:
    await create_ahead(db, SYSTEM_LOGS, NOON)
    for day in range(8):
        await db.execute(WRITE, NOON + timedelta(days=day), str(day))
    assert await detach_older(db, SYSTEM_LOGS, NOON + timedelta(days=6)) == 6
    assert [row[0] for row in await db.fetch("SELECT message FROM system_logs ORDER BY 1")] == ["6", "7"]
    assert [("gone" in name) for name in await left_behind(db)] == [True] * 6 + [False] * 2
    await db.execute(WRITE, NOON, "tarde")
    assert await create_ahead(db, SYSTEM_LOGS, NOON) == 6  # a name that is given up can be taken again
    assert await db.fetchval(WHERE_IT_IS, "tarde") == "system_logs_y2026m11d20"
    assert await drop_older(db, SYSTEM_LOGS, NOON - timedelta(days=1)) == 0
    assert await left_behind(db) == (await parts(db))[1:]


async def test_nobody_is_waited_for_while_files_are_removed(db: Database, database_url: str) -> None:
    await create_ahead(db, SYSTEM_LOGS, NOON)
    await detach_older(db, SYSTEM_LOGS, NOON + timedelta(days=6))
    reader = await asyncpg.connect(database_url)
    async with reader.transaction():
        await reader.fetch("SELECT count(*) FROM system_logs")
        await reader.execute(WRITE, NOON, "ainda não")
        assert await drop_detached(db, SYSTEM_LOGS) == 6
    await reader.close()


async def test_what_somebody_took_out_by_hand_is_theirs(db: Database) -> None:
    await create_ahead(db, SYSTEM_LOGS, NOON)
    await db.execute("ALTER TABLE system_logs DETACH PARTITION system_logs_y2026m11d20")
    assert await drop_older(db, SYSTEM_LOGS, NOON + timedelta(days=100)) == 7
    assert await left_behind(db) == ["system_logs_y2026m11d20"]


async def test_two_daemons_drop_at_once(db: Database, database_url: str) -> None:
    await create_ahead(db, SYSTEM_LOGS, NOON)
    async with open_database(database_url) as other:
        counts = await asyncio.gather(
            *(drop_older(each, SYSTEM_LOGS, NOON + timedelta(days=7)) for each in (db, other))
        )
    assert sum(counts) == 7
    assert await left_behind(db) == ["system_logs_y2026m11d27"]


async def test_the_way_down_leaves_nothing_detached(db: Database, database_url: str) -> None:
    await create_ahead(db, SYSTEM_LOGS, NOON)
    await detach_older(db, SYSTEM_LOGS, NOON + timedelta(days=3))
    await downgrade(database_url, "0009")
    assert len(await left_behind(db)) == 5
    assert await db.fetchval("SELECT drop_partitions('system_logs', $1)", NOON + timedelta(days=4)) == 1
    assert len(await left_behind(db)) == 4


async def test_old_rows_of_the_default_partition_are_deleted_in_batches(db: Database) -> None:
    await db.execute(
        "INSERT INTO system_logs (timestamp, level, source, message)"
        " SELECT $1::timestamptz - n * interval '1 minute', 'INFO', 'teste', '' FROM generate_series(1, 12000) AS n",
        NOON,
    )
    assert await delete_older(db, SYSTEM_LOGS, NOON - timedelta(minutes=500)) == 11_500
    assert await db.fetchval("SELECT count(*) FROM system_logs") == 500
    assert await delete_older(db, SYSTEM_LOGS, NOON - timedelta(minutes=500)) == 0


async def test_no_other_table_is_touched(db: Database) -> None:
    users = Partitioned("users", "created_at", timedelta(days=1))
    for attempt in (create_ahead(db, users, NOON), drop_older(db, users, NOON)):
        with pytest.raises(asyncpg.RaiseError, match="users has no partitions"):
            await attempt


async def test_the_seeds_cleanup_drops_days_and_obeys_the_preference(db: Database) -> None:
    now: datetime = await db.fetchval("SELECT now()")
    await create_ahead(db, SYSTEM_LOGS, now - timedelta(days=36))
    for days in (0, 3, 29, 31, 34, 400):
        await db.execute(WRITE, now - timedelta(days=days), str(days))
    await db.execute("SELECT cleanup_old_logs()")
    assert [row[0] for row in await db.fetch("SELECT message FROM system_logs ORDER BY id")] == ["0", "3", "29"]
    assert len(await parts(db)) < 9
    await db.execute("UPDATE config SET value = '2.0' WHERE key = 'retention.system_logs_days'")
    await db.execute("SELECT cleanup_old_logs()")
    assert [row[0] for row in await db.fetch("SELECT message FROM system_logs ORDER BY id")] == ["0"]


async def test_conversations_are_forgotten_whole(db: Database) -> None:
    ids: dict[str, UUID] = {}
    for name, began, last in (("velha", 100, 100), ("atravessa", 91, 89), ("nova", 5, 5), ("vazia", 95, None)):
        ids[name] = await db.fetchval(
            "INSERT INTO conversations (started_at) VALUES ($1) RETURNING id", NOON - timedelta(days=began)
        )
        for days in (began, last):
            if last is not None and days is not None:
                await db.execute(
                    "WITH m AS (INSERT INTO messages (conversation_id, role, content, timestamp)"
                    " VALUES ($1, 'user', 'oi', $2) RETURNING id)"
                    " INSERT INTO actions (message_id, conversation_id, action_type, action_name, parameters)"
                    " SELECT id, $1, 'query', 'time', '{}' FROM m",
                    ids[name],
                    NOON - timedelta(days=days),
                )
    assert await forget_conversations(db, NOON - timedelta(days=90)) == 2
    left = {row["id"] for row in await db.fetch("SELECT id FROM conversations")}
    assert left == {ids["atravessa"], ids["nova"]}
    for table in ("messages", "actions"):
        assert await db.fetchval(f"SELECT count(*) FROM {table}") == 4


async def test_many_conversations_are_forgotten_in_batches(db: Database) -> None:
    await db.execute(
        "INSERT INTO conversations (started_at) SELECT $1::timestamptz - n * interval '1 hour'"
        " FROM generate_series(1, 1200) AS n",
        NOON,
    )
    assert await forget_conversations(db, NOON - timedelta(hours=100)) == 1100


async def test_a_message_that_goes_finds_its_actions_by_index(db: Database) -> None:
    async with db.transaction() as connection:
        await connection.execute("SET LOCAL enable_seqscan = off")
        plan = await connection.fetch(f"EXPLAIN DELETE FROM actions WHERE message_id = '{UUID(int=1)}'")
    assert any("idx_actions_message" in row[0] for row in plan)


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
