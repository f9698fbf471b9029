"""All of a backup in order: dump, proof, rotation, and once a week the whole server; and how things stand."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import structlog

from db.backup.base import Base, bases, prune_bases, take_base
from db.backup.cluster import sweep_scratch
from db.backup.dumps import take
from db.backup.folder import BackupFailed, Folder, Manifest, write_whole
from db.backup.rotation import Keep, unneeded
from db.backup.source import Source
from db.backup.verification import verify
from db.backup.wal import GAP, system_identifier
from db.errors import LinkDown, MordomoError
from db.server_account import CannotStart

log = structlog.get_logger(__name__)

CONTINUOUS = "continuous"
BASE_EVERY = timedelta(days=7) - timedelta(hours=1)
CLOCK_SLACK = timedelta(minutes=5)
STALE = timedelta(hours=26)
"""A house without a good backup for longer is told."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What a folder remembers between runs, in `state.json`: since when backups are made there, and the last failure.

    `told_at` is when the household was last told of trouble; `zone` is the name of its time zone at the last backup.
    """

    since: datetime | None = None
    failed_at: datetime | None = None
    why: str = ""
    told_at: datetime | None = None
    zone: str = ""


async def back_up(source: Source, folder: Folder, keep: Keep, zone: ZoneInfo, now: datetime) -> Manifest:
    """Make a backup, prove it, let the old ones go; return it. With our own server, copy that too when a week is over.

    Raises BackupFailed, LinkDown, CannotStart; whatever fails, the older backups stay as they are.
    """
    with _kept_in_mind(folder, zone, now):
        await _sweep(source, folder)
        good = await verify(source, folder, await take(source, folder, now), now)
        await asyncio.to_thread(_rotate, folder, keep, zone, now)
        await _base_when_due(source, folder, keep.bases, now)
        return good


async def copy_server(source: Source, folder: Folder, keep: Keep, zone: ZoneInfo, now: datetime) -> Base | None:
    """Copy the whole of our own server if that is due, where the night's dump is good already. Raises as back_up."""
    with _kept_in_mind(folder, zone, now):
        await _sweep(source, folder)
        return await _base_when_due(source, folder, keep.bases, now)


@contextmanager
def _kept_in_mind(folder: Folder, zone: ZoneInfo, now: datetime) -> Iterator[None]:
    """Hold the folder, and have it remember how the work in it ended."""
    with folder.held():
        begun(folder, now)
        try:
            yield
        except (BackupFailed, LinkDown, CannotStart) as failed:
            with suppress(BackupFailed):
                remember(folder, replace(standing(folder), failed_at=now, why=_sentence(failed)))
            raise
        remember(folder, replace(standing(folder), failed_at=None, why="", zone=str(zone)))


async def prove(source: Source, folder: Folder, manifest: Manifest, now: datetime) -> Manifest:
    """Prove a backup once more. Raises BackupFailed where it is not good, or cannot be proved now."""
    with folder.held():
        await _sweep(source, folder)
        return await verify(source, folder, manifest, now)


def own_archive(source: Source, folder: Folder) -> Path | None:
    """Return the archive of our own server, or None where the server is not ours."""
    if source.postgres is None or not source.postgres.cluster.exists():
        return None
    return folder.path / CONTINUOUS / system_identifier(source.postgres.cluster)


def newest_good(folder: Folder, now: datetime) -> Manifest | None:
    """Return the newest backup that counts. One of tomorrow was made while the clock was wrong, and tells nothing."""
    return next((each for each in folder.all() if each.is_good and each.taken_at <= now + CLOCK_SLACK), None)


def begun(folder: Folder, now: datetime) -> None:
    """Write down that backups are made in this folder, the first time. Raises BackupFailed."""
    folder.make()
    if standing(folder).since is None:
        remember(folder, replace(standing(folder), since=now))


def standing(folder: Folder) -> Standing:
    """Return what the folder remembers."""
    with suppress(OSError, ValueError, TypeError, AttributeError):
        raw = json.loads((folder.path / "state.json").read_text(encoding="utf-8"))
        for moment in ("since", "failed_at", "told_at"):
            raw[moment] = datetime.fromisoformat(raw[moment]) if raw.get(moment) else None
        return Standing(**raw)
    return Standing()


def remember(folder: Folder, state: Standing) -> None:
    """Write down what the folder shall remember. Raises BackupFailed."""
    with folder.translated():
        write_whole(folder.path / "state.json", json.dumps(asdict(state), default=str, ensure_ascii=False))


def trouble(folder: Folder, now: datetime) -> str:
    """Return in Portuguese why the household cannot rely on its backups; empty where it can."""
    state, good = standing(folder), newest_good(folder, now)
    if state.failed_at is not None and (good is None or state.failed_at >= good.taken_at):
        return state.why
    if good is not None and now - good.taken_at <= STALE:
        return ""
    if good is not None:
        return f"a última cópia boa é de {(now - good.taken_at).days or 1} dia(s) atrás"
    if state.since is None or now - state.since <= STALE:
        return ""
    return "ainda não há nenhuma cópia boa"


async def _sweep(source: Source, folder: Folder) -> None:
    with folder.translated():
        await asyncio.to_thread(folder.sweep)
    await asyncio.to_thread(sweep_scratch, folder.path)
    if source.postgres is not None:
        await asyncio.to_thread(sweep_scratch, source.postgres.home)


async def _base_when_due(source: Source, folder: Folder, keep: int, now: datetime) -> Base | None:
    own = own_archive(source, folder)
    if own is None or source.postgres is None:
        return None
    newest = next((each for each in bases(own) if each.is_good), None)
    gap = (source.postgres.home / GAP).exists()
    if newest is not None and not gap and timedelta(0) <= now - newest.taken_at < BASE_EVERY:
        return None
    taken = await take_base(source.postgres, source.url, own, now)
    with folder.translated():
        await asyncio.to_thread(prune_bases, own, keep)
    return taken


def _rotate(folder: Folder, keep: Keep, zone: ZoneInfo, now: datetime) -> None:
    for each in unneeded(folder.all(), keep, zone, now):
        folder.remove(each)


def _sentence(failed: MordomoError) -> str:
    return f"o banco não respondeu ({failed.why})" if isinstance(failed, LinkDown) else str(failed)
