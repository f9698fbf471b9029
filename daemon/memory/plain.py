"""Vectors as plain rows, for servers without pgvector: read once, kept in the process, compared one by one with numpy.

That is exact, and quick enough for a household: a thousand vectors of 512 numbers take 2 MB and some tens of
microseconds. Each search first fetches what is new; what others deleted is noticed by the count.
"""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import numpy as np
import numpy.typing as npt

from daemon.memory.vectors import CollectionName, Near, OtherLength, Point, Vector
from db import vectors
from db.database import Database

TABLE = "vectors"
LITTLE = np.dtype("<f4")


@dataclass(slots=True)
class _Kept:
    """The points as last read: ids, `owners` (by number in `numbers`) and rows of `matrix` in the same order."""

    version: int = 0
    rows: dict[UUID, int] = field(default_factory=dict)
    ids: list[UUID] = field(default_factory=list)
    numbers: dict[UUID | None, int] = field(default_factory=dict)
    owners: npt.NDArray[np.int32] = field(default_factory=lambda: np.empty(0, dtype=np.int32))
    matrix: npt.NDArray[np.float32] = field(default_factory=lambda: np.empty((0, 0), dtype=np.float32))


class PlainVectors:
    """The store in `vectors`, on any PostgreSQL."""

    name = "plain"

    def __init__(self, db: Database) -> None:
        self._db = db
        self._kept: dict[str, _Kept] = {}
        self._reading = asyncio.Lock()

    async def put(self, collection: CollectionName, points: Sequence[Point]) -> None:
        """Keep these in one statement. Raises OtherLength, LinkDown."""
        if not points:
            return
        there = await self._db.fetchval(vectors.LENGTH_PLAIN, collection) or len(points[0].vector)
        for point in points:
            if len(point.vector) != there:
                raise OtherLength(collection, there, len(point.vector))
        await self._db.execute(
            vectors.PUT_PLAIN,
            collection,
            [point.id for point in points],
            [point.owner for point in points],
            [point.vector.astype(LITTLE).tobytes() for point in points],
        )

    async def near(
        self,
        collection: CollectionName,
        vector: Vector,
        most: int,
        owners: Collection[UUID | None] | None = None,
    ) -> list[Near]:
        """Return the nearest, all compared."""
        async with self._reading:
            kept = await self._read(collection)
            if kept.matrix.shape[1:] != vector.shape or most < 1:
                return []
            scores = kept.matrix @ vector
            if owners is not None:
                wanted = [kept.numbers[owner] for owner in owners if owner in kept.numbers]
                scores = np.where(np.isin(kept.owners, wanted), scores, -np.inf)
            most = min(most, len(scores))
            nearest = np.argpartition(-scores, most - 1)[:most]
            nearest = nearest[np.argsort(-scores[nearest], kind="stable")]
            return [Near(kept.ids[row], float(scores[row])) for row in nearest if np.isfinite(scores[row])]

    async def get(self, collection: CollectionName, ids: Collection[UUID]) -> Mapping[UUID, Vector]:
        """Return the vectors of these ids."""
        rows = await self._db.fetch(vectors.GET_PLAIN, collection, list(ids))
        return {row["id"]: np.frombuffer(row["embedding"], dtype=LITTLE).astype(np.float32) for row in rows}

    async def ids(self, collection: CollectionName) -> set[UUID]:
        """Return the id of every point."""
        return await vectors.ids(self._db, TABLE, collection)

    async def count(self, collection: CollectionName) -> int:
        """Return how many points there are."""
        return await vectors.count(self._db, TABLE, collection)

    async def remove(self, collection: CollectionName, ids: Collection[UUID]) -> None:
        """Delete these, from memory too."""
        self._kept.pop(collection, None)
        await vectors.remove(self._db, TABLE, collection, list(ids))

    async def clear(self, collection: CollectionName) -> None:
        """Delete all, from memory too."""
        self._kept.pop(collection, None)
        await vectors.clear(self._db, TABLE, collection)

    async def points(self, collection: CollectionName) -> list[Point]:
        """Return every point, as it was put."""
        rows = await self._db.fetch(vectors.NEWER_PLAIN, collection, 0)
        return [
            Point(row["id"], np.frombuffer(row["embedding"], LITTLE).astype(np.float32), row["owner"]) for row in rows
        ]

    async def check(self) -> None:
        """Ask the server something small. Raises LinkDown."""
        await self._db.fetchval("SELECT 1", timeout=2)

    async def close(self) -> None:
        """Let go of what was read."""
        self._kept.clear()

    async def _read(self, collection: CollectionName) -> _Kept:
        """Return the points as the table has them now: what is new is added, after a deletion all is read again."""
        kept = self._kept.setdefault(collection, _Kept())
        await self._add_newer(collection, kept)
        if len(kept.ids) != await self.count(collection):
            kept = self._kept[collection] = _Kept()
            await self._add_newer(collection, kept)
        return kept

    async def _add_newer(self, collection: CollectionName, kept: _Kept) -> None:
        rows = await self._db.fetch(vectors.NEWER_PLAIN, collection, kept.version)
        if not rows:
            return
        added, theirs = [], []
        for row in rows:
            vector = np.frombuffer(row["embedding"], dtype=LITTLE)
            owner = kept.numbers.setdefault(row["owner"], len(kept.numbers))
            at = kept.rows.setdefault(row["id"], len(kept.ids))
            if at < len(kept.matrix):
                kept.owners[at], kept.matrix[at] = owner, vector
                continue
            kept.ids.append(row["id"])
            theirs.append(owner)
            added.append(vector)
        if added:
            kept.owners = np.concatenate((kept.owners, np.array(theirs, dtype=np.int32)))
            new = np.stack(added).astype(np.float32)
            kept.matrix = np.concatenate((kept.matrix, new)) if len(kept.matrix) else new
        kept.version = rows[-1]["version"]
