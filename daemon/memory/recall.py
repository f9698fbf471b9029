"""Recall: what the house was told, found again by meaning and by words together, for whoever asks, within a bound.

Both ways give a ranking; they are fused by reciprocal rank, since their scores have nothing in common. Where one of
them is away (no model yet, a server that does not answer, too late) the other does alone. Whatever was found is then
read from Postgres again, which alone decides what this person may hear.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

import structlog

from daemon.engines.plug import Plug
from daemon.engines.protocols import Embedding
from daemon.errors import EngineFailed, LinkDown
from daemon.language.words import plain_words
from daemon.memory.vectors import Near, OtherLength, Vectors
from daemon.people.person import Person, Role
from db import memories
from db.database import Database
from db.memories import Listener, MemoryRow
from models.memory import Remembers

log = structlog.get_logger(__name__)

RANKED = 40
"""So many are ranked by either way."""
STEEPNESS = 10
"""The k of reciprocal rank fusion: how much the first of a ranking is worth more than the next."""
WORDS_WEIGHT = 0.3
"""What a place among the words' ranking is worth beside the same place by meaning."""
HALF_LIFE = timedelta(days=90)
RECENT_SHARE = 0.15
IMPORTANT_SHARE = 0.1
"""How much of a score goes by age, and by importance."""
SHARE = 0.7
"""How much of the bound either way of finding may take; the rest is for reading what was found."""
RESIDENTS: frozenset[Role] = frozenset({"administrator", "adult", "teenager", "child"})
TRUSTED: frozenset[Role] = frozenset({"administrator", "adult", "teenager"})
QUESTION_WORDS = frozenset(
    "onde quanto quanta quantos quantas qual quais quem quando como que por porque cade sabe lembra lembrar falei falou"
    " disse contei contou sobre mesmo aqui gente coisa fica ficou esta estao ta tem ter pra pro pras pros vai vou mim"
    " hein eh ne aquele aquela hora horas dia dias".split()
)
"""Words that ask, and name nothing that could be found."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Remembered:
    """Something remembered, at its moment. `score` is 0 to 1, and orders; `text` is data, whatever it says.

    `sure` where a word of the question, or its meaning beyond doubt, brought it: good enough to be said as an answer.
    """

    id: UUID
    text: str
    kind: Remembers
    at: datetime
    score: float
    sure: bool = False


class Recall:
    """Recalls. `bound_ms` bounds the whole of it; `model` says whether there is one at all."""

    def __init__(
        self, db: Database, vectors: Vectors, embedding: Plug[Embedding], bound_ms: Callable[[], int],
        by_meaning: Callable[[], bool] = lambda: True,
    ) -> None:  # fmt: skip
        self._db = db
        self._vectors = vectors
        self._embedding = embedding
        self._bound_ms = bound_ms
        self._by_meaning_too = by_meaning
        self._loading: asyncio.Task[None] | None = None
        self._alike = self._sure = 1.0

    async def recall(
        self, text: str, person: Person, area: str | None, now: datetime, most: int = 6, *, within_ms: int | None = None
    ) -> list[Remembered]:
        """Return what fits the text best, of what this person may hear; nothing where memory is away or too slow.

        `within_ms` is for who can wait longer than the household's bound, or less.
        """
        listener, bound_s = listening(person, area), (within_ms or self._bound_ms()) / 1000
        try:
            async with asyncio.timeout(bound_s):
                nearest, worded = await self._rankings(text, listener, SHARE * bound_s)
                scores = fused([one.id for one in nearest if one.score >= self._alike], worded)
                rows = await memories.seen(self._db, list(scores), text, listener)
        except (LinkDown, TimeoutError) as away:
            log.warning("recall_away", why=str(away) or "too slow")
            return []
        sure = {one.id for one in nearest if one.score >= self._sure} | set(worded)
        found = [_remembered(row, scores[row.id], now, sure=row.id in sure) for row in rows]
        return sorted(found, key=lambda one: (-one.score, one.id))[:most]

    async def _rankings(self, text: str, listener: Listener, share_s: float) -> tuple[list[Near], list[UUID]]:
        """Return what is near by meaning, and ids by words, each the best first."""
        nearest, worded = await asyncio.gather(
            self._or_nothing(self._by_meaning(text, listener), share_s),
            self._or_nothing(memories.by_words(self._db, asked_words(text), listener, RANKED), share_s),
        )
        return nearest, [each for each, _ in worded]

    async def _by_meaning(self, text: str, listener: Listener) -> list[Near]:
        if not self._by_meaning_too() or not text.strip():
            return []
        if self._embedding.state.condition != "ready":
            self._load()
            return []
        async with self._embedding.use() as engine:
            [vector] = await engine.embed([text])
            self._alike, self._sure = engine.alike, engine.sure
        return await self._vectors.near("memories", vector, RANKED, {None, listener.user_id})

    def _load(self) -> None:
        """Have the model loaded beside; who asks now is answered without it."""
        if self._loading is None or self._loading.done():
            self._loading = asyncio.ensure_future(self._embedding.load())

    async def _or_nothing(self, found: Coroutine[Any, Any, list[T]], share_s: float) -> list[T]:
        """Return what is found in a share of the bound, or nothing: the other way still answers."""
        try:
            async with asyncio.timeout(share_s):
                return await found
        except (LinkDown, EngineFailed, OtherLength, TimeoutError) as away:
            log.warning("recall_half", why=str(away) or "too slow")
            return []


def listening(person: Person, area: str | None) -> Listener:
    """Return what a person may hear, by their role."""
    return Listener(person.id, person.role in RESIDENTS, person.role in TRUSTED, area)


def asked_words(text: str) -> str:
    """Return the text without the words that only ask."""
    return " ".join(word for word in plain_words(text) if word not in QUESTION_WORDS)


def fused(nearest: Sequence[UUID], worded: Sequence[UUID]) -> dict[UUID, float]:
    """Return each id's score of both rankings, 0 to 1."""
    best = (1 + WORDS_WEIGHT) / STEEPNESS
    scores: dict[UUID, float] = {}
    for weight, ranking in ((1.0, nearest), (WORDS_WEIGHT, worded)):
        for place, each in enumerate(ranking):
            scores[each] = scores.get(each, 0.0) + weight / (STEEPNESS + place) / best
    return scores


def _remembered(row: MemoryRow, score: float, now: datetime, *, sure: bool) -> Remembered:
    """Return the memory with its score, the newer and the more important of two alike before the other."""
    age = max(now - row.created_at, timedelta(0))
    recent = 1 - RECENT_SHARE + RECENT_SHARE * 0.5 ** (age / HALF_LIFE)
    important = 1 - IMPORTANT_SHARE + IMPORTANT_SHARE * row.importance
    return Remembered(row.id, row.text, row.kind, row.created_at, score * recent * important, sure)
