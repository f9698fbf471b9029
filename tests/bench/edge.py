"""Collections for the server that speaks Qdrant's protocol: in Qdrant's own engine where `qdrant-edge-py` is installed.

`.venv/bin/pip install qdrant-edge-py` brings it (beta, 35 MB; nothing else needs it). Without it the server compares all
points with numpy, which at 100,000 of them takes longer than everything else together.
"""

import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from support.qdrant_server import Kept

LEAST_INDEXED = 1000


class EdgeKept(Kept):
    """A collection in Qdrant's engine, with its HNSW index and its index of owners; only what the bench asks of it."""

    def __init__(self, length: int, folder: Path, edge: Any) -> None:
        super().__init__(length)
        self._edge, self._fresh = edge, False
        params = edge.EdgeVectorParams(length, edge.Distance.Dot)
        self._shard = edge.EdgeShard.create(str(folder), edge.EdgeConfig(vectors=params))
        index = edge.UpdateOperation.create_field_index("owner", edge.PayloadSchemaType.Keyword)
        self._shard.update(index)

    def put(self, points: list[tuple[str, npt.NDArray[np.float32], str]]) -> None:
        given = [self._edge.Point(each, vector.tolist(), {"owner": owner}) for each, vector, owner in points]
        self._shard.update(self._edge.UpdateOperation.upsert_points(given))
        self.ids += [each for each, _, _ in points]
        self._fresh = len(self.ids) >= LEAST_INDEXED

    def nearest(self, vector: npt.NDArray[np.float32], owners: set[str] | None, most: int) -> list[tuple[str, float]]:
        if self._fresh:
            self._shard.optimize()
            self._fresh = False
        edge, wanted = self._edge, None
        if owners is not None:
            wanted = edge.Filter(must=[edge.FieldCondition("owner", match=edge.MatchAny(sorted(owners)))])
        asked = edge.QueryRequest(limit=most, query=edge.Query.Nearest(vector.tolist()), filter=wanted)
        return [(str(point.id), point.score) for point in self._shard.query(asked)]


@asynccontextmanager
async def collections() -> AsyncIterator[Callable[[int], Kept]]:
    """Yield what makes a collection of vectors of so many numbers."""
    try:
        import qdrant_edge
    except ImportError:
        yield Kept
        return
    with tempfile.TemporaryDirectory(prefix="mordomo-edge-") as folder:

        def made(length: int) -> Kept:
            own = Path(folder) / str(length)
            own.mkdir()
            return EdgeKept(length, own, qdrant_edge)

        yield made
