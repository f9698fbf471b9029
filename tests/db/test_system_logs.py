"""Lines into system_logs over COPY."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest

from db.database import Database
from db.errors import LinkDown
from db.partitions import SYSTEM_LOGS, create_ahead
from db.system_logs import Line, LogTable

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture
async def table(database_url: str) -> AsyncIterator[LogTable]:
    opened = await LogTable.open(database_url)
    yield opened
    await opened.close()


def line(number: int, message: str = "turn_done", metadata: str = "{}") -> Line:
    return Line(NOON + timedelta(hours=number), "INFO", "daemon.butler", message, metadata)


async def test_lines_are_kept_as_they_are_each_in_its_day(db: Database, table: LogTable) -> None:
    await create_ahead(db, SYSTEM_LOGS, NOON)
    lines = [line(number, f"tab\t\\N\nç {number}", f'{{"n": {number}, "é": ["\\u00e9"]}}') for number in range(200)]
    assert await table.append(lines) == 0
    stored = await db.fetch("SELECT timestamp, level, source, message, metadata FROM system_logs ORDER BY id")
    assert [tuple(row)[:4] for row in stored] == [tuple(each)[:4] for each in lines]
    assert stored[7]["metadata"] == {"n": 7, "é": ["é"]}
    parts = await db.fetch("SELECT DISTINCT tableoid::regclass::text FROM system_logs")
    assert len(parts) == 9


async def test_days_made_and_dropped_meanwhile_do_not_disturb(db: Database, table: LogTable) -> None:
    for day in range(5):
        assert await table.append([line(day * 24)]) == 0
        await create_ahead(db, SYSTEM_LOGS, NOON + timedelta(days=day))
        assert await table.append([line(day * 24)]) == 0
    assert await db.fetchval("SELECT count(*) FROM system_logs") == 10


@pytest.mark.parametrize(
    "bad",
    [
        line(1, "nul \0"),
        line(1, "half \ud800"),
        line(1, "json", "{"),
        line(1, "json", '{"a": "\\u0000"}'),
        line(1)._replace(level="LOUD"),  # type: ignore[arg-type]
        line(1)._replace(source="x" * 101),
        line(1)._replace(timestamp=None),  # type: ignore[arg-type]
    ],
)
async def test_a_bad_line_is_left_out_alone(db: Database, table: LogTable, bad: Line) -> None:
    good = [line(number, str(number)) for number in range(10)]
    assert await table.append([*good[:4], bad, *good[4:]]) == 1
    rows = await db.fetch("SELECT message FROM system_logs ORDER BY message")
    assert [row["message"] for row in rows] == [str(number) for number in range(10)]


async def test_others_have_their_turn_while_a_large_batch_is_written(table: LogTable) -> None:
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    beside = asyncio.create_task(other())
    await table.append([line(number) for number in range(2000)])
    beside.cancel()
    assert turns > 2000 / 50


async def test_a_server_that_is_away_is_a_link_that_is_down(db: Database, table: LogTable, tmp_path: Path) -> None:
    with pytest.raises(LinkDown):
        await LogTable.open(f"postgresql://mordomo@/mordomo?host={tmp_path}")
    await db.execute(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    with pytest.raises(LinkDown):
        await table.append([line(1)])


async def test_no_table_is_the_callers_to_know(empty_database_url: str) -> None:
    table = await LogTable.open(empty_database_url)
    with pytest.raises(asyncpg.UndefinedTableError):
        await table.append([line(1)])
    await table.close()
