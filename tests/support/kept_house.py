"""A house whose embedded database is archived: its server, its backup folder, and turns to fill it."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import psutil

from db.backup.base import Base
from db.backup.dumps import take
from db.backup.folder import Folder, Manifest
from db.backup.rotation import Keep
from db.backup.routine import CONTINUOUS, back_up, copy_server
from db.backup.source import Source
from db.database import Database, open_database
from db.embedded import EmbeddedPostgres
from db.ledger import HeardMessage, NewAction, SaidMessage, new_id
from db.server_account import server_account
from db.upgrade import upgrade
from support.background import Background
from support.folders import short_folder

ZONE = ZoneInfo("America/Sao_Paulo")


@dataclass
class KeptHouse:
    """Its parts; `url` is set once the server runs."""

    path: Path
    url: str = ""

    def __post_init__(self) -> None:
        self.folder = Folder(self.path / "cópias 100%")
        self.continuous = self.folder.path / CONTINUOUS
        self.postgres = EmbeddedPostgres(self.path / "data", self.continuous)

    @property
    def source(self) -> Source:
        return Source(self.url, self.postgres)

    async def start(self) -> None:
        self.url = await self.postgres.start()

    async def back_up(self, now: datetime | None = None) -> Manifest:
        return await back_up(self.source, self.folder, Keep(), ZONE, now or datetime.now(UTC))

    async def dump(self, now: datetime | None = None) -> Manifest:
        """Make a dump that counts, unproved: for tests of what comes after the proof."""
        at = now or datetime.now(UTC)
        with self.folder.held():
            good = (await take(self.source, self.folder, at)).good(at)
            self.folder.write(good)
        return good

    async def copy_server(self) -> Base:
        """Copy the whole server, and prove the copy."""
        base = await copy_server(self.source, self.folder, Keep(), ZONE, datetime.now(UTC))
        assert base is not None
        return base

    @asynccontextmanager
    async def database(self) -> AsyncIterator[Database]:
        async with open_database(self.url) as db:
            yield db

    async def ask(self, query: str) -> object:
        async with self.database() as db:
            return await db.fetchval(query)

    async def tell(self, *texts: str) -> None:
        """Store messages in a conversation of their own."""
        async with self.database() as db:
            conversation = await db.fetchval("INSERT INTO conversations DEFAULT VALUES RETURNING id")
            for text in texts:
                await db.execute(
                    "INSERT INTO messages (conversation_id, role, content) VALUES ($1, 'user', $2)", conversation, text
                )

    async def told(self) -> set[str]:
        async with self.database() as db:
            return {row[0] for row in await db.fetch("SELECT content FROM messages")}

    def kill(self) -> None:
        """End the server as a power cut would, with all its processes."""
        postmaster = psutil.Process(int((self.postgres.cluster / "postmaster.pid").read_text().splitlines()[0]))
        everyone = [postmaster, *postmaster.children(recursive=True)]
        for process in everyone:
            with suppress(psutil.NoSuchProcess):  # the archiver's child may have ended by itself
                process.kill()
        psutil.wait_procs(everyone, timeout=10)

    def left_over(self) -> list[str]:
        """Return what no finished work leaves: half files, scratch servers. The server itself goes on archiving."""
        homes = (self.folder.path, self.postgres.home)
        patterns = ("*.part", "scratch-*", "recovered-*", "ready-*")
        found = (path for home in homes for pattern in patterns for path in home.rglob(pattern))
        return [str(path) for path in found if path.parent.name != "wal"]


@contextmanager
def made_house(background: Background) -> Iterator[Path]:
    """Give a house with a migrated database, stopped: to be copied, because making one is slow."""
    with short_folder() as path:
        house = KeptHouse(path)

        async def make() -> None:
            await house.start()
            await upgrade(house.url)
            await house.postgres.stop(only_if_unused=False)

        background.run(make())
        yield path


@asynccontextmanager
async def kept_house(made: Path) -> AsyncIterator[KeptHouse]:
    """Give a copy of a made house, with its server running; the disk is not waited for."""
    with short_folder() as path:
        copying = await asyncio.create_subprocess_exec("cp", "-a", f"{made}/.", path)
        assert await copying.wait() == 0
        house = KeptHouse(path)
        (await server_account(house.postgres.home)).write(house.postgres.cluster / "custom.conf", "fsync = off\n")
        await house.start()
        try:
            yield house
        finally:
            if house.postgres.running():
                await house.postgres.stop(only_if_unused=False)


def turn(text: str, at: datetime) -> tuple[HeardMessage, SaidMessage]:
    """Return a turn's two messages, with one action."""
    heard = HeardMessage(
        conversation_id=new_id(), message_id=new_id(), text=text, at=at,
        actions=(NewAction(new_id(), "iot_control", "turn_on", {"entity": "sala"}),),
    )  # fmt: skip
    return heard, SaidMessage(heard.conversation_id, new_id(), "Acendi a luz da sala.", at, 420)


async def child_named(name: str, within_s: float = 10) -> psutil.Process:
    """Wait until this process has a child of that name, and return it."""
    async with asyncio.timeout(within_s):
        while True:
            for child in psutil.Process().children():
                with suppress(psutil.NoSuchProcess):
                    if child.name() == name:
                        return child
            await asyncio.sleep(0.02)
