"""Vectors in the household's own Postgres: with pgvector where the server has it, else as plain rows."""

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from daemon.memory.pgvector import PgVectors
from daemon.memory.plain import PlainVectors
from daemon.memory.vectors import COLLECTIONS, CollectionName, Near, Point, Vector, Vectors
from db.database import Database
from db.vectors import has_pgvector


class PostgresVectors:
    """Either store, chosen when first asked: the tables may still have to be made when the daemon is put together."""

    name = "postgres"

    def __init__(self, db: Database) -> None:
        self._db = db
        self._chosen: Vectors | None = None

    async def chosen(self) -> Vectors:
        """Return the store that this server allows. Raises LinkDown."""
        if self._chosen is None:
            self._chosen = await self._indexed() if await has_pgvector(self._db) else PlainVectors(self._db)
        return self._chosen

    async def _indexed(self) -> Vectors:
        """Return pgvector's store, with what was kept as plain rows before the server had it."""
        indexed, plain = PgVectors(self._db), PlainVectors(self._db)
        for collection in COLLECTIONS:
            if points := await plain.points(collection):
                await indexed.put(collection, points)
                await plain.clear(collection)
        return indexed

    async def put(self, collection: CollectionName, points: Sequence[Point]) -> None:
        """Keep these."""
        await (await self.chosen()).put(collection, points)

    async def near(
        self,
        collection: CollectionName,
        vector: Vector,
        most: int,
        owners: Collection[UUID | None] | None = None,
    ) -> list[Near]:
        """Return the nearest."""
        return await (await self.chosen()).near(collection, vector, most, owners)

    async def get(self, collection: CollectionName, ids: Collection[UUID]) -> Mapping[UUID, Vector]:
        """Return the vectors of these ids."""
        return await (await self.chosen()).get(collection, ids)

    async def points(self, collection: CollectionName) -> list[Point]:
        """Return every point."""
        return await (await self.chosen()).points(collection)

    async def ids(self, collection: CollectionName) -> set[UUID]:
        """Return the id of every point."""
        return await (await self.chosen()).ids(collection)

    async def count(self, collection: CollectionName) -> int:
        """Return how many points there are."""
        return await (await self.chosen()).count(collection)

    async def remove(self, collection: CollectionName, ids: Collection[UUID]) -> None:
        """Forget these."""
        await (await self.chosen()).remove(collection, ids)

    async def clear(self, collection: CollectionName) -> None:
        """Forget all."""
        await (await self.chosen()).clear(collection)

    async def check(self) -> None:
        """Return when the server answers. Raises LinkDown."""
        await (await self.chosen()).check()

    async def close(self) -> None:
        """Let go of what was read."""
        if self._chosen is not None:
            await self._chosen.close()
