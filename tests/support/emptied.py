"""One database for a file of tests that leave nothing behind but rows: cheaper than a database for each."""

from collections.abc import AsyncIterator, Iterator

import asyncpg
import pytest

from support.postgres import Databases

EMPTY = (
    "DELETE FROM users; DELETE FROM conversations; DELETE FROM actions; DELETE FROM reminders; DELETE FROM system_logs;"
    " DELETE FROM entity_states; DELETE FROM entities; DELETE FROM devices; DELETE FROM areas; DELETE FROM routines"
)


@pytest.fixture(scope="module")
def file_url(postgres: Databases) -> Iterator[str]:
    """The libpq URL of a migrated database of this file's own."""
    url = postgres.create(migrated=True)
    yield url
    postgres.drop(url)


@pytest.fixture
async def emptied_url(file_url: str) -> AsyncIterator[str]:
    """The same, with its tables empty again after the test; the config table is left as it is."""
    yield file_url
    connection = await asyncpg.connect(file_url)
    await connection.execute(EMPTY)
    await connection.close()
