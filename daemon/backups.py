"""Service: a backup every night at the household's hour, made up for when the machine was off; and how they stand."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, tzinfo
from datetime import time as time_of_day
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

import structlog

from config.preferences import (
    BACKUP_ENABLED,
    BACKUP_HOUR,
    BACKUP_KEEP_BASES,
    BACKUP_KEEP_DAILY,
    BACKUP_KEEP_MONTHLY,
    BACKUP_KEEP_WEEKLY,
    HOUSE_TIMEZONE,
    Preferences,
)
from daemon.clock import Clock
from daemon.errors import EngineFailed, LinkDown
from daemon.health import Part
from daemon.language.replies import Replies
from db.backup.base import bases
from db.backup.folder import BackupFailed, Folder
from db.backup.keeper import keeper_trouble
from db.backup.rotation import Keep
from db.backup.routine import back_up, begun, copy_server, newest_good, own_archive, remember, standing, trouble
from db.backup.source import Source
from db.backup.wal import GAP, OFF, gaps, segments
from db.database import Database
from db.server_account import CannotStart

log = structlog.get_logger(__name__)

SETTLE_S = 300.0
"""A start belongs to the household: what was missed is made up for afterwards."""
LOOK_S = 60.0
RETRY = timedelta(minutes=30)
DECENT = range(9, 21)
"""Hours of the day, in the house, at which it may be told of trouble."""
MEND = "mordomo backup now"
MEND_KEEPER = "docker compose logs postgres archive"

ARCHIVER = """
    SELECT current_setting('archive_mode') <> 'off' AS on, failed_count > 0 AND last_failed_time > now() - $1::interval
           AND (last_archived_time IS NULL OR last_failed_time > last_archived_time) AS failing
    FROM pg_stat_archiver
"""


@dataclass(slots=True)
class Backups:
    """Looks every minute whether a backup is due, and whether the household must be told of trouble.

    `archive` is the folder where another server's log of changes is kept, if it is docker-compose.yml's.
    """

    source: Source
    folder: Folder
    db: Database
    prefs: Callable[[], Preferences]
    clock: Clock
    tell: Callable[[str], Awaitable[None]]
    replies: Replies
    archive: Path | None = None
    name: str = "backups"
    archive_trouble: str = field(default="", init=False)

    async def run(self) -> None:
        """Keep backups until cancelled. Whatever goes wrong is told, and tried again; it never stops the daemon."""
        await self.clock.sleep(SETTLE_S)
        while True:
            await self.look()
            await self.clock.sleep(LOOK_S)

    async def look(self) -> None:
        """Do what is due now."""
        await asyncio.to_thread(self._mark_archiving)
        if not self.prefs()[BACKUP_ENABLED]:
            return
        if due := await asyncio.to_thread(self._due):
            await self._back_up(due)
        self.archive_trouble = await self._archive_trouble()
        await self._tell_of_trouble()

    async def part(self) -> Part:
        """Return how backups stand, for health."""
        return await asyncio.to_thread(
            part_of_backups, self.folder, self.prefs(), self.clock.now(), self.archive_trouble, self.archive
        )

    async def _back_up(self, due: Literal["dump", "server"]) -> None:
        work = back_up if due == "dump" else copy_server
        try:
            await work(self.source, self.folder, keep_of(self.prefs()), self._zone(), self.clock.now())
        except (BackupFailed, CannotStart, LinkDown) as failed:
            log.error("backup_failed", why=str(failed))  # noqa: TRY400 - a sentence, not a bug
        else:
            log.info("backup_made", what=due)

    def _due(self) -> Literal["dump", "server"] | None:
        """Return what is due: a night's backup, or what was left of it when it failed after its dump was good."""
        now = self.clock.now()
        state, good = standing(self.folder), newest_good(self.folder, now)
        if state.failed_at is not None and timedelta(0) <= now - state.failed_at < RETRY:
            return None
        if good is None or good.taken_at < last_hour(now, self.prefs()[BACKUP_HOUR], self._zone()):
            return "dump"
        return "server" if state.failed_at is not None else None

    async def _archive_trouble(self) -> str:
        """Return in Portuguese why not every minute can be recovered; empty where it can, or where nobody tells us."""
        own = self.archive or await asyncio.to_thread(own_archive, self.source, self.folder)
        if own is None:
            return ""
        try:
            row = await self.db.fetchrow(ARCHIVER, timedelta(days=1))
        except LinkDown:
            return self.archive_trouble
        if row is None or not row["on"]:
            return "o registro contínuo de mudanças só começa quando o banco for ligado de novo"
        if row["failing"]:
            return f"o registro contínuo de mudanças não está sendo gravado em {own / 'wal'}"
        return await asyncio.to_thread(self._archived_trouble, own)

    def _archived_trouble(self, own: Path) -> str:
        """Return what is wrong with what is archived already."""
        if self.source.postgres is None:
            return keeper_trouble(own, self.clock.now())
        if (self.source.postgres.home / GAP).exists() or _has_gaps(own):
            return "falta um pedaço do registro contínuo de mudanças; a próxima cópia começa outro"
        return ""

    async def _tell_of_trouble(self) -> None:
        """Say it aloud once a day, at a decent hour; what could not be said is said at the next look."""
        now, zone = self.clock.now(), self._zone()
        local, told_at = now.astimezone(zone), standing(self.folder).told_at
        if local.hour not in DECENT or (told_at is not None and told_at.astimezone(zone).date() == local.date()):
            return
        wrong = await asyncio.to_thread(trouble, self.folder, now)
        if not wrong and not self.archive_trouble:
            return
        try:
            await self.tell(self._sentence(now) if wrong else self.replies.say("backup.archive"))
        except (EngineFailed, LinkDown) as failed:
            log.warning("backup_trouble_untold", why=str(failed))
            return
        with suppress(BackupFailed):  # a folder that takes nothing has been told of, at least
            remember(self.folder, replace(standing(self.folder), told_at=now))

    def _sentence(self, now: datetime) -> str:
        good = newest_good(self.folder, now)
        if good is None:
            return self.replies.say("backup.none")
        days = (now - good.taken_at).days
        if days < 1:
            return self.replies.say("backup.failed")
        return self.replies.stale_backup(days)

    def _mark_archiving(self) -> None:
        """Tell the archive's script whether it is wanted, and remember when backups began here."""
        enabled = self.prefs()[BACKUP_ENABLED]
        try:
            if self.source.postgres is not None:
                off = self.source.postgres.home / OFF
                if enabled:
                    off.unlink(missing_ok=True)
                elif not off.exists():
                    off.touch()
                    (self.source.postgres.home / GAP).touch()  # what is let go now is a gap later
            if enabled:
                begun(self.folder, self.clock.now())
        except (OSError, BackupFailed) as broken:
            log.warning("backup_folder_unusable", why=str(broken))

    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self.prefs()[HOUSE_TIMEZONE])


def part_of_backups(
    folder: Folder, prefs: Preferences, now: datetime, archive_trouble: str = "", archive: Path | None = None
) -> Part:
    """Return how the backups in `folder` stand; it only reads files, so it serves while no daemon runs as well."""
    name, title = "backup", "cópias de segurança"
    if not prefs[BACKUP_ENABLED]:
        return Part(name, title, "off", "desligadas", "mordomo config set backup.enabled true")
    if wrong := trouble(folder, now):
        return Part(name, title, "failed", wrong, MEND)
    if archive_trouble := archive_trouble or (keeper_trouble(archive, now) if archive else ""):
        mend = MEND_KEEPER if archive else f"confira o disco de {folder.path}, ou: {MEND}"
        return Part(name, title, "failed", archive_trouble, mend)
    good = newest_good(folder, now)
    if good is None:
        return Part(name, title, "starting", f"a primeira ainda vai ser feita, em {folder.path}")
    count = sum(1 for each in folder.all() if each.is_good)
    at = good.taken_at.astimezone(ZoneInfo(prefs[HOUSE_TIMEZONE]))
    return Part(name, title, "ok", f"{count} em {folder.path}; a de {at:%d/%m às %H:%M} foi restaurada e conferida")


def keep_of(prefs: Preferences) -> Keep:
    """Return how many backups the household keeps."""
    return Keep(
        daily=prefs[BACKUP_KEEP_DAILY],
        weekly=prefs[BACKUP_KEEP_WEEKLY],
        monthly=prefs[BACKUP_KEEP_MONTHLY],
        bases=prefs[BACKUP_KEEP_BASES],
    )


def last_hour(now: datetime, hour: int, zone: tzinfo) -> datetime:
    """Return when it was last `hour` o'clock in `zone`, also where a clock change left that hour out."""
    local = now.astimezone(zone)
    today = datetime.combine(local.date(), time_of_day(hour), zone)
    return today if today <= local else datetime.combine(local.date() - timedelta(days=1), time_of_day(hour), zone)


def _has_gaps(own: Path) -> bool:
    known = bases(own)
    return bool(known) and bool(gaps(segments(own), known[0].segment_bytes))
