"""Recall: what the house was told, found again by meaning and by words together, for whoever asks, within a bound.

Both ways give scores, which are added: how near the meaning is on the engine's own scale, and what the words that both
share are worth by their rarity. Where one of them is away (no model yet, a server that does not answer, too late) the
other does alone. Whatever was found is then read from Postgres again, which alone decides what this person may hear.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

import structlog

from daemon.engines.plug import Plug
from daemon.engines.protocols import Embedding
from daemon.errors import EngineFailed, LinkDown
from daemon.memory.related import ALONE, BESIDE_MEANING, asked_words
from daemon.memory.vectors import Near, OtherLength, Vectors
from daemon.people.person import Person, Role
from db import memories
from db.database import Database
from db.memories import Listener, MemoryRow
from db.memory_words import AskedWord, Worded, by_words
from models.words import Remembers

log = structlog.get_logger(__name__)

RANKED = 40
"""So many are ranked by either way."""
WORDS_WORTH = 0.014
"""What a unit of the words' score is worth beside nearness: 0 is nothing to do with it, 1 the same."""
LIKELY = 0.6
"""From this share of what an engine's `sure` comes to, something may be meant; see docs/decisions/memory.md."""
HALF_LIFE = timedelta(days=90)
RECENT_SHARE = 0.15
IMPORTANT_SHARE = 0.1
"""How much of a score goes by age, and by importance."""
SHARE = 0.7
"""How much of the bound either way of finding may take; the rest is for reading what was found."""
RESIDENTS: frozenset[Role] = frozenset({"administrator", "adult", "teenager", "child"})
TRUSTED: frozenset[Role] = frozenset({"administrator", "adult", "teenager"})
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Remembered:
    """Something remembered, at its moment. `score` is 0 to 1, and orders; `text` is data, whatever it says.

    `sure` is what is good enough to be said as an answer, `likely` what may be, and is said so.
    """

    id: UUID
    text: str
    kind: Remembers
    at: datetime
    score: float
    sure: bool = False
    likely: bool = False


class Recall:
    """Recalls. `bound_ms` bounds the whole of it; `by_meaning` says whether there is a model at all."""

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
        self._alike, self._sure = 0.0, 1.0

    async def recall(
        self, text: str, person: Person, area: str | None, now: datetime, most: int = 6, *, within_ms: int | None = None
    ) -> list[Remembered]:
        """Return what fits the text best, of what this person may hear; nothing where memory is away or too slow.

        `within_ms` is for who can wait longer than the household's bound, or less.
        """
        listener, bound_s = listening(person, area), (within_ms or self._bound_ms()) / 1000
        asked = asked_words(text, BESIDE_MEANING if self._by_meaning_too() else ALONE)
        try:
            async with asyncio.timeout(bound_s):
                nearest, worded = await self._found(text, asked, listener, SHARE * bound_s)
                scores = fused(nearest, worded, self._alike)
                rows = await memories.seen(self._db, list(scores), text, listener)
        except (LinkDown, TimeoutError) as away:
            log.warning("recall_away", why=str(away) or "too slow")
            return []
        beyond_doubt = (self._sure - self._alike) / (1 - self._alike)
        # What the store does not have yet (told a moment ago, no model) only words can find, and they are enough.
        unread = set(scores) - {one.id for one in nearest} if len(nearest) < RANKED else set()
        exact = unread & {one.id for one in worded if one.exact}
        found = [_remembered(row, scores[row.id], now) for row in rows]
        found = [
            replace(
                one,
                sure=one.id in exact or scores[one.id] >= beyond_doubt,
                likely=one.id in unread or scores[one.id] >= LIKELY * beyond_doubt,
            )
            for one in found
        ]
        return sorted(found, key=lambda one: (-one.score, one.id))[:most]

    async def _found(
        self, text: str, asked: Sequence[AskedWord], listener: Listener, share_s: float
    ) -> tuple[list[Near], list[Worded]]:
        """Return what is near by meaning, and what words find, each the best first."""
        return await asyncio.gather(
            self._or_nothing(self._by_meaning(text, listener), share_s),
            self._or_nothing(by_words(self._db, text, asked, listener, RANKED), share_s),
        )

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
    """Return what a person may hear, by their role; who is only likely somebody hears no secrets."""
    return Listener(person.id, person.role in RESIDENTS, person.role in TRUSTED and person.trusted, area)


def fused(nearest: Sequence[Near], worded: Sequence[Worded], alike: float) -> dict[UUID, float]:
    """Return the score of each that either way found, 0 to 1. What is less near than `alike` is not near at all."""
    meant = {one.id: (one.score - alike) / (1 - alike) for one in nearest if one.score >= alike}
    # Of what is not among the nearest it is known only that it is no nearer than they are.
    others = min(meant.values()) if len(meant) >= RANKED else 0.0
    scores = dict(meant)
    for one in worded:
        scores[one.id] = min(1.0, meant.get(one.id, others) + WORDS_WORTH * one.score)
    return scores


def _remembered(row: MemoryRow, score: float, now: datetime) -> Remembered:
    """Return the memory with its score, the newer and the more important of two alike before the other."""
    age = max(now - row.created_at, timedelta(0))
    recent = 1 - RECENT_SHARE + RECENT_SHARE * 0.5 ** (age / HALF_LIFE)
    important = 1 - IMPORTANT_SHARE + IMPORTANT_SHARE * row.importance
    return Remembered(row.id, row.text, row.kind, row.created_at, score * recent * important)
