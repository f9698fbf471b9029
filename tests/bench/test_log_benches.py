"""The benches of logs and messages in their short form: that they run to their end and measure what they say."""

import pytest

from bench.logs import sink_rate, turns_beside
from bench.messages import messages
from bench.retention import retention
from db.database import open_database

pytestmark = pytest.mark.usefixtures("logging_as_before")


async def test_logs(database_url: str) -> None:
    sink, *_ = await sink_rate(database_url, 2000)
    assert sink.good is not None
    async with open_database(database_url) as db:
        assert await db.fetchval("SELECT count(*) FROM system_logs") == 4000


async def test_turns_beside_logs(database_url: str) -> None:
    *loads, ratio = await turns_beside(database_url, 1)
    assert len(loads) == 3
    assert ratio.good is not None


async def test_retention(database_url: str) -> None:
    figures = await retention(database_url, 2000, rounds=2)
    assert [each.good is None for each in figures] == [False, True, True, False, True, True, True]
    async with open_database(database_url) as db:
        assert await db.fetchval("SELECT count(*) FROM pg_class WHERE relname ~ '_gone_[0-9]+$'") == 0


async def test_messages(empty_database_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    await messages(empty_database_url, 5000)
    assert "DELETE 43 in" in capsys.readouterr().out
