"""A dump back in the place of the database: restored beside it, compared, and then the two change names.

The database that was there stays, under a name of its own, until somebody drops it.
"""

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import unquote, urlsplit

import asyncpg
import structlog

from db.backup.folder import BackupFailed, Folder, Manifest, stamp
from db.backup.source import Source, major_of, patient, superuser
from db.backup.verification import contents_of, intact, restore_into, same
from db.database import OwnConnection
from db.upgrade import REVISIONS

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Restored:
    """What came of it: `copy` is the name of the database that was there before.

    `without` names the roles that this server lacks; where there are any, no owners and rights were restored.
    """

    manifest: Manifest
    copy: str
    without: tuple[str, ...]


async def restore(source: Source, folder: Folder, manifest: Manifest, now: datetime) -> Restored:
    """Put a dump in the place of the database. Hold the folder; no daemon may run.

    Raises BackupFailed with the database as it was.
    """
    if manifest.revision is not None and manifest.revision not in REVISIONS:
        raise BackupFailed(
            f"A cópia {manifest.name} é de um Mordomo mais novo (tabelas {manifest.revision}). Atualize este primeiro."
        )
    await intact(folder.dump(manifest.name), manifest)
    name = unquote(urlsplit(source.url).path.lstrip("/"))
    fresh, copy = f"{name}_fresh_{stamp(now).lower()}", f"{name}_before_{stamp(now).lower()}"
    async with patient(source.named("postgres")) as connection:
        missing = await _missing_roles(connection, manifest)
        owners = not missing and await superuser(connection)
        await _create(connection, fresh)
        try:
            programs = await source.programs(major_of(connection))
            await restore_into(source.named(fresh), folder.dump(manifest.name), programs, owners=owners)
            async with patient(source.named(fresh)) as restored:
                same(manifest.contents, await contents_of(restored), manifest.name)
            await _change_names(connection, name, copy, fresh)
        except BaseException:
            await connection.execute(f"DROP DATABASE IF EXISTS {_quoted(fresh)} WITH (FORCE)")
            raise
    log.info("restored", name=manifest.name, copy=copy)
    return Restored(manifest, copy, tuple(sorted(missing)))


async def _missing_roles(connection: OwnConnection, manifest: Manifest) -> set[str]:
    known = await connection.fetch("SELECT rolname FROM pg_roles")
    return set(manifest.roles) - {row[0] for row in known}


async def _create(connection: OwnConnection, fresh: str) -> None:
    try:
        await connection.execute(f"CREATE DATABASE {_quoted(fresh)} TEMPLATE template0")
    except asyncpg.InsufficientPrivilegeError as refused:
        raise BackupFailed(
            "O usuário do Mordomo não pode criar bancos neste servidor. "
            "Dê a ele esse direito (ALTER ROLE … CREATEDB) e tente de novo. Nada foi mudado."
        ) from refused


async def _change_names(connection: OwnConnection, name: str, copy: str, fresh: str) -> None:
    """Change both names in one transaction, once whoever is connected has been sent away."""
    sent = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = $1 AND pid <> pg_backend_pid()"
    try:
        await connection.fetch(sent, name)
        async with connection.transaction():
            await connection.execute(f"ALTER DATABASE {_quoted(name)} RENAME TO {_quoted(copy)}")
            await connection.execute(f"ALTER DATABASE {_quoted(fresh)} RENAME TO {_quoted(name)}")
    except asyncpg.ObjectInUseError as used:
        raise BackupFailed(
            f"Outro programa não larga o banco {name}. Feche-o e tente de novo. Nada foi mudado."
        ) from used
    except asyncpg.InsufficientPrivilegeError as refused:
        raise BackupFailed(
            f"O usuário do Mordomo não é dono do banco {name}, e não pode trocá-lo. Nada foi mudado."
        ) from refused


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
