"""Vectors: where embeddings are kept and found by likeness. One Protocol; pgvector, Qdrant and plain rows behind it.

A point is a row's id, a unit vector, and whose it is. What it means is in Postgres, in the row of that id: a store
of vectors can be lost and built again (`mordomo memory reindex`), and whoever asks it checks what it says against
the rows before a word of it is spoken.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, get_args
from uuid import UUID

import numpy as np
import numpy.typing as npt

from daemon.errors import MordomoError

Vector = npt.NDArray[np.float32]
"""Shape (n,), length 1 by the Euclidean norm; n is the same throughout a collection."""
CollectionName = Literal["memories", "voices"]
COLLECTIONS: tuple[CollectionName, ...] = get_args(CollectionName)


class OtherLength(MordomoError):  # noqa: N818 - a state
    """A vector of another length than those already there: another model made it. Clear the collection first."""

    def __init__(self, collection: str, there: int, given: int) -> None:
        super().__init__(
            f"Os vetores de “{collection}” têm {there} números, e veio um de {given}: foram feitos por outro modelo. "
            "Refaça-os com: mordomo memory reindex"
        )


@dataclass(frozen=True, slots=True)
class Point:
    """A vector to keep. `id` is its row's; `owner` whose private it is, None for what is the house's."""

    id: UUID
    vector: Vector
    owner: UUID | None = None


@dataclass(frozen=True, slots=True)
class Near:
    """A point found. `score` is the cosine of the angle, -1 to 1; 1 is the same vector."""

    id: UUID
    score: float


class Vectors(Protocol):
    """A store of vectors. Every method raises LinkDown while its server is away; collections come into being on use."""

    name: str
    """"pgvector", "qdrant" or "plain": which store this is."""

    async def put(self, collection: CollectionName, points: Sequence[Point]) -> None:
        """Keep these, in place of those with the same ids; they are durable when this returns. Raises OtherLength."""
        ...

    async def near(
        self,
        collection: CollectionName,
        vector: Vector,
        most: int,
        owners: Collection[UUID | None] | None = None,
    ) -> list[Near]:
        """Return up to `most` points, the nearest first, of these owners only (None among them: the house's).

        Without `owners`, of all. Nothing where the collection is empty or holds vectors of another length.
        """
        ...

    async def get(self, collection: CollectionName, ids: Collection[UUID]) -> Mapping[UUID, Vector]:
        """Return the vectors of these ids; those not there are left out."""
        ...

    async def points(self, collection: CollectionName) -> list[Point]:
        """Return every point, as it was put: for collections of a household's size."""
        ...

    async def ids(self, collection: CollectionName) -> set[UUID]:
        """Return the id of every point."""
        ...

    async def count(self, collection: CollectionName) -> int:
        """Return how many points there are."""
        ...

    async def remove(self, collection: CollectionName, ids: Collection[UUID]) -> None:
        """Forget these for good; those not there are no error."""
        ...

    async def clear(self, collection: CollectionName) -> None:
        """Forget all; the next `put` decides the length anew."""
        ...

    async def check(self) -> None:
        """Return when the store answers. Raises LinkDown."""
        ...

    async def close(self) -> None:
        """Give back connections."""
        ...


def unit(vector: npt.ArrayLike) -> Vector:
    """Return the vector with length 1. Raises ValueError where it has none, or a number that is not finite."""
    given = np.asarray(vector, dtype=np.float32)
    length = float(np.linalg.norm(given))
    if given.ndim != 1 or not np.isfinite(length) or length == 0.0:
        raise ValueError("a vector needs a length to become one of length 1")
    return given / np.float32(length)
