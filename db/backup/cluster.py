"""A database server of our own beside the household's: to prove a backup in, or to recover into. Local socket only."""

import asyncio
import os
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from urllib.parse import quote

import asyncpg
import psutil

from db.backup.folder import BackupFailed
from db.backup.programs import NICE, Programs, trouble
from db.embedded_settings import ACCESS, SETTINGS, conf_text, users_map

USER = "mordomo"
START_S = 600
"""Longest wait for a server that recovers, in seconds."""
STOP_S = 60
NICELY = ("nice", "-n", str(NICE)) if shutil.which("nice") else ()
"""Begins each command, for the server that it starts to leave the processor to speech as well."""
TEMPORARY, SOCKET = Path("/tmp"), "mordomo-pg-"  # noqa: S108 - mkdtemp's folders in it are ours alone
AWAY = (OSError, TimeoutError, asyncpg.PostgresConnectionError, asyncpg.OperatorInterventionError)
"""How asyncpg says that a server is not there yet, or recovers."""
SCRATCH = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "autovacuum": "off",
    "shared_buffers": "32MB",
    "logging_collector": "off",
    "archive_mode": "off",
}
"""What a server is to be spared whose data nobody will miss: it writes no log of changes worth keeping."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """A server whose files lie in `home/data`, run by `programs`' user, who owns `home`."""

    home: Path
    programs: Programs

    @property
    def data(self) -> Path:
        """Its files."""
        return self.home / "data"

    @property
    def log(self) -> str:
        """The end of what it logged."""
        with suppress(OSError):
            return (self.home / "server.log").read_text(errors="replace")[-2000:]
        return ""

    def url(self, database: str) -> str:
        """Return its libpq URL."""
        return f"postgresql://{USER}@/{database}?host={quote(str(self.socket))}"

    @property
    def socket(self) -> Path:
        """The folder of its socket. Not below `home`, whose path may be too long for one (sun_path, unix(7))."""
        return _socket_of(self.home)

    async def initialise(self) -> None:
        """Make an empty one. Raises BackupFailed."""
        await self._must(
            "initdb", "-D", self.data, "-U", USER, "--auth=peer", "--encoding=UTF8", "--locale=C",
            "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-instructions", "--no-sync",
        )  # fmt: skip

    async def start(self, settings: Mapping[str, str]) -> None:
        """Start it, with `settings` over those of every server of ours, and wait for it. Raises BackupFailed."""
        account = self.programs.account
        socket = Path(tempfile.mkdtemp(prefix=SOCKET, dir=TEMPORARY))
        account.own(socket)
        account.write(self.home / "socket-folder", str(socket))
        own = {"unix_socket_directories": f'"{socket}"'}
        account.write(self.data / "postgresql.conf", conf_text({**SETTINGS, **settings, **own}))
        account.write(self.data / "pg_hba.conf", ACCESS)
        account.write(self.data / "pg_ident.conf", users_map({_name(account.uid), "root"}))
        account.write(self.home / "server.log", "")
        try:
            await self._must(
                "pg_ctl", "start", "-D", self.data, "-l", self.home / "server.log", "-w", "-t", str(START_S)
            )
            await self._accepting()
        except BackupFailed as failed:
            await self.stop("immediate")
            raise BackupFailed(f"{failed} {self.log[-600:]}") from None

    async def stop(self, mode: str = "fast") -> None:
        """Stop it in PostgreSQL's `mode` (fast, immediate), if it runs. Raises BackupFailed where it does not obey."""
        if (self.data / "postmaster.pid").exists():
            with suppress(BackupFailed):
                await self._must("pg_ctl", "stop", "-D", self.data, "-m", mode, "-w", "-t", str(STOP_S))
        with suppress(OSError):
            shutil.rmtree(self.socket)

    async def _accepting(self) -> None:
        """Wait until it takes connections: pg_ctl also returns while a recovery goes on."""
        deadline = monotonic() + START_S
        while monotonic() < deadline:
            with suppress(*AWAY):
                await (await asyncpg.connect(self.url("postgres"), timeout=5)).close()
                return
            if not (self.data / "postmaster.pid").exists():
                raise BackupFailed("O servidor parou no meio da recuperação.")
            await asyncio.sleep(0.05)
        raise BackupFailed(f"O servidor não respondeu em {START_S} s.")

    async def _must(self, program: str, *arguments: str | Path) -> None:
        command = (*NICELY, self.programs.folder / program, *arguments)
        status, said = await self.programs.account.run(*command, cwd=Path("/"))
        if status:
            raise BackupFailed(trouble(program, status, said.strip()))


@asynccontextmanager
async def scratch_cluster(base: Path, programs: Programs) -> AsyncIterator[Cluster]:
    """Give a folder below `base` for a cluster that is stopped and removed afterwards. Raises BackupFailed."""
    try:
        home = Path(tempfile.mkdtemp(prefix="scratch-", dir=base))
        programs.account.own(home)
    except OSError as broken:
        raise BackupFailed(f"Não consigo criar uma pasta de prova em {base}: {broken.strerror}.") from broken
    cluster = Cluster(home, programs)
    try:
        yield cluster
    finally:
        await cluster.stop("immediate")
        await asyncio.to_thread(shutil.rmtree, home, ignore_errors=True)


def sweep_scratch(base: Path) -> None:
    """End and remove the scratch servers that a killed backup left. Hold the backup folder."""
    for home in base.glob("scratch-*"):
        with suppress(OSError, ValueError, IndexError, psutil.Error):
            process = psutil.Process(int((home / "data" / "postmaster.pid").read_text().splitlines()[0]))
            if Path(process.cwd()) == (home / "data").resolve():
                process.send_signal(signal.SIGQUIT)
                process.wait(10)
        with suppress(OSError):
            shutil.rmtree(_socket_of(home))
        shutil.rmtree(home, ignore_errors=True)


def _socket_of(home: Path) -> Path:
    """Return the folder of a cluster's socket, as noted when it started. Raises OSError."""
    folder = Path((home / "socket-folder").read_text())
    # The server's user can write there, and we may be root and about to remove what is named.
    if folder.parent != TEMPORARY or not folder.name.startswith(SOCKET):
        raise OSError(f"{folder} is no folder of a socket")
    return folder


def _name(uid: int) -> str:
    import pwd  # noqa: PLC0415 - only here

    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(os.geteuid())
