"""The schema's revision: what the database has, what this code knows, and the way from one to the other.

Alembic runs the migrations through SQLAlchemy, whose engine takes the connections that `db/database.py` opens: so a URL
is read in one place, by asyncpg. Alembic is imported only when there is something to migrate; a start with nothing to
do costs a few queries.
"""

import asyncio
import io
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import asyncpg
import structlog

from db.database import OwnConnection, connect, translated
from db.errors import MordomoError
from db.preference_check import install_check, install_check_sql
from db.preferences import seed_preferences, seed_preferences_sql
from db.roles import ensure_rights

if TYPE_CHECKING:
    from alembic.config import Config
    from sqlalchemy import Connection

log = structlog.get_logger(__name__)

REVISIONS = (
    "0001",
    "0002",
    "0003",
    "0004",
    "0005",
    "0006",
    "0007",
    "0008",
    "0009",
    "0010",
    "0011",
    "0012",
    "0013",
    "0014",
    "0015",
    "0016",
)
"""Every revision in `db/migrations/versions`, oldest first; the last is the one this code works with."""

MIGRATION_S = 600.0
"""Longest single statement of a migration, in seconds."""
TURN_S = 120.0
"""Longest wait for another process that is migrating, in seconds."""
RIGHTS = "SELECT grant_rights();"
VECTORS = "SELECT ensure_vectors()"
TURN_LOCK = 0x6D6F72646F6D6F
"""The advisory lock that whoever migrates holds: "mordomo" in ASCII."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How a migration waits for tables that others hold: `tries` times `lock_s`, with `pause_s` between (seconds).

    Each wait is short because everybody else's statements queue behind it.
    """

    lock_s: float = 3.0
    tries: int = 5
    pause_s: float = 1.0

    @property
    def setting(self) -> str:
        """The statement that has the server give up a wait after `lock_s`."""
        return f"SET lock_timeout = '{round(self.lock_s * 1000)}ms'"


PATIENT = Patience()


class SchemaTooNew(MordomoError):  # noqa: N818 - a state, as the rest of the tree
    """The database was migrated by a newer Mordomo than this one; the message says what to do, in Portuguese."""

    def __init__(self, revision: str) -> None:
        super().__init__(
            f"O banco de dados está na revisão {revision}, e este Mordomo só conhece até a {REVISIONS[-1]}. "
            "Atualize o Mordomo (git pull; make install), ou volte o banco com a versão que o atualizou "
            f"(mordomo db downgrade {REVISIONS[-1]})."
        )
        self.revision = revision


class SchemaBusy(MordomoError):  # noqa: N818
    """Somebody holds a table for so long that a migration gave up; nothing of that revision was applied."""

    def __init__(self) -> None:
        super().__init__(
            "Não consegui atualizar o banco de dados: outra transação está segurando as tabelas. "
            "Nenhum passo ficou pela metade; encerre a transação e tente de novo (mordomo db upgrade)."
        )


async def upgrade(
    url: str, patience: Patience = PATIENT, *, before: Callable[[], Awaitable[object]] | None = None
) -> None:
    """Migrate to the newest revision, install the check of preferences, seed those that are missing, give rights.

    `url` is the owner's, past any pooler. `before` is awaited when an existing schema is about to change: what it
    raises leaves the schema as it was. Safe to call from several processes at once, and inside a running event loop.
    Raises LinkDown, SchemaTooNew, SchemaBusy.
    """
    async with _turn(url, patience) as connection:
        revision = await _revision(connection)
        outdated = revision != REVISIONS[-1]
        if outdated:
            log.info("schema_upgrade", before=revision, to=REVISIONS[-1])
            if before is not None and revision is not None:
                await before()
            await _migrate(url, patience, lambda alembic, config: alembic.upgrade(config, "head"))
        await install_check(connection)
        await seed_preferences(connection)
        # A server may have come by pgvector since.
        indexed = await connection.fetchval(VECTORS)
        await ensure_rights(connection, migrated=outdated or indexed)


async def downgrade(url: str, revision: str, patience: Patience = PATIENT) -> None:
    """Take the schema back to `revision`; "base" is an empty database. What the later ones stored is lost.

    Raises LinkDown, SchemaTooNew, SchemaBusy; ValueError for a revision that does not exist.
    """
    if revision != "base" and revision not in REVISIONS:
        raise ValueError(f"não existe a revisão {revision}; existem: base, {', '.join(REVISIONS)}")
    async with _turn(url, patience) as connection:
        log.info("schema_downgrade", before=await _revision(connection), to=revision)
        await _migrate(url, patience, lambda alembic, config: alembic.downgrade(config, revision))


async def current(url: str) -> str | None:
    """Return the database's revision, or None where Mordomo has no schema yet. Raises LinkDown, SchemaTooNew."""
    with translated():
        connection = await connect(url)
        try:
            return await _revision(connection)
        finally:
            await connection.close(timeout=1)


def upgrade_sql() -> str:
    """Return, for review, the SQL that an upgrade from nothing runs: migrations, the check, the seeds."""
    from alembic import command  # noqa: PLC0415 - slow to import, and rarely needed

    text = io.StringIO()
    command.upgrade(alembic_config(output_buffer=text), "head", sql=True)
    return "\n".join((text.getvalue(), "BEGIN;", *install_check_sql(), seed_preferences_sql(), RIGHTS, "COMMIT;", ""))


def alembic_config(connection: "Connection | None" = None, output_buffer: io.StringIO | None = None) -> "Config":
    """Return alembic's configuration, on a connection, or offline where there is none."""
    from alembic.config import Config  # noqa: PLC0415

    config = Config(stdout=io.StringIO(), output_buffer=output_buffer)
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes.update(connection=connection, lock_timeout=PATIENT.setting)
    return config


@asynccontextmanager
async def engine_connection(url: str, patience: Patience = PATIENT) -> "AsyncIterator[Any]":
    """Yield SQLAlchemy's AsyncConnection to the database, with the migrations' time limits."""
    from sqlalchemy.ext.asyncio import create_async_engine  # noqa: PLC0415
    from sqlalchemy.pool import NullPool  # noqa: PLC0415

    ours: list[OwnConnection] = []

    async def opened() -> OwnConnection:
        ours.append(connection := await connect(url, command_timeout=MIGRATION_S, json_codec=False))
        await connection.execute(patience.setting)
        return connection

    engine = create_async_engine("postgresql+asyncpg://", async_creator=opened, poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            yield connection
    finally:
        await engine.dispose()
        for each in ours:  # cancelled in the middle of a statement, SQLAlchemy lets go of it without closing it
            each.terminate()


@asynccontextmanager
async def _turn(url: str, patience: Patience) -> AsyncIterator[OwnConnection]:
    """Yield a connection that holds the right to change the schema; another process waits for it."""
    with translated():
        connection = await connect(url, command_timeout=TURN_S)
        try:
            await connection.execute("SELECT pg_advisory_lock($1)", TURN_LOCK)
            await connection.execute(patience.setting)
            yield connection
        except asyncpg.LockNotAvailableError as error:
            raise SchemaBusy from error
        finally:
            # Closing gives the lock back, also when the server would not answer an unlock.
            await connection.close(timeout=1)


async def _revision(connection: OwnConnection) -> str | None:
    if await connection.fetchval("SELECT to_regclass('alembic_version')") is None:
        return None
    revision: str | None = await connection.fetchval("SELECT max(version_num) FROM alembic_version")
    if revision is not None and revision not in REVISIONS:
        raise SchemaTooNew(revision)
    return revision


async def _migrate(url: str, patience: Patience, order: Callable[[Any, "Config"], None]) -> None:
    """Give alembic an order on a connection of its own; try again while somebody holds a table."""
    from alembic import command  # noqa: PLC0415
    from sqlalchemy.exc import DBAPIError  # noqa: PLC0415

    for _ in range(patience.tries):
        try:
            async with engine_connection(url, patience) as connection:
                await connection.run_sync(lambda sync: order(command, alembic_config(sync)))
        except DBAPIError as error:
            root = _root(error)
            if not isinstance(root, asyncpg.LockNotAvailableError):
                raise root from error
            log.warning("schema_busy", retry_in_s=patience.pause_s)
            await asyncio.sleep(patience.pause_s)
        else:
            return
    raise SchemaBusy


def _root(error: BaseException) -> BaseException:
    """Return what asyncpg raised, beneath what SQLAlchemy made of it."""
    while error.__cause__ is not None:
        error = error.__cause__
    return error
