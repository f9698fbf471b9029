"""A ledger whose way to its server a test can freeze, cut or take down; `db` looks past that wire."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from db.database import Database, open_database
from db.ledger import Ledger, open_ledger
from support.turns import NOW
from support.wire import Wire, wire_to


@pytest.fixture
async def wire(database_url: str) -> AsyncIterator[Wire]:
    """The wire to this test's database."""
    async with wire_to(database_url) as wire:
        yield wire


@pytest.fixture
async def wired(wire: Wire) -> AsyncIterator[Database]:
    """The database at the other end of the wire."""
    async with open_database(wire.url) as database:
        yield database


@pytest.fixture
async def ledger(wired: Database, tmp_path: Path) -> AsyncIterator[Ledger]:
    """A ledger that writes through the wire."""
    async with open_ledger(wired, tmp_path, now=lambda: NOW) as ledger:
        yield ledger
