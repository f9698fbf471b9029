"""A server of vectors that the household names, beside its own Postgres: which of them is named may change at any time.

A memory's vector is made again from its row, so that lies in the named server alone (`daemon.memory.indexing` has all
embedded anew when it changes). A voiceprint is made from nothing that is kept: its original is in Postgres, and the
named server has a copy, brought up to date when it is first asked. So voices stay known when a server is named, when it
is no longer, when it has lost its disk, and while it is away.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import TypeVar
from uuid import UUID

import structlog

from daemon.errors import LinkDown
from daemon.memory.vectors import CollectionName, Near, OtherLength, Point, Vector, Vectors
from db import voices
from db.database import Database, Queries

log = structlog.get_logger(__name__)

ORIGINALS: Mapping[CollectionName, Callable[[Queries], Awaitable[set[UUID]]]] = {"voices": voices.points}
"""What Postgres keeps the originals of, and which of its points rows refer to."""

T = TypeVar("T")


class BesidePostgres:
    """The store that is `named`. What is written needs both; what is read is read from Postgres while that is away."""

    def __init__(self, db: Database, named: Vectors, own: Vectors) -> None:
        """`own` is the store in the Postgres of `db`."""
        self.name = named.name
        self._db = db
        self._named = named
        self._own = own
        self._copied: set[CollectionName] = set()
        self._copying = asyncio.Lock()

    async def put(self, collection: CollectionName, points: Sequence[Point]) -> None:
        """Keep these; the original first."""
        if collection in ORIGINALS:
            await self._copy(collection)
            await self._own.put(collection, points)
        await self._named.put(collection, points)

    async def near(
        self, collection: CollectionName, vector: Vector, most: int, owners: Collection[UUID | None] | None = None
    ) -> list[Near]:
        """Return the nearest."""
        return await self._read(collection, lambda store: store.near(collection, vector, most, owners))

    async def get(self, collection: CollectionName, ids: Collection[UUID]) -> Mapping[UUID, Vector]:
        """Return the vectors of these ids."""
        return await self._read(collection, lambda store: store.get(collection, ids))

    async def points(self, collection: CollectionName) -> list[Point]:
        """Return every point."""
        return await self._read(collection, lambda store: store.points(collection))

    async def ids(self, collection: CollectionName) -> set[UUID]:
        """Return the id of every point that lies in either: who has something forgotten must find it everywhere."""
        own = await self._own.ids(collection) if collection in ORIGINALS else set()
        return own | await self._named.ids(collection)

    async def count(self, collection: CollectionName) -> int:
        """Return how many points there are."""
        return await self._read(collection, lambda store: store.count(collection))

    async def remove(self, collection: CollectionName, ids: Collection[UUID]) -> None:
        """Forget these; the copy first, since what is left in Postgres is copied again."""
        await self._named.remove(collection, ids)
        if collection in ORIGINALS:
            await self._own.remove(collection, ids)

    async def clear(self, collection: CollectionName) -> None:
        """Forget all; the copy first."""
        await self._named.clear(collection)
        if collection in ORIGINALS:
            await self._own.clear(collection)

    async def check(self) -> None:
        """Return when the named server answers. Raises LinkDown."""
        await self._named.check()

    async def close(self) -> None:
        """Give back the connections of both."""
        await self._named.close()
        await self._own.close()

    async def _read(self, collection: CollectionName, read: Callable[[Vectors], Awaitable[T]]) -> T:
        """Return what the named store says, or Postgres of its originals while that is away."""
        if collection not in ORIGINALS:
            return await read(self._named)
        try:
            await self._copy(collection)
            return await read(self._named)
        except LinkDown as down:
            if down.what == "postgres":
                raise
            log.warning("vectors_read_from_postgres", collection=collection, store=down.what, why=down.why)
            return await read(self._own)

    async def _copy(self, collection: CollectionName) -> None:
        """Have the named store hold what Postgres does: once, and again after it failed. Raises LinkDown."""
        async with self._copying:
            if collection in self._copied:
                return
            originals = await self._own.points(collection)
            await self._settle(collection, {point.id for point in originals})
            try:
                await self._named.put(collection, originals)
            except OtherLength:
                await self._named.clear(collection)
                await self._named.put(collection, originals)
            self._copied.add(collection)

    async def _settle(self, collection: CollectionName, own: set[UUID]) -> None:
        """See to what lies in the named store alone: a voice taught when that had the only one is kept, no other."""
        alone = await self._named.ids(collection) - own
        if not alone:
            return
        wanted = alone & await ORIGINALS[collection](self._db)
        if wanted:
            kept = [point for point in await self._named.points(collection) if point.id in wanted]
            try:
                await self._own.put(collection, kept)
            except OtherLength as other:
                log.warning("vectors_of_a_former_model", collection=collection, why=str(other))
                return
        await self._named.remove(collection, alone - wanted)
        log.info("vectors_settled", collection=collection, kept=len(wanted), removed=len(alone - wanted))
