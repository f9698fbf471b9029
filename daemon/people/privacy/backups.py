"""Backups that hold what was erased: a new one is made and proved, and takes their place; or they are marked.

Which ones hold it is told by time: whatever was taken between the first row that went and the erasure. Until they are
gone a receipt says "pending", by name; a copy that this cannot reach (docker-compose.yml's archive, what a restoration
left beside the database) it names as well, for whoever minds the house.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import structlog

from config.preferences import BACKUP_ENABLED, HOUSE_TIMEZONE, PRIVACY_REPLACE_BACKUPS, Preferences
from daemon.backups import keep_of
from daemon.errors import LinkDown
from db.backup.base import Base, all_bases, bases, prune_bases, take_base
from db.backup.folder import BackupFailed, Folder, Manifest
from db.backup.recovery import replaced_servers
from db.backup.routine import CONTINUOUS, back_up, own_archive
from db.backup.source import Source, patient
from db.erasures import Receipt
from db.server_account import CannotStart

log = structlog.get_logger(__name__)

LARGEST_BYTES = 256 << 20
"""A table up to this size is written anew in seconds."""
SIZES = """
SELECT relname, COALESCE(
    (SELECT sum(pg_total_relation_size(relid)) FROM pg_partition_tree(oid)), pg_total_relation_size(oid))::bigint
FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND relname = ANY ($1) ORDER BY relname
"""
BESIDE = "SELECT datname FROM pg_database WHERE datname LIKE '%\\_before\\_%'"
"""Databases that a restoration put aside (`db/backup/restoring.py`)."""


@dataclass(frozen=True, slots=True)
class HeldBackups:
    """What the backups of a house hold. `archive` is docker-compose.yml's, which only its own container changes."""

    source: Source
    folder: Folder
    prefs: Callable[[], Preferences]
    archive: Path | None = None
    rewrite_lock_ms: int = 2000
    """How long it waits for a table that is to be written anew; everybody else's statements wait behind it."""

    async def replace(self, receipts: Sequence[Receipt], now: datetime) -> dict[str, Any]:
        """Replace what holds any of these erasures, or mark it; return how it stands, for the receipts.

        Raises BackupFailed, LinkDown, CannotStart; the older backups stay then.
        """
        dumps, copies = self.holding(receipts), await asyncio.to_thread(self._bases)
        beyond = await self._beyond() + await self._rewritten(receipts)
        if not dumps and not copies:
            return {"state": "replaced", "at": now.isoformat(), "beyond": beyond}
        if not (self.prefs()[PRIVACY_REPLACE_BACKUPS] and self.prefs()[BACKUP_ENABLED]):
            names = [each.name for each in dumps] + [each.folder.name for each in copies]
            return {"state": "marked", "at": now.isoformat(), "holding": names, "beyond": beyond}
        zone = ZoneInfo(self.prefs()[HOUSE_TIMEZONE])
        made = await back_up(self.source, self.folder, keep_of(self.prefs()), zone, now)
        removed = await asyncio.to_thread(self._remove, dumps)
        removed += await self._begin_archive_anew(copies, now)
        log.info("backups_replaced", by=made.name, removed=len(removed))
        return {"state": "replaced", "at": now.isoformat(), "by": made.name, "removed": removed, "beyond": beyond}

    def holding(self, receipts: Sequence[Receipt]) -> list[Manifest]:
        """Return the dumps that may hold what any of these erased."""
        return [each for each in self.folder.all() if any(_holds(each.taken_at, one) for one in receipts)]

    def _bases(self) -> list[Base]:
        """Return our own server's copies; its log of changes goes on from the oldest, through every row that went."""
        own = own_archive(self.source, self.folder)
        return bases(own) if own is not None else []

    def _remove(self, dumps: Sequence[Manifest]) -> list[str]:
        with self.folder.held():
            for each in dumps:
                self.folder.remove(each)
        return [each.name for each in dumps]

    async def _begin_archive_anew(self, before: Sequence[Base], now: datetime) -> list[str]:
        """Copy our own server anew, and let go of the older copies and of the log that led on from them."""
        own, postgres = own_archive(self.source, self.folder), self.source.postgres
        if own is None or postgres is None or not before:
            return []
        older = {each.folder for each in before}
        with self.folder.held():
            if {each.folder for each in bases(own)} <= older:  # the night's backup may have copied it just now
                await take_base(postgres, self.source.url, own, now)
            with self.folder.translated():
                await asyncio.to_thread(prune_bases, own, 1)
        left = {each.folder for each in bases(own)}
        return [each.folder.name for each in before if each.folder not in left]

    async def _rewritten(self, receipts: Sequence[Receipt]) -> list[str]:
        """Have the tables written anew, without the pages that deleted rows left; return in Portuguese which were not.

        A copy of the server's files would have those pages too. Whoever writes meanwhile waits for seconds, and turns
        go to the spool; a large table, or one that is in use, is left as it is.
        """
        names = {table.split(".")[0] for each in receipts for table in each.counts} | {"erasures", "vectors_indexed"}
        left = []
        async with patient(self.source.url) as connection:
            await connection.execute(f"SET lock_timeout = {self.rewrite_lock_ms}")
            for table, size in await connection.fetch(SIZES, list(names)):
                try:
                    if size > LARGEST_BYTES:
                        left.append(f"páginas soltas da tabela {table}, grande demais para ser escrita de novo")
                    else:
                        await connection.execute(f'VACUUM (FULL, ANALYZE) "{table}"')
                except asyncpg.PostgresError as held:
                    log.warning("table_not_rewritten", table=table, why=str(held))
                    left.append(f"páginas soltas da tabela {table}, que estava em uso")
        return left

    async def _beyond(self) -> list[str]:
        """Return, in Portuguese, what may hold it and is not ours to change."""
        found = []
        if self.archive is not None:
            found.append("o arquivo contínuo do serviço archive do docker compose, até a próxima cópia semanal dele")
        own = own_archive(self.source, self.folder)
        others = [each for each in all_bases(self.folder.path / CONTINUOUS) if each.own != own]
        found += [f"a cópia de outro servidor em {each.folder}" for each in others]
        if self.source.postgres is not None:
            found += [
                f"o servidor de antes de uma restauração em {path}" for path in replaced_servers(self.source.postgres)
            ]
        with suppress(LinkDown, BackupFailed):
            async with patient(self.source.url) as connection:
                found += [f"o banco de antes de uma restauração: {row[0]}" for row in await connection.fetch(BESIDE)]
        return found


def _holds(taken_at: datetime, receipt: Receipt) -> bool:
    """Tell whether a copy begun at that moment may have seen the rows: until the erasure was over, it may."""
    until = receipt.finished_at or receipt.asked_at
    return (receipt.holds_from is None or taken_at >= receipt.holds_from) and taken_at < until


FAILURES = (BackupFailed, LinkDown, CannotStart)
