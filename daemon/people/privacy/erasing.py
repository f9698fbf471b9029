"""An erasure from the first row to the last file: database, vectors, sound, refused records; and its check.

    rows, audit and log, in one transaction with the receipt ──▶ vectors ──▶ clips ──▶ refused records ──▶ finished

What is interrupted after the first step is known to the receipt (`pending`), and is finished by whoever comes next.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

import structlog

from daemon.clock import Clock
from daemon.errors import CannotDo, LinkDown
from daemon.memory.vectors import COLLECTIONS, Vectors
from daemon.people.privacy.clips import clips_of, remove
from db import erasure, erasures
from db.database import Database
from db.erasure import Pending, Wish
from db.erasures import Receipt
from db.spool import forget_refused

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check found: how many of each is left, by table or store. Empty is as it should be."""

    receipt: Receipt
    left_over: dict[str, int]

    @property
    def gone(self) -> bool:
        """Tell whether nothing is left."""
        return not self.left_over


async def _nothing_waits() -> None:
    """Where no record can wait for the database."""


@dataclass(frozen=True, slots=True)
class Erasing:
    """Erases. `drain` brings records that wait on the disk into the database first, so that none comes back later."""

    db: Database
    vectors: Vectors | None
    data_dir: Path
    clock: Clock
    drain: Callable[[], Awaitable[object]] = _nothing_waits

    @property
    def clips(self) -> Path:
        """The folder of everybody's clips."""
        return self.data_dir / "audio"

    async def counted(self, wish: Wish) -> dict[str, int]:
        """Return what an erasure would take, by table, and `audio`. Raises LinkDown."""
        counts = await erasure.counted(self.db, wish)
        if wish.user_id is not None and wish.scope in {"person", "since", "audio"}:
            clips = await asyncio.to_thread(clips_of, self.clips, str(wish.user_id), wish.since)
            counts |= {"audio": len(clips)} if clips else {}
        return counts

    async def erase(self, wish: Wish) -> Receipt:
        """Erase, and return the receipt; unfinished where the vector store or the disk is away for now.

        Raises LinkDown, with nothing erased, while the database is away.
        """
        await self.drain()
        begun = await erasure.erase_rows(self.db, wish, self.clock.now())
        log.info("erased", receipt=str(begun.id), scope=wish.scope, rows=sum(begun.counts.values()))
        try:
            return await self.finish(begun)
        except (LinkDown, OSError) as down:
            log.warning("erasure_unfinished", receipt=str(begun.id), why=str(down))
            return begun

    async def finish(self, begun: Receipt) -> Receipt:
        """Remove what lies beyond the rows. Doing it twice changes nothing. Raises LinkDown, OSError."""
        pending = Pending.of_json(begun.pending or Pending().as_json())
        gone = await self._forget_points(pending)
        since = datetime.fromisoformat(pending.clips_since) if pending.clips_since else None
        if pending.clips_of is not None:
            clips = await asyncio.to_thread(clips_of, self.clips, pending.clips_of, since)
            await asyncio.to_thread(remove, clips)
            gone["audio"] = [clip.path.name for clip in clips]
        whose = pending.clips_of if begun.scope in {"person", "since"} else None
        spool = self.data_dir / "spool"
        if lines := await asyncio.to_thread(forget_refused, spool, set(pending.points), whose, since):
            gone["spool"] = [str(number) for number in range(lines)]
        return await erasures.finish(self.db, begun.id, gone, self.clock.now())

    async def finish_all(self) -> int:
        """Finish what was interrupted; return how many. Raises LinkDown, OSError."""
        unfinished = await erasures.receipts(self.db, "unfinished")
        for each in unfinished:
            await self.finish(each)
        return len(unfinished)

    async def verify(self, key: UUID) -> Checked:
        """Look for all that the receipt says is gone, and write down what was found. Raises LinkDown, CannotDo."""
        receipt = await erasures.receipt(self.db, key)
        if receipt is None:
            raise CannotDo(f"Não há recibo {key}. Veja os que há com: mordomo people erase --list")
        left = await erasures.found_again(self.db, receipt)
        for collection in COLLECTIONS if self.vectors is not None else ():
            assert self.vectors is not None  # noqa: S101 - for the type checker
            there = await self.vectors.ids(collection)
            left |= self._among(receipt, f"vectors.{collection}", {str(each) for each in there})
        names = await asyncio.to_thread(lambda: {path.name for path in self.clips.glob("*/*")})
        left |= self._among(receipt, "audio", names)
        if receipt.finished_at is None:
            left["unfinished"] = 1
        await erasures.checked(self.db, key, left, self.clock.now())
        checked = await erasures.receipt(self.db, key)
        assert checked is not None  # noqa: S101 - receipts are never deleted
        return Checked(checked, left)

    async def _forget_points(self, pending: Pending) -> dict[str, list[str]]:
        gone: dict[str, list[str]] = {}
        if self.vectors is None:
            return gone
        wanted = {UUID(point) for point in pending.points}
        for collection in COLLECTIONS:
            if there := wanted & await self.vectors.ids(collection):
                await self.vectors.remove(collection, there)
                gone[f"vectors.{collection}"] = [str(each) for each in there]
        return gone

    @staticmethod
    def _among(receipt: Receipt, store: str, names: set[str]) -> dict[str, int]:
        known = set(receipt.digests.get(store, ()))
        again = len(known & set(erasures.digested(receipt.id, names))) if known else 0
        return {store: again} if again else {}
