"""The database that is kept safe: where it is, and which programs reach it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from db.backup.contents import own_tables
from db.backup.folder import BackupFailed
from db.backup.programs import Programs, programs_for
from db.database import AWAY, OwnConnection, connect, translated
from db.embedded import EmbeddedPostgres
from db.server_account import closed_folder, packaged_programs, server_account, usable_programs

LOCK_WAIT_S = 60
"""How long a backup waits for tables that a migration holds, in seconds."""
LONGEST_S = 6 * 3600.0
"""Longest single statement of a backup, in seconds."""


@dataclass(frozen=True, slots=True)
class Source:
    """A database by its URL; `postgres` is the server where it is our own."""

    url: str
    postgres: EmbeddedPostgres | None

    async def programs(self, server_major: int) -> Programs:
        """Return programs that dump this server. Raises BackupFailed, CannotStart."""
        if self.postgres is None:
            return await programs_for(self.url, server_major)
        return await own_programs(self.postgres)

    async def proving(self, folder: Path) -> tuple[Path, Programs]:
        """Return where a scratch server may lie, and the programs that run it. Raises BackupFailed, CannotStart."""
        if self.postgres is not None:
            return self.postgres.home, await own_programs(self.postgres)
        account = await server_account(folder / "proof")
        if (closed := await closed_folder(folder, account)) is not None:
            raise BackupFailed(
                f"A pasta {closed} não deixa passar o usuário {account.name}, que prova as cópias no lugar do root. "
                f"Escolha outra com MORDOMO_BACKUP_DIR, ou abra-a: chmod o+x {closed}"
            )
        return folder, Programs(await usable_programs(account, folder, packaged_programs()), account)

    def named(self, database: str) -> str:
        """Return the URL of another database of the same server."""
        parts = urlsplit(self.url)
        return urlunsplit((parts.scheme, parts.netloc, f"/{database}", parts.query, ""))


async def own_programs(postgres: EmbeddedPostgres) -> Programs:
    """Return the programs of our own server, run by its own user. Raises CannotStart."""
    account = await server_account(postgres.home)
    return Programs(await postgres.programs(account), account)


@asynccontextmanager
async def patient(url: str) -> AsyncIterator[OwnConnection]:
    """Give a connection whose statements may take long. Raises LinkDown, and BackupFailed for what it is refused."""
    with translated():
        connection = await connect(url, command_timeout=LONGEST_S)
        try:
            yield connection
        except AWAY:
            raise
        except asyncpg.PostgresError as refused:
            raise BackupFailed(f"O banco respondeu com um erro: {refused}") from refused
        finally:
            await connection.close(timeout=2)


@asynccontextmanager
async def snapshot(connection: OwnConnection) -> AsyncIterator[str]:
    """Hold one view of the database meanwhile; give its name, by which another connection can share it.

    Its tables stay meanwhile too: a partition whose time is over is dropped afterwards.
    """
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        await connection.execute("SET LOCAL statement_timeout = 0")
        await connection.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        await connection.execute(f"SET LOCAL lock_timeout = '{LOCK_WAIT_S}s'")
        if tables := await own_tables(connection):
            await connection.execute(f"LOCK TABLE ONLY {', ONLY '.join(tables)} IN ACCESS SHARE MODE")
        name: str = await connection.fetchval("SELECT pg_export_snapshot()")
        yield name


def major_of(connection: OwnConnection) -> int:
    """Return the server's major version."""
    return connection.get_server_version().major


async def superuser(connection: "asyncpg.Connection[asyncpg.Record]") -> bool:
    """Tell whether the connection's role may do all."""
    return bool(await connection.fetchval("SELECT rolsuper FROM pg_roles WHERE rolname = current_user"))
