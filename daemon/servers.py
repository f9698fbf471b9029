"""The servers that Mordomo needs: those that the environment names, or the ones it brings along."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

import structlog

from config.environment import Environment
from daemon.clock import Clock
from daemon.devices.broker import EmbeddedBroker
from daemon.errors import LinkDown
from db.backup.routine import CONTINUOUS
from db.database import Database, open_database
from db.embedded import EmbeddedPostgres
from db.upgrade import upgrade

log = structlog.get_logger(__name__)

LOOK_EVERY_S = 2.0


@dataclass(frozen=True, slots=True)
class Servers:
    """Where the database and the broker are, and which of them are our own."""

    database_url: str
    mqtt_url: str
    postgres: EmbeddedPostgres | None
    broker: EmbeddedBroker | None


@asynccontextmanager
async def servers(env: Environment) -> AsyncIterator[Servers]:
    """Start what is not given, and stop it afterwards unless somebody else uses it. Raises CannotStart, LinkDown."""
    async with AsyncExitStack() as stack:
        postgres = broker = None
        if env.database_url is not None:
            database_url = env.database_url.get_secret_value()
        else:
            postgres = own_postgres(env)
            database_url = await postgres.start()
            stack.push_async_callback(postgres.stop)
        if env.mqtt_url is not None:
            mqtt_url = env.mqtt_url.get_secret_value()
        else:
            broker = await stack.enter_async_context(EmbeddedBroker(env.data_dir))
            mqtt_url = broker.url
        yield Servers(database_url, mqtt_url, postgres, broker)


@asynccontextmanager
async def database_url(env: Environment) -> AsyncIterator[str]:
    """Give the database's URL for a single command, with our own server running meanwhile. Raises CannotStart."""
    if env.database_url is not None:
        yield env.database_url.get_secret_value()
        return
    postgres = own_postgres(env)
    url = await postgres.start()
    try:
        yield url
    finally:
        await postgres.stop()


def own_postgres(env: Environment) -> EmbeddedPostgres:
    """Return the server that Mordomo brings along, with its log of changes kept beside the backups."""
    return EmbeddedPostgres(env.data_dir, env.backups / CONTINUOUS)


@asynccontextmanager
async def household_database(env: Environment) -> AsyncIterator[Database]:
    """Give the migrated database for a single command. Raises CannotStart, LinkDown, SchemaTooNew."""
    async with database_url(env) as url:
        await upgrade(url)
        async with open_database(url, size=1) as db:
            yield db


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

    url: str
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    name: str = "schema"

    async def run(self) -> None:
        """Migrate once. Raises LinkDown while the database is away, SchemaTooNew if it is of a later Mordomo."""
        await upgrade(self.url)
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
