"""The servers that Mordomo needs: those that the environment names, or the ones it brings along."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import structlog

from config.environment import Environment
from daemon.clock import Clock
from daemon.devices.broker import EmbeddedBroker
from daemon.errors import LinkDown
from daemon.migration import migrate
from db.backup.folder import Folder
from db.backup.routine import CONTINUOUS
from db.backup.source import Source
from db.database import Database, open_database
from db.embedded import EmbeddedPostgres
from db.roles import APP, as_role

log = structlog.get_logger(__name__)

LOOK_EVERY_S = 2.0


@dataclass(frozen=True, slots=True)
class Addresses:
    """The ways to one database: `work`, for turns, by a pooler if `pooled`; `direct`, past it; `owner`, to migrate."""

    work: str
    direct: str
    owner: str
    pooled: bool = False

    @classmethod
    def own(cls, owner: str) -> "Addresses":
        """Return those of our own server: the daemon's work is not the owner's."""
        app = as_role(owner, APP)
        return cls(app, app, owner)

    @classmethod
    def given(cls, env: Environment, work: str) -> "Addresses":
        """Return those that the environment names."""
        direct = env.database_direct_url.get_secret_value() if env.database_direct_url else work
        owner = env.database_owner_url.get_secret_value() if env.database_owner_url else direct
        return cls(work, direct, owner, env.database_pooled)

    def open(self, **limits: Any) -> AbstractAsyncContextManager[Database]:
        """Open the database for work; `limits` are `open_database`'s."""
        return open_database(self.work, direct_url=self.direct, pooled=self.pooled, **limits)


@dataclass(frozen=True, slots=True)
class Servers:
    """Where the database and the broker are, and which of them are our own."""

    database: Addresses
    mqtt_url: str
    postgres: EmbeddedPostgres | None
    broker: EmbeddedBroker | None

    def addresses(self, env: Environment) -> dict[str, str]:
        """Return every server that this Mordomo works with, with its address; empty for one that it does without."""
        return {"database": self.database.work, "broker": self.mqtt_url, "brain": env.ollama_url,
                "vectors": env.qdrant_url or ""}  # fmt: skip


@asynccontextmanager
async def servers(env: Environment) -> AsyncIterator[Servers]:
    """Start what is not given, and stop it afterwards unless somebody else uses it. Raises CannotStart, LinkDown."""
    async with AsyncExitStack() as stack:
        postgres = broker = None
        if env.database_url is not None:
            database = Addresses.given(env, env.database_url.get_secret_value())
        else:
            postgres = own_postgres(env)
            database = Addresses.own(await postgres.start())
            stack.push_async_callback(postgres.stop)
        if env.mqtt_url is not None:
            mqtt_url = env.mqtt_url.get_secret_value()
        else:
            broker = await stack.enter_async_context(EmbeddedBroker(env.data_dir))
            mqtt_url = broker.url
        yield Servers(database, mqtt_url, postgres, broker)


@asynccontextmanager
async def addresses(env: Environment) -> AsyncIterator[Addresses]:
    """Give the ways to the database for a single command, our own server running meanwhile. Raises CannotStart."""
    if env.database_url is not None:
        yield Addresses.given(env, env.database_url.get_secret_value())
        return
    postgres = own_postgres(env)
    owner = await postgres.start()
    try:
        yield Addresses.own(owner)
    finally:
        await postgres.stop()


def own_postgres(env: Environment) -> EmbeddedPostgres:
    """Return the server that Mordomo brings along, with its log of changes kept beside the backups."""
    return EmbeddedPostgres(env.data_dir, env.backups / CONTINUOUS)


@asynccontextmanager
async def household_database(env: Environment) -> AsyncIterator[Database]:
    """Give the migrated database for a single command. Raises CannotStart, LinkDown, SchemaTooNew."""
    async with addresses(env) as database:
        await migrate(source(env, database), Folder(env.backups))
        async with database.open(size=1) as db:
            yield db


def source(env: Environment, database: Addresses) -> Source:
    """Return the database as backups see it: its owner's."""
    return Source(database.owner, own_postgres(env) if env.database_url is None else None)


@dataclass(slots=True)
class KeepPostgres:
    """Starts our own database server again when it dies; whoever had a connection connects again."""

    postgres: EmbeddedPostgres
    clock: Clock
    name: str = "postgres"

    async def run(self) -> None:
        """Look after the server until cancelled. Raises LinkDown when it cannot be started now."""
        while True:
            await self.clock.sleep(LOOK_EVERY_S)
            if not self.postgres.running():
                log.warning("postgres_died")
                await self.postgres.start()
            self.postgres.trim_logs()


@dataclass(slots=True)
class Schema:
    """Migrates the database as soon as it can be reached, and then lets those begin who need its tables."""

    source: Source
    folder: Folder
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    name: str = "schema"

    async def run(self) -> None:
        """Migrate once. Raises LinkDown while the database is away, SchemaTooNew if it is of a later Mordomo.

        Raises BackupFailed where a schema was to change and no copy of it could be made first.
        """
        await migrate(self.source, self.folder)
        self.ready.set()


@dataclass(slots=True)
class DemoHouse:
    """A separate process with devices to try Mordomo on; it ends with the daemon."""

    mqtt_url: str
    name: str = "demo_house"

    async def run(self) -> None:
        """Run the process until cancelled. Raises LinkDown when it ends by itself."""
        command = (sys.executable, "-m", "daemon.demo.house", "--url", self.mqtt_url, "--parent-pid", str(os.getpid()))
        process = await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, start_new_session=True
        )
        try:
            status = await process.wait()
        finally:
            if process.returncode is None:
                process.terminate()
                await process.wait()
        raise LinkDown("demo_house", f"terminou com {status}")
