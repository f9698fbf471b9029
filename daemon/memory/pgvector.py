"""Vectors in PostgreSQL's own extension: an HNSW index for the usual lengths, one by one for others."""

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

import numpy as np

from daemon.memory.vectors import CollectionName, Near, OtherLength, Point, Vector
from db import vectors
from db.database import Database

TABLE = "vectors_indexed"


class PgVectors:
    """The store in `vectors_indexed`; the server has pgvector in use (`db.vectors.has_pgvector`)."""

    name = "pgvector"

    def __init__(self, db: Database) -> None:
        self._db = db
        self._iterative: bool | None = None

    async def put(self, collection: CollectionName, points: Sequence[Point]) -> None:
        """Keep these in one statement. Raises OtherLength, LinkDown."""
        if not points:
            return
        length = len(points[0].vector)
        there = await self._db.fetchval(vectors.LENGTH_INDEXED, collection)
        for point in points:
            if len(point.vector) != (there or length):
                raise OtherLength(collection, there or length, len(point.vector))
        await self._db.execute(
            vectors.PUT_INDEXED,
            collection,
            [point.id for point in points],
            [point.owner for point in points],
            [_written(point.vector) for point in points],
            length,
        )

    async def near(
        self,
        collection: CollectionName,
        vector: Vector,
        most: int,
        owners: Collection[UUID | None] | None = None,
    ) -> list[Near]:
        """Return the nearest; the index goes on looking where others' points lie nearer (pgvector 0.8)."""
        if self._iterative is None:
            self._iterative = await vectors.iterates(self._db)
        found = await vectors.near_indexed(
            self._db, collection, _written(vector), len(vector), most=most, owners=owners, iterative=self._iterative
        )
        return [Near(*each) for each in found]

    async def get(self, collection: CollectionName, ids: Collection[UUID]) -> Mapping[UUID, Vector]:
        """Return the vectors of these ids."""
        rows = await self._db.fetch(vectors.GET_INDEXED, collection, list(ids))
        return {row["id"]: np.array(row["numbers"], dtype=np.float32) for row in rows}

    async def points(self, collection: CollectionName) -> list[Point]:
        """Return every point, as it was put."""
        rows = await self._db.fetch(vectors.ALL_INDEXED, collection)
        return [Point(row["id"], np.array(row["numbers"], dtype=np.float32), row["owner"]) for row in rows]

    async def ids(self, collection: CollectionName) -> set[UUID]:
        """Return the id of every point."""
        return await vectors.ids(self._db, TABLE, collection)

    async def count(self, collection: CollectionName) -> int:
        """Return how many points there are."""
        return await vectors.count(self._db, TABLE, collection)

    async def remove(self, collection: CollectionName, ids: Collection[UUID]) -> None:
        """Delete these."""
        await vectors.remove(self._db, TABLE, collection, list(ids))

    async def clear(self, collection: CollectionName) -> None:
        """Delete all."""
        await vectors.clear(self._db, TABLE, collection)

    async def check(self) -> None:
        """Ask the server something small. Raises LinkDown."""
        await self._db.fetchval("SELECT 1", timeout=2)

    async def close(self) -> None:
        """Nothing: the database's connections are others' too."""


def _written(vector: Vector) -> str:
    """Return pgvector's text for it, with what digits float32 has."""
    return "[" + ",".join(map(str, vector.tolist())) + "]"
