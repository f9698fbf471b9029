"""Vectors in Qdrant, over gRPC: a collection each, the point's id the row's id, whose it is in the payload."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from urllib.parse import urlsplit
from uuid import UUID

import grpc
import numpy as np
from qdrant_client import AsyncQdrantClient, models
from qdrant_client.http.exceptions import ApiException, ResponseHandlingException, UnexpectedResponse

from daemon.errors import LinkDown
from daemon.memory.vectors import CollectionName, Near, OtherLength, Point, Vector

REST_PORT = 6333
TIMEOUT_S = 5
PAGE = 10_000
OWNER = "owner"
HOUSE = ""
"""The payload's owner of what is the house's: a word is easier to ask for than its absence."""


class QdrantVectors:
    """The store of a Qdrant server, or of a folder in tests. `prefix` keeps the house's collections from others'."""

    name = "qdrant"

    def __init__(self, client: AsyncQdrantClient, prefix: str = "mordomo_") -> None:
        self._client = client
        self._prefix = prefix
        self._lengths: dict[str, int] = {}

    @classmethod
    def at(cls, url: str) -> "QdrantVectors":
        """Return the store at `url` (http://server:6333); gRPC is at the next port, as Qdrant has it."""
        parts = urlsplit(url)
        port = parts.port or REST_PORT
        client = AsyncQdrantClient(
            host=parts.hostname, port=port, grpc_port=port + 1, prefer_grpc=True, https=parts.scheme == "https",
            timeout=TIMEOUT_S, check_compatibility=False,
        )  # fmt: skip
        return cls(client)

    async def put(self, collection: CollectionName, points: Sequence[Point]) -> None:
        """Keep these; the server has them on disk when this returns. Raises OtherLength, LinkDown."""
        if not points:
            return
        length = await self._length(collection)
        given = {len(point.vector) for point in points}
        if length is None and len(given) == 1:
            length = await self._create(collection, given.pop())
        for point in points:
            if len(point.vector) != length:
                raise OtherLength(collection, length or len(points[0].vector), len(point.vector))
        structs = [
            models.PointStruct(id=str(point.id), vector=point.vector.tolist(), payload={OWNER: _word(point.owner)})
            for point in points
        ]
        try:
            with _translated():
                await self._client.upsert(self._prefix + collection, structs, wait=True)
        except LinkDown:
            # Another process may have dropped the collection: look again next time.
            self._lengths.pop(collection, None)
            raise

    async def near(
        self,
        collection: CollectionName,
        vector: Vector,
        most: int,
        owners: Collection[UUID | None] | None = None,
    ) -> list[Near]:
        """Return the nearest, the filter kept by the server while it looks."""
        if await self._length(collection) != len(vector):
            return []
        wanted = None
        if owners is not None:
            match = models.MatchAny(any=[_word(owner) for owner in owners])
            wanted = models.Filter(must=[models.FieldCondition(key=OWNER, match=match)])
        with _translated():
            found = await self._client.query_points(
                self._prefix + collection, query=vector.tolist(), query_filter=wanted, limit=most, with_payload=False
            )
        return [Near(UUID(str(point.id)), point.score) for point in found.points]

    async def get(self, collection: CollectionName, ids: Collection[UUID]) -> Mapping[UUID, Vector]:
        """Return the vectors of these ids."""
        if not ids or await self._length(collection) is None:
            return {}
        with _translated():
            records = await self._client.retrieve(
                self._prefix + collection, [str(each) for each in ids], with_payload=False, with_vectors=True
            )
        return {UUID(str(record.id)): np.asarray(record.vector, dtype=np.float32) for record in records}

    async def points(self, collection: CollectionName) -> list[Point]:
        """Return every point, page by page."""
        return [
            Point(UUID(str(each.id)), np.asarray(each.vector, dtype=np.float32), _owner((each.payload or {})[OWNER]))
            for each in await self._every(collection, whole=True)
        ]

    async def ids(self, collection: CollectionName) -> set[UUID]:
        """Return the id of every point, page by page."""
        return {UUID(str(each.id)) for each in await self._every(collection)}

    async def count(self, collection: CollectionName) -> int:
        """Return how many points there are, exactly."""
        if await self._length(collection) is None:
            return 0
        with _translated():
            return (await self._client.count(self._prefix + collection, exact=True)).count

    async def remove(self, collection: CollectionName, ids: Collection[UUID]) -> None:
        """Delete these; they are gone from disk when this returns."""
        if not ids or await self._length(collection) is None:
            return
        selector = models.PointIdsList(points=[str(each) for each in ids])
        with _translated():
            await self._client.delete(self._prefix + collection, selector, wait=True)

    async def clear(self, collection: CollectionName) -> None:
        """Drop the collection."""
        self._lengths.pop(collection, None)
        with _translated():
            await self._client.delete_collection(self._prefix + collection)

    async def check(self) -> None:
        """Ask for the collections. Raises LinkDown."""
        with _translated():
            await self._client.get_collections()

    async def close(self) -> None:
        """Close the channel."""
        await self._client.close()

    async def _length(self, collection: CollectionName) -> int | None:
        """Return how many numbers its vectors have; None where there is no such collection yet."""
        if collection not in self._lengths:
            name = self._prefix + collection
            with _translated():
                if not await self._client.collection_exists(name):
                    return None
                info = await self._client.get_collection(name)
            params = info.config.params.vectors
            assert isinstance(params, models.VectorParams)  # noqa: S101 - we make it with one vector
            self._lengths[collection] = params.size
        return self._lengths[collection]

    async def _every(self, collection: CollectionName, *, whole: bool = False) -> list[models.Record]:
        """Return every point: its id, and with `whole` its vector and its owner."""
        found: list[models.Record] = []
        offset = None
        while await self._length(collection) is not None:
            with _translated():
                records, offset = await self._client.scroll(
                    self._prefix + collection, limit=PAGE, offset=offset, with_payload=whole, with_vectors=whole
                )
            found += records
            if offset is None:
                break
        return found

    async def _create(self, collection: CollectionName, length: int) -> int:
        name = self._prefix + collection
        with _translated():
            await self._client.create_collection(
                name, vectors_config=models.VectorParams(size=length, distance=models.Distance.COSINE)
            )
            await self._client.create_payload_index(name, OWNER, field_schema=models.PayloadSchemaType.KEYWORD)
        self._lengths[collection] = length
        return length


def _word(owner: UUID | None) -> str:
    return HOUSE if owner is None else str(owner)


def _owner(word: str) -> UUID | None:
    return None if word == HOUSE else UUID(word)


@contextmanager
def _translated() -> Iterator[None]:
    """Raise what the client says of a server that is away, or will not, as LinkDown."""
    try:
        yield
    except (grpc.RpcError, ApiException, ResponseHandlingException, UnexpectedResponse, OSError, TimeoutError) as error:
        why = error.details() if isinstance(error, grpc.aio.AioRpcError) else str(error)
        raise LinkDown("qdrant", why or type(error).__name__) from error
