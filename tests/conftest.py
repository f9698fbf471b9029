"""Servers that tests of every room share: started once, when first asked for, and ended with the session."""

import os
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from support.background import Background
from support.folders import short_folder
from support.kept_house import made_house
from support.logging_kept import logging_kept
from support.postgres import DEBIAN, Databases, debian, embedded

from daemon.devices.broker import EmbeddedBroker
from db.database import Database, open_database

pytest_plugins = ("support.wired_ledger", "support.heard_reminders")

ON_DEBIAN = os.environ.get("MORDOMO_TEST_POSTGRES") == "debian"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what speaks to Debian's servers, so that `-m debian` runs that and no more; leave long runs out."""
    unasked = {"long", "soak"} - set(config.option.markexpr.split())
    left_out = [item for item in items if unasked & {mark.name for mark in item.iter_markers()}]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]
    for item in items:
        if ON_DEBIAN and isinstance(item, pytest.Function) and "postgres" in item.fixturenames:
            item.add_marker(pytest.mark.debian)


@pytest.fixture(scope="session")
def background() -> Iterator[Background]:
    """An event loop that lives as long as the session."""
    with Background() as loop:
        yield loop


@pytest.fixture(scope="session")
def debian_postgres(background: Background) -> Iterator[Databases]:
    """Debian's own PostgreSQL, in a cluster of ours."""
    if not DEBIAN:
        pytest.skip("Debian's postgresql is not installed")
    with debian(background) as databases:
        yield databases


@pytest.fixture(scope="session")
def postgres(background: Background, request: pytest.FixtureRequest) -> Iterator[Databases]:
    """The server that database tests use: the embedded one, or Debian's if MORDOMO_TEST_POSTGRES=debian."""
    if ON_DEBIAN:
        yield request.getfixturevalue("debian_postgres")
        return
    with embedded(background) as databases:
        yield databases


@pytest.fixture
def database_url(postgres: Databases) -> Iterator[str]:
    """The libpq URL of a migrated database of this test's own."""
    url = postgres.create(migrated=True)
    yield url
    postgres.drop(url)


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    """That database, opened: what a test asks with, or gives to what it tests."""
    async with open_database(database_url) as database:
        yield database


@pytest.fixture
def empty_database_url(postgres: Databases) -> Iterator[str]:
    """The libpq URL of an empty database of this test's own."""
    url = postgres.create(migrated=False)
    yield url
    postgres.drop(url)


@pytest.fixture
def debian_postgres_url(debian_postgres: Databases) -> Iterator[str]:
    """The libpq URL of a migrated database of this test's own, on Debian's server."""
    url = debian_postgres.create(migrated=True)
    yield url
    debian_postgres.drop(url)


@pytest.fixture(scope="session")
def made(background: Background) -> Iterator[Path]:
    """A house with an archived database, migrated and stopped: `kept_house(made)` gives a copy of it, running."""
    with made_house(background) as path:
        yield path


@pytest.fixture
def made_data(made: Path) -> Iterator[Path]:
    """A data folder for a daemon of this test's own, with that house's database in it: a first start is slow."""
    with short_folder() as folder:
        subprocess.run(["cp", "-a", made / "data", folder], check=True)
        yield folder / "data"


@pytest.fixture
def logging_as_before() -> Iterator[None]:
    """Leave logging as it was found."""
    with logging_kept():
        yield


@pytest.fixture(scope="session")
def broker_url(background: Background) -> Iterator[str]:
    """The URL of an MQTT broker that the session shares; keep to topics below `mqtt_prefix`."""
    with short_folder() as folder:
        broker = EmbeddedBroker(folder / "data")
        background.run(broker.__aenter__())
        yield broker.url
        background.run(broker.__aexit__(None, None, None))


@pytest.fixture
def mqtt_prefix() -> str:
    """A branch of topics of this test's own, without a slash at its end."""
    return f"test/{uuid4().hex[:12]}"


@pytest.fixture
async def fresh_broker() -> AsyncIterator[EmbeddedBroker]:
    """A broker of this test's own, which it may stop or kill (`.pid`) and run again (`await .run()`)."""
    with short_folder() as folder:
        async with EmbeddedBroker(folder / "data") as broker:
            yield broker
