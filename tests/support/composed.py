"""docker-compose.yml's PostgreSQL and its archive, run by Debian's server: its command, its settings, its scripts.

What the images have at fixed places lies in folders of ours instead; all else is what the file says.
"""

import asyncio
import os
import pwd
import shutil
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import psutil
import yaml

from db.server_account import Account
from support.background import Background
from support.folders import short_folder
from support.postgres import DEBIAN

ROOT = Path(__file__).parents[2]
SCRIPTS = ("archive-keeper.sh", "archive-segment.sh", "fetch-segment.sh", "postgresql.conf")
ZONE = "America/Sao_Paulo"


@dataclass
class Composed:
    """One such server below `home`, run as `account`; `path` is where its programs are looked for."""

    home: Path
    account: Account
    path: str
    services: dict[str, Any]

    @property
    def data(self) -> Path:
        return self.home / "volume" / "pgdata"

    @property
    def archive(self) -> Path:
        return self.home / "archive"

    @property
    def url(self) -> str:
        return f"postgresql://mordomo@/postgres?host={self.home / 'run'}"

    async def made(self, cluster: Path | None = None) -> None:
        """Make the volumes and the server's files, as the image does at its first start; or take a copy of a cluster."""
        for name in ("volume", "archive", "run", "etc"):
            (self.home / name).mkdir(mode=0o700)
        for name in SCRIPTS:
            shutil.copy(ROOT / "config" / name, self.home / "etc")
            (self.home / "etc" / name).chmod(0o644)
        for path in (self.home, *self.home.rglob("*")):
            self.account.own(path)
        if cluster is not None:
            await self.must("cp", "-a", str(cluster), str(self.data))
            return
        options = self.services["postgres"]["environment"]["POSTGRES_INITDB_ARGS"].split()
        await self.must("initdb", "--username=mordomo", f"--pgdata={self.data}", *options)

    async def start(self) -> None:
        """Start it with compose's command. The disk is not waited for: tests kill servers, never the machine."""
        program, *arguments = (self._placed(word) for word in self.services["postgres"]["command"])
        assert program == "postgres"
        own = {
            "fsync": "off",
            "listen_addresses": "",
            "unix_socket_directories": str(self.home / "run"),
            "port": "5432",
        }
        words = [*arguments, *(word for name, value in own.items() for word in ("-c", f"{name}={value}"))]
        options = " ".join(f"'{word}'" for word in words)
        await self.must("pg_ctl", "start", "-D", str(self.data), "-w", "-l", str(self.home / "log"), "-o", options)

    async def stop(self) -> None:
        await self.must("pg_ctl", "stop", "-D", str(self.data), "-m", "fast", "-w")

    def kill(self) -> None:
        """End it as a power cut would."""
        pid = int((self.data / "postmaster.pid").read_text().splitlines()[0])
        everyone = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
        for process in everyone:
            with suppress(psutil.NoSuchProcess):  # a worker may have ended by itself
                process.kill()
        psutil.wait_procs(everyone, timeout=10)

    async def keeper(self, *words: str) -> tuple[int, str]:
        """Run the service `archive` with these words; return its status and what it said."""
        return await self.run(*self._keeper(*words), SCRIPTS=str(self.home / "etc"), ARCHIVE=str(self.archive))

    @asynccontextmanager
    async def service(self) -> AsyncIterator[asyncio.subprocess.Process]:
        """Run the service `archive` as compose does, until the end of the body."""
        command = self._keeper(*self.services["archive"]["command"])
        process = await self._begun(
            command, asyncio.subprocess.DEVNULL, SCRIPTS=str(self.home / "etc"), ARCHIVE=str(self.archive)
        )
        try:
            yield process
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()

    async def must(self, *command: str) -> None:
        status, said = await self.run(*command)
        assert status == 0, said

    async def run(self, *command: str, **more: str) -> tuple[int, str]:
        """Run a program in the environment that compose gives its containers."""
        with (self.home / "said").open("w+b") as said:  # a file: a server that was started would hold a pipe open
            process = await self._begun(command, said.fileno(), **more)
            status = await process.wait()
            said.seek(0)
            return status, said.read().decode()

    async def _begun(self, command: Sequence[str], output: int, **more: str) -> asyncio.subprocess.Process:
        env = {
            "PATH": self.path, "PGUSER": self.services["archive"]["environment"]["PGUSER"], "PGDATA": str(self.data),
            "PGSOCKETS": str(self.home / "run"), "TZ": ZONE, **more,
        }  # fmt: skip
        switch = self.account.switch
        program = shutil.which(command[0], path=self.path)
        assert program is not None, command[0]
        return await asyncio.create_subprocess_exec(
            program, *command[1:], cwd="/", env=env, stdin=asyncio.subprocess.DEVNULL, stdout=output, stderr=output,
            user=self.account.uid if switch else None, group=self.account.gid if switch else None,
            extra_groups=[] if switch else None,
        )  # fmt: skip

    def _keeper(self, *words: str) -> list[str]:
        return [*(self._placed(word) for word in self.services["archive"]["entrypoint"]), *words]

    @asynccontextmanager
    async def connected(self) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
        connection = await asyncpg.connect(self.url)
        try:
            yield connection
        finally:
            await connection.close()

    def _placed(self, word: str) -> str:
        return word.replace("/etc/postgresql", str(self.home / "etc")).replace("/archive/wal", f"{self.archive}/wal")


@contextmanager
def house_of(tools: Path | None) -> Iterator[Composed]:
    """Give the house without its files. `tools` is a folder of the shell's programs, if not the system's own."""
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    user = pwd.getpwnam("postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name)
    account = Account(user.pw_name, user.pw_uid, user.pw_gid, switch=os.geteuid() == 0)
    path = os.pathsep.join([str(DEBIAN[-1].parent), str(tools) if tools else os.defpath])
    with short_folder() as folder:
        house = Composed(folder / "home", account, path, services)
        house.home.mkdir(mode=0o700)
        yield house


@contextmanager
def made_cluster(background: Background) -> Iterator[Path]:
    """Give the server's files as they are before its first start: to be copied, because making them is slow."""
    with house_of(None) as house:
        background.run(house.made())
        yield house.data


@asynccontextmanager
async def composed(tools: Path | None, cluster: Path) -> AsyncIterator[Composed]:
    """Give compose's server, running on a copy of a cluster."""
    with house_of(tools) as house:
        await house.made(cluster)
        await house.start()
        try:
            yield house
        finally:
            if (house.data / "postmaster.pid").exists():
                await house.stop()
