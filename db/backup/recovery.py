"""Our own server as it was at a moment: recovered beside the present one, looked through, and put in its place.

The present one is never written to: it is moved aside whole, and stays there until somebody removes it.
"""

import asyncio
import ctypes
import os
import shutil
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import structlog

from db.backup import wal
from db.backup.base import Base, all_bases, begin_timeline, timeline_at, unpack
from db.backup.cluster import Cluster
from db.backup.contents import Contents
from db.backup.folder import BackupFailed, disk_trouble, stamp, sync_folder
from db.backup.source import own_programs, patient
from db.backup.verification import contents_of
from db.database import OwnConnection
from db.embedded import DATABASE, READY, EmbeddedPostgres
from db.errors import LinkDown
from db.server_account import Account, CannotStart, claim_folder
from db.upgrade import current

log = structlog.get_logger(__name__)

ARCHIVED_S = 30.0
"""How long the last changes are waited for to reach the archive; the old server's own files hold them as well."""
BEFORE = "before-"
TOO_SHORT = "recovery ended before configured recovery target was reached"
EXCHANGE, HERE = 2, -100
"""RENAME_EXCHANGE and AT_FDCWD of renameat2(2)."""


@dataclass(frozen=True, slots=True)
class Recovered:
    """What came of it. `last` is the last change that was replayed; `whole` tells whether the log reached the moment.

    `copy` is where the server lies that was there before; None where there was none.
    """

    base: Base
    contents: Contents
    last: datetime | None
    whole: bool
    copy: Path | None


@dataclass(frozen=True, slots=True)
class _Replayed:
    whole: bool
    last: datetime | None
    timeline: int
    contents: Contents


async def recover(postgres: EmbeddedPostgres, continuous: Path, at: datetime, now: datetime) -> Recovered:
    """Bring our own server back to how it was at `at`. No daemon may run. It is stopped before and afterwards.

    Every change committed by `at` is there, none later. Raises BackupFailed with the present server untouched.
    """
    if at > now:
        raise BackupFailed("Esse momento ainda não chegou. Escolha um que já passou.")
    base = base_for(continuous, at)
    home = postgres.home / f"recovered-{stamp(now)}"
    archived = True
    if postgres.cluster.exists():
        archived = await _last_changes_archived(postgres)
        if not await postgres.stop(only_if_unused=False):
            raise BackupFailed("O banco não quis parar. Tente de novo.")
    await claim_folder(postgres.home)  # the disk may be new
    programs = await own_programs(postgres)
    try:
        home.mkdir(mode=0o700)
        programs.account.own(home)
        cluster = Cluster(home, programs)
        await asyncio.to_thread(_give, base.own, programs.account)
        await unpack(base, cluster)
        replayed = await _replayed(cluster, base, postgres.cluster / "pg_wal", at)
        copy = await asyncio.to_thread(_put_in_place, cluster.data, postgres, now)
        begin_timeline(programs.account, base.own, replayed.timeline, now)
        if not archived:  # what only the replaced server holds is a gap, once that is removed
            (postgres.home / wal.GAP).touch()
    except OSError as broken:
        raise BackupFailed(disk_trouble(postgres.home, broken)) from broken
    finally:
        shutil.rmtree(home, ignore_errors=True)
    log.info("recovered", at=str(at), last=str(replayed.last), copy=str(copy))
    return Recovered(base, replayed.contents, replayed.last, replayed.whole, copy)


def base_for(continuous: Path, at: datetime) -> Base:
    """Return the base backup from which the way to `at` is the shortest. Raises BackupFailed."""
    good = [each for each in all_bases(continuous) if each.is_good]
    for each in good:
        if each.ended_at <= at:
            return each
    if good:
        since = good[-1].ended_at.astimezone(at.tzinfo)
        raise BackupFailed(
            f"Só consigo voltar a momentos depois de {since:%d/%m/%Y às %H:%M}. "
            "Para antes disso há as cópias diárias: mordomo backup list."
        )
    raise BackupFailed("Ainda não há cópia do servidor inteiro. Faça a primeira com `mordomo backup now`.")


def replaced_servers(postgres: EmbeddedPostgres) -> list[Path]:
    """Return where the servers lie that recoveries have replaced, the oldest first."""
    return sorted(postgres.home.glob(f"{BEFORE}*"))


async def _last_changes_archived(postgres: EmbeddedPostgres) -> bool:
    """Have the present server archive what it still holds; one that cannot start any more keeps it in its files."""
    try:
        url = await postgres.start()
        async with patient(url) as connection:
            # A commit of its own marks the end of the log: the recovery then knows that no change is missing.
            await connection.execute("SELECT pg_current_xact_id()")
            segment = await connection.fetchval("SELECT pg_walfile_name(pg_switch_wal())")
            async with asyncio.timeout(ARCHIVED_S):
                while not await _archived(connection, segment):
                    pass
    except (BackupFailed, CannotStart, LinkDown, TimeoutError) as away:
        log.warning("last_changes_not_archived", why=str(away))
        return False
    return True


async def _archived(connection: OwnConnection, segment: str) -> bool:
    if await connection.fetchval("SHOW archive_mode") == "off":
        return True
    query = "SELECT last_archived_wal >= $1 FROM pg_stat_archiver, pg_sleep(0.1)"
    return bool(await connection.fetchval(query, segment))


async def _replayed(cluster: Cluster, base: Base, rest: Path, at: datetime) -> _Replayed:
    """Replay the log up to `at` and look through what the database holds then."""
    account = cluster.programs.account
    common = {
        **wal.archiving(account, cluster.home, cluster.data, base.own.parent),
        **wal.fetching(account, cluster.home, base.own, rest),
        "hot_standby": "off",
        "logging_collector": "off",
        "recovery_target_timeline": str(timeline_at(base, at)),
    }
    account.write(cluster.data / "recovery.signal", "")
    whole = True
    try:
        target = {"recovery_target_time": at.isoformat(), "recovery_target_action": "promote"}
        await cluster.start({**common, **target})
    except BackupFailed:
        if TOO_SHORT not in cluster.log:
            raise
        whole = False
        await cluster.start(common)
    try:
        url = cluster.url(DATABASE)
        await current(url)  # raises SchemaTooNew
        async with patient(url) as connection:
            last = await connection.fetchval("SELECT pg_last_xact_replay_timestamp()")
            segment: str = await connection.fetchval("SELECT pg_walfile_name(pg_current_wal_insert_lsn())")
            return _Replayed(whole, last, int(segment[:8], 16), await contents_of(connection))
    finally:
        await cluster.stop()


def _give(own: Path, account: Account) -> None:
    """Let the server's user read an archive that may come from elsewhere: what it cannot read would seem absent."""
    if account.switch:
        for path in (own.parent, own, *own.rglob("*")):
            account.own(path)


def _put_in_place(fresh: Path, postgres: EmbeddedPostgres, now: datetime) -> Path | None:
    """Put `fresh` where the server's files are; return where those lie now. Raises OSError.

    Killed between two renames, a start finds no server but one that is ready, and says so (EmbeddedPostgres).
    """
    for name in ("recovery.signal", "backup_label.old", "tablespace_map.old"):
        (fresh / name).unlink(missing_ok=True)
    # Out of the folder that is removed afterwards: from here on nothing may be lost, whichever of the two it is.
    ready = postgres.home / f"{READY}{stamp(now)}"
    copy = postgres.home / f"{BEFORE}{stamp(now)}"
    fresh.rename(ready)
    if not postgres.cluster.exists():
        ready.rename(postgres.cluster)
        sync_folder(postgres.home)
        return None
    if _exchanged(ready, postgres.cluster):
        ready.rename(copy)
    else:
        postgres.cluster.rename(copy)
        ready.rename(postgres.cluster)
    sync_folder(postgres.home)
    return copy


def _exchanged(one: Path, other: Path) -> bool:
    """Exchange two folders in one step, so that no power cut finds neither; False where the system cannot."""
    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except AttributeError:
        return False
    return bool(rename(HERE, os.fsencode(one), HERE, os.fsencode(other), EXCHANGE) == 0)
