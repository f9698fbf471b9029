"""A small server that speaks Qdrant's gRPC protocol over a real socket: what our store asks of one, compared exactly.

Source: the client's own protocol files (collections_service.proto, points_service.proto). Not Qdrant: it keeps points in
memory and has no index. Its search is as exact as Qdrant's below its indexing threshold.
"""

# ruff: noqa: N802 - the protocol names them
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
import numpy as np
import numpy.typing as npt
from qdrant_client import grpc as q
from qdrant_client.grpc.collections_service_pb2_grpc import CollectionsServicer, add_CollectionsServicer_to_server
from qdrant_client.grpc.points_service_pb2_grpc import PointsServicer, add_PointsServicer_to_server


@dataclass
class Kept:
    """A collection: `rows` of the matrix by id, and each row's owner."""

    length: int
    rows: dict[str, int] = field(default_factory=dict)
    ids: list[str] = field(default_factory=list)
    owners: list[str] = field(default_factory=list)
    matrix: npt.NDArray[np.float32] = field(default_factory=lambda: np.empty((0, 0), dtype=np.float32))

    def put(self, points: list[tuple[str, npt.NDArray[np.float32], str]]) -> None:
        new = [point for point in points if point[0] not in self.rows]
        for point_id, _, owner in new:
            self.rows[point_id] = len(self.ids)
            self.ids.append(point_id)
            self.owners.append(owner)
        if new:
            added = np.stack([vector for _, vector, _ in new])
            self.matrix = np.concatenate((self.matrix, added)) if len(self.matrix) else added
        for point_id, vector, owner in points:
            at = self.rows[point_id]
            self.matrix[at], self.owners[at] = vector, owner

    def nearest(self, vector: npt.NDArray[np.float32], owners: set[str] | None, most: int) -> list[tuple[str, float]]:
        scores = self.matrix @ vector
        if owners is not None:
            scores = np.where([owner in owners for owner in self.owners], scores, -np.inf)
        best = [row for row in np.argsort(-scores, kind="stable")[:most] if np.isfinite(scores[row])]
        return [(self.ids[row], float(scores[row])) for row in best]

    def remove(self, gone: set[str]) -> None:
        left = [row for row, point_id in enumerate(self.ids) if point_id not in gone]
        self.matrix = self.matrix[left] if left else np.empty((0, 0), dtype=np.float32)
        self.ids, self.owners = [self.ids[row] for row in left], [self.owners[row] for row in left]
        self.rows = {point_id: row for row, point_id in enumerate(self.ids)}


@dataclass
class QdrantServer:
    """Its collections, which `made` makes, and the port; `asked` are the calls. While `silent` it is UNAVAILABLE."""

    made: Callable[[int], Kept] = Kept
    kept: dict[str, Kept] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    port: int = 0
    silent: bool = False

    @property
    def url(self) -> str:
        """The address as MORDOMO_QDRANT_URL has it: gRPC is at the next port."""
        return f"http://127.0.0.1:{self.port - 1}"

    async def begin(self, name: str, context: Any) -> None:
        self.asked.append(name)
        if self.silent:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "out for lunch")

    async def collection(self, name: str, context: Any) -> Kept:
        if name not in self.kept:
            await context.abort(grpc.StatusCode.NOT_FOUND, f"Not found: Collection `{name}` doesn't exist!")
        return self.kept[name]


class _Collections(CollectionsServicer):
    def __init__(self, server: QdrantServer) -> None:
        self._server = server

    async def List(self, request: Any, context: Any) -> Any:
        await self._server.begin("List", context)
        return q.ListCollectionsResponse(collections=[q.CollectionDescription(name=name) for name in self._server.kept])

    async def CollectionExists(self, request: Any, context: Any) -> Any:
        await self._server.begin("CollectionExists", context)
        there = q.CollectionExists(exists=request.collection_name in self._server.kept)
        return q.CollectionExistsResponse(result=there)

    async def Get(self, request: Any, context: Any) -> Any:
        await self._server.begin("Get", context)
        kept = await self._server.collection(request.collection_name, context)
        params = q.VectorParams(size=kept.length, distance=q.Distance.Cosine)
        config = q.CollectionConfig(
            params=q.CollectionParams(
                shard_number=1, on_disk_payload=True, vectors_config=q.VectorsConfig(params=params)
            ),
            hnsw_config=q.HnswConfigDiff(m=16, ef_construct=100, full_scan_threshold=10000),
            optimizer_config=q.OptimizersConfigDiff(
                deleted_threshold=0.2, vacuum_min_vector_number=1000, default_segment_number=0, flush_interval_sec=5
            ),
            wal_config=q.WalConfigDiff(wal_capacity_mb=32, wal_segments_ahead=0),
        )
        status = q.OptimizerStatus(ok=True)
        info = q.CollectionInfo(
            status=q.CollectionStatus.Green, optimizer_status=status, segments_count=1, config=config
        )
        return q.GetCollectionInfoResponse(result=info)

    async def Create(self, request: Any, context: Any) -> Any:
        await self._server.begin("Create", context)
        self._server.kept[request.collection_name] = self._server.made(request.vectors_config.params.size)
        return q.CollectionOperationResponse(result=True)

    async def Delete(self, request: Any, context: Any) -> Any:
        await self._server.begin("Delete", context)
        return q.CollectionOperationResponse(result=self._server.kept.pop(request.collection_name, None) is not None)


class _Points(PointsServicer):
    def __init__(self, server: QdrantServer) -> None:
        self._server = server

    async def CreateFieldIndex(self, request: Any, context: Any) -> Any:
        await self._server.begin("CreateFieldIndex", context)
        return _completed()

    async def Upsert(self, request: Any, context: Any) -> Any:
        await self._server.begin("Upsert", context)
        kept = await self._server.collection(request.collection_name, context)
        kept.put([(p.id.uuid, _numbers(p.vectors.vector), p.payload["owner"].string_value) for p in request.points])
        return _completed()

    async def Delete(self, request: Any, context: Any) -> Any:
        await self._server.begin("DeletePoints", context)
        kept = await self._server.collection(request.collection_name, context)
        kept.remove({each.uuid for each in request.points.points.ids})
        return _completed()

    async def Query(self, request: Any, context: Any) -> Any:
        await self._server.begin("Query", context)
        kept = await self._server.collection(request.collection_name, context)
        if not kept.ids:
            return q.QueryResponse(result=[], time=0)
        match = request.filter.must[0].field.match if len(request.filter.must) else None
        wanted = None if match is None else set(match.keywords.strings)
        near = kept.nearest(_numbers(request.query.nearest.dense), wanted, request.limit)
        found = [q.ScoredPoint(id=q.PointId(uuid=each), score=score, version=1) for each, score in near]
        return q.QueryResponse(result=found, time=0)

    async def Get(self, request: Any, context: Any) -> Any:
        await self._server.begin("GetPoints", context)
        kept = await self._server.collection(request.collection_name, context)
        return q.GetResponse(result=[_retrieved(kept, each.uuid) for each in request.ids if each.uuid in kept.rows])

    async def Scroll(self, request: Any, context: Any) -> Any:
        await self._server.begin("Scroll", context)
        kept = await self._server.collection(request.collection_name, context)
        there = [point_id for point_id in sorted(kept.ids) if point_id >= request.offset.uuid]
        page, rest = there[: request.limit], there[request.limit :]
        whole = request.with_vectors.enable
        found = [_retrieved(kept, each) if whole else q.RetrievedPoint(id=q.PointId(uuid=each)) for each in page]
        answer = q.ScrollResponse(result=found)
        if rest:
            answer.next_page_offset.uuid = rest[0]
        return answer

    async def Count(self, request: Any, context: Any) -> Any:
        await self._server.begin("Count", context)
        kept = await self._server.collection(request.collection_name, context)
        return q.CountResponse(result=q.CountResult(count=len(kept.ids)))


def _numbers(vector: Any) -> npt.NDArray[np.float32]:
    numbers = vector.dense.data if hasattr(vector, "dense") and len(vector.dense.data) else vector.data
    given = np.array(numbers, dtype=np.float32)
    unit: npt.NDArray[np.float32] = given / np.linalg.norm(given)
    return unit


def _retrieved(kept: Kept, point_id: str) -> Any:
    vector = q.VectorOutput(dense=q.DenseVector(data=kept.matrix[kept.rows[point_id]].tolist()))
    owner = q.Value(string_value=kept.owners[kept.rows[point_id]])
    return q.RetrievedPoint(
        id=q.PointId(uuid=point_id), payload={"owner": owner}, vectors=q.VectorsOutput(vector=vector)
    )


def _completed() -> Any:
    return q.PointsOperationResponse(result=q.UpdateResult(operation_id=0, status=q.UpdateStatus.Completed))


@asynccontextmanager
async def qdrant_server(made: Callable[[int], Kept] = Kept) -> AsyncIterator[QdrantServer]:
    """Serve on a port of loopback until the end; `made` makes a collection of vectors of so many numbers."""
    server = QdrantServer(made)
    served = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    add_CollectionsServicer_to_server(_Collections(server), served)  # type: ignore[no-untyped-call]
    add_PointsServicer_to_server(_Points(server), served)  # type: ignore[no-untyped-call]
    server.port = served.add_insecure_port("127.0.0.1:0")
    await served.start()
    try:
        yield server
    finally:
        await served.stop(grace=None)
