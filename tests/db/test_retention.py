"""What is over is dropped, deleted or forgotten: in several steps, and with others reading and writing."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg
from support.partitioned import NOON, WHERE_IT_IS, WRITE, left_behind, parts

from db.database import Database, open_database
from db.partitions import (
    MOST_PARTITIONS,
    SYSTEM_LOGS,
    create_ahead,
    delete_older,
    detach_older,
    drop_detached,
    drop_older,
    forget_conversations,
)
from db.upgrade import downgrade


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
