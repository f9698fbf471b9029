"""The benches of logs and messages in their short form: that they run to their end and measure what they say."""

import logging
from collections.abc import Iterator

import pytest
import structlog

from bench.logs import drop_month, sink_rate
from bench.messages import messages
from db.database import open_database


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """Leave logging as it was found."""
    root = logging.getLogger()
    level, handlers, found = root.level, list(root.handlers), structlog.get_config()
    yield
    structlog.configure(**found)
    root.handlers[:] = handlers
    root.setLevel(level)


async def test_logs(database_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    await sink_rate(database_url, 2000)
    async with open_database(database_url) as db:
        assert await db.fetchval("SELECT count(*) FROM system_logs") == 4000
        await drop_month(db, database_url, 2000, rounds=2)
    told = capsys.readouterr().out
    assert "lines/s" in told
    assert "2,000 rows" in told


async def test_messages(empty_database_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    await messages(empty_database_url, 5000)
    assert "DELETE 43 in" in capsys.readouterr().out
