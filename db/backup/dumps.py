"""A dump: pg_dump's custom format, and what it must hold, both of one snapshot."""

import asyncio
import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import asyncpg
import structlog

from db.backup.contents import read_contents
from db.backup.folder import BackupFailed, Folder, Manifest, disk_trouble, move_into_place, sha256, stamp
from db.backup.programs import Programs, connection_to
from db.backup.source import LOCK_WAIT_S, Source, major_of, patient, snapshot
from db.database import OwnConnection

log = structlog.get_logger(__name__)

ROLES = """
    SELECT DISTINCT rolname FROM pg_shdepend JOIN pg_roles ON pg_roles.oid = refobjid
    WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND refclassid = 'pg_authid'::regclass
"""


@dataclass(frozen=True, slots=True)
class _Written:
    size: int
    sha256: str


async def take(source: Source, folder: Folder, now: datetime) -> Manifest:
    """Dump the database into the folder, which must be held; return its manifest, not yet verified.

    The transaction stays open until the dump and the checksums are done; nobody else waits for it. Raises BackupFailed,
    LinkDown, CannotStart. What fails leaves no file.
    """
    name = f"mordomo-{stamp(now)}"
    part = folder.path / f"{name}.dump.part"
    try:
        async with patient(source.url) as connection, snapshot(connection) as shared:
            programs = await source.programs(major_of(connection))
            written = await _dump(programs, source.url, shared, part)
            manifest = await _manifest(connection, name, now, written)
        with folder.translated():
            await asyncio.to_thread(move_into_place, part, folder.dump(name))
        await asyncio.to_thread(folder.write, manifest)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    log.info("backup_taken", name=name, bytes=manifest.size, rows=manifest.contents.rows)
    return manifest


async def _dump(programs: Programs, url: str, shared: str, part: Path) -> _Written:
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    except OSError as broken:
        raise BackupFailed(disk_trouble(part.parent, broken)) from broken
    try:
        with connection_to(url, programs.account) as (plain, env):
            await programs.run(
                "pg_dump", "--format=custom", f"--snapshot={shared}", f"--lock-wait-timeout={LOCK_WAIT_S}s",
                "--no-password", f"--dbname={plain}", env=env, stdout=descriptor,
            )  # fmt: skip
        await asyncio.to_thread(os.fsync, descriptor)
        return _Written(os.fstat(descriptor).st_size, await asyncio.to_thread(sha256, part))
    except OSError as broken:
        raise BackupFailed(disk_trouble(part.parent, broken)) from broken
    finally:
        os.close(descriptor)


async def _manifest(connection: OwnConnection, name: str, now: datetime, written: _Written) -> Manifest:
    revision = None
    if await connection.fetchval("SELECT to_regclass('alembic_version')") is not None:
        revision = await connection.fetchval("SELECT max(version_num) FROM alembic_version")
    extensions = await connection.fetch("SELECT extname FROM pg_extension ORDER BY 1")
    roles = await connection.fetch(ROLES)
    try:
        contents = await read_contents(connection)
    except asyncpg.InsufficientPrivilegeError as refused:
        raise BackupFailed(f"O usuário do banco não pode ler tudo o que há nele: {refused}") from refused
    return Manifest(
        name=name,
        taken_at=now,
        size=written.size,
        sha256=written.sha256,
        revision=revision,
        server_version=str(await connection.fetchval("SHOW server_version")),
        contents=contents,
        extensions=tuple(row[0] for row in extensions),
        roles=tuple(sorted(row[0] for row in roles)),
    )
