"""The proof of a dump: restored whole to a scratch server, which then holds table by table what the house's held.

The scratch server is one of our own beside the household's: a restore there costs the household's server nothing, and
adds nothing to its log of changes. A database with extensions that our own lacks is restored to a scratch database on
its own server instead.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from itertools import islice
from pathlib import Path
from uuid import uuid4

import asyncpg
import structlog

from db.backup.cluster import SCRATCH, scratch_cluster
from db.backup.contents import Contents, read_contents
from db.backup.folder import BackupBad, BackupFailed, Folder, Manifest, disk_trouble, sha256
from db.backup.programs import Programs, connection_to, pumped
from db.backup.source import Source, major_of, patient
from db.database import OwnConnection

log = structlog.get_logger(__name__)

TOLD = 5
"""So many differences are told; where there is one, there are often many."""
TRANSACTION_TIMEOUT = b"SET transaction_timeout = 0;"
"""What newer programs write into every restore, and servers before 17 do not know."""


async def verify(source: Source, folder: Folder, manifest: Manifest, now: datetime) -> Manifest:
    """Restore a dump to a scratch server and compare; write the verdict into its manifest and return it.

    Hold the folder. Raises BackupFailed where the dump is not good, or cannot be proved here.
    """
    dump = folder.dump(manifest.name)
    try:
        await _prove(source, folder, manifest, dump)
    except BackupFailed as failed:
        # A full disk or a missing program says nothing against a backup that was good before.
        if isinstance(failed, BackupBad) or not manifest.is_good:
            await asyncio.to_thread(folder.write, manifest.bad(str(failed)))
        log.warning("backup_not_verified", name=manifest.name, why=str(failed))
        raise
    good = manifest.good(now)
    await asyncio.to_thread(folder.write, good)
    log.info("backup_verified", name=manifest.name, tables=len(good.contents.tables))
    return good


async def _prove(source: Source, folder: Folder, manifest: Manifest, dump: Path) -> None:
    await intact(dump, manifest)
    async with _scratch(source, folder, manifest) as (url, programs):
        await restore_into(url, dump, programs)
        async with patient(url) as connection:
            same(manifest.contents, await contents_of(connection), manifest.name)


async def intact(dump: Path, manifest: Manifest) -> None:
    """Compare a dump with its checksum. Raises BackupFailed."""
    try:
        found = await asyncio.to_thread(sha256, dump)
    except OSError as broken:
        raise BackupFailed(disk_trouble(dump, broken)) from broken
    if found != manifest.sha256:
        raise BackupBad(
            f"A cópia {manifest.name} está corrompida: o arquivo mudou desde que foi gravado. "
            "Use outra, e confira o disco em que ela está."
        )


def same(before: Contents, after: Contents, name: str) -> None:
    """Raise BackupFailed where `after` is not what `before` was."""
    if told := list(islice(before.differences(after), TOLD)):
        raise BackupBad(f"A cópia {name} não voltou igual: {'; '.join(told)}. Não conte com ela.")


async def contents_of(connection: OwnConnection) -> Contents:
    """Return what a database holds now."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        return await read_contents(connection)


async def restore_into(url: str, dump: Path, programs: Programs, *, owners: bool = True) -> None:
    """Restore a dump into the empty database at `url`; `owners` restores owners and rights too. Raises BackupFailed."""
    options = () if owners else ("--no-owner", "--no-acl")
    async with patient(url) as connection:
        older = major_of(connection) < 17
    try:
        descriptor = os.open(dump, os.O_RDONLY)
    except OSError as broken:
        raise BackupFailed(disk_trouble(dump, broken)) from broken
    try:
        with connection_to(url, programs.account) as (plain, env):
            if older:
                await _restore_to_older(programs, plain, env, descriptor, options)
                return
            await programs.run(
                "pg_restore", "--exit-on-error", "--no-password", *options, f"--dbname={plain}",
                env=env, stdin=descriptor,
            )  # fmt: skip
    finally:
        os.close(descriptor)


async def _restore_to_older(
    programs: Programs, plain: str, env: dict[str, str], dump: int, options: Sequence[str]
) -> None:
    script = await programs.start("pg_restore", *options, "--file=-", stdin=dump, stdout=asyncio.subprocess.PIPE)
    sink = await programs.start(
        "psql", "--no-psqlrc", "--quiet", "--no-password", "--set=ON_ERROR_STOP=1", f"--dbname={plain}",
        env=env, stdin=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(pumped(script, sink, TRANSACTION_TIMEOUT))
            group.create_task(programs.finish("psql", sink))
            group.create_task(programs.finish("pg_restore", script))
    except* BackupFailed as failed:
        raise failed.exceptions[0] from None


@asynccontextmanager
async def _scratch(source: Source, folder: Folder, manifest: Manifest) -> AsyncIterator[tuple[str, Programs]]:
    """Give an empty database to restore to, and programs that reach it."""
    base, programs = await source.proving(folder.path)
    ours = {path.stem for path in (programs.folder.parent / "share/postgresql/extension").glob("*.control")}
    if not set(manifest.extensions) <= ours:
        async with _scratch_database(source) as url:
            yield url, await source.programs(int(manifest.server_version.split(".")[0]))
        return
    async with scratch_cluster(base, programs) as cluster:
        await cluster.initialise()
        await cluster.start(SCRATCH)
        async with patient(cluster.url("postgres")) as connection:
            known = {row[0] for row in await connection.fetch("SELECT rolname FROM pg_roles")}
            for role in set(manifest.roles) - known:
                await connection.execute(f'CREATE ROLE "{role.replace(chr(34), chr(34) * 2)}"')
            await connection.execute("CREATE DATABASE proof TEMPLATE template0")
        yield cluster.url("proof"), programs


@asynccontextmanager
async def _scratch_database(source: Source) -> AsyncIterator[str]:
    name = f"mordomo_prova_{uuid4().hex[:8]}"
    async with patient(source.url) as connection:
        try:
            await connection.execute(f"CREATE DATABASE {name} TEMPLATE template0")
        except asyncpg.InsufficientPrivilegeError as refused:
            raise BackupFailed(
                "Não posso provar a cópia: o banco tem extensões que só o servidor da casa tem, e o usuário do "
                "Mordomo não pode criar nele um banco de prova. Dê a ele esse direito (ALTER ROLE … CREATEDB)."
            ) from refused
        try:
            yield source.named(name)
        finally:
            await connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
