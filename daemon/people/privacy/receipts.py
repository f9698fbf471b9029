"""Receipts beside the backups, so that a backup which comes back finds what was erased since and loses it again.

BACKUPS/erasures/ID.json    a finished receipt: digests and counts, nothing of anybody; mode 600
"""

import asyncio
import json
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import structlog

from daemon.people.privacy.erasing import Erasing
from db import erasures
from db.backup.folder import write_whole
from db.erasure_again import erase_again, missing
from db.erasures import Receipt

log = structlog.get_logger(__name__)

MOMENTS = ("asked_at", "since", "holds_from", "finished_at", "verified_at")


@dataclass(frozen=True, slots=True)
class KeptReceipts:
    """Keeps a folder of receipts and the table of them alike."""

    erasing: Erasing
    folder: Path

    async def reconcile(self) -> int:
        """Write down receipts that are not there; erase again by those that the database lacks, and return how many.

        Raises LinkDown, OSError.
        """
        there = await asyncio.to_thread(lambda: {path.stem for path in self.folder.glob("*.json")})
        for each in await erasures.receipts(self.erasing.db):
            if each.finished_at is not None and str(each.id) not in there:
                await asyncio.to_thread(self._write, each)
        again = 0
        for name in sorted(await missing(self.erasing.db, there)) if there else ():
            old = await asyncio.to_thread(_read, self.folder / f"{name}.json")
            if old is not None:
                await self.erasing.finish(await erase_again(self.erasing.db, old))
                log.warning("erased_again", receipt=name, why="o banco voltou a ser o de antes")
                again += 1
        return again

    def _write(self, receipt: Receipt) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(self.folder / f"{receipt.id}.json", json.dumps(asdict(receipt), default=str, ensure_ascii=False))


def _read(path: Path) -> Receipt | None:
    with suppress(OSError, ValueError, TypeError, KeyError, AttributeError):
        raw: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        values = {each.name: raw[each.name] for each in fields(Receipt)}
        values |= {name: datetime.fromisoformat(raw[name]) if raw[name] else None for name in MOMENTS}
        return Receipt(**{**values, "id": UUID(raw["id"])})
    log.warning("receipt_unreadable", file=str(path))
    return None
