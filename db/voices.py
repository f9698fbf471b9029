"""Whose voice is known: rows of `users`; the vectors themselves are in the store of vectors."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from db.database import Queries

CHANNEL = "mordomo_people"
"""Notified when people, their roles, or whether their voice is known change."""

KNOWN = """
SELECT id, name, role, speaker_embedding_id, metadata -> 'voice' AS voice FROM users
WHERE is_active AND voice_enrolled AND speaker_embedding_id IS NOT NULL ORDER BY created_at, id
"""
TEACH = """
UPDATE users SET voice_enrolled = TRUE, speaker_embedding_id = $2,
       metadata = jsonb_set(COALESCE(metadata, '{}'::jsonb), '{voice}', $3::jsonb)
WHERE id = $1 AND is_active
"""
ALL = """
SELECT id, name, role, is_active, voice_enrolled, speaker_embedding_id, metadata -> 'voice' AS voice,
       last_interaction_at
FROM users ORDER BY is_active DESC, created_at, id
"""


@dataclass(frozen=True, slots=True)
class KnownVoice:
    """A person whose voice was taught. `point` is their vector's id; `voice` how it was taught, by which model."""

    id: UUID
    name: str
    role: str
    point: UUID
    voice: Mapping[str, Any]

    @property
    def far(self) -> UUID | None:
        """The id of the vector of their voice in other rooms; None for who taught it before there was one."""
        return _uuid(str(self.voice.get("far")))

    @property
    def points(self) -> list[UUID]:
        """The ids of what was taught; what follows has the person's own."""
        return [self.point] if self.far is None else [self.point, self.far]


async def known(db: Queries) -> list[KnownVoice]:
    """Return who taught their voice, in the order in which they were added. Raises LinkDown."""
    rows = [(row, _uuid(row["speaker_embedding_id"])) for row in await db.fetch(KNOWN)]
    return [
        KnownVoice(row["id"], row["name"], row["role"], point, row["voice"] or {})
        for row, point in rows
        if point is not None
    ]


async def points(db: Queries) -> set[UUID]:
    """Return the ids of the vectors that the voices of the house have. Raises LinkDown."""
    return {point for row in await known(db) for point in (*row.points, row.id)}


async def teach(db: Queries, user_id: UUID, point: UUID, voice: Mapping[str, object]) -> None:
    """Write down that this person's voice is known, and where. Raises LinkDown."""
    await db.execute(TEACH, user_id, str(point), voice)


async def everybody(db: Queries) -> list[Mapping[str, Any]]:
    """Return every person, who left the house last. Raises LinkDown."""
    return [dict(row) for row in await db.fetch(ALL)]


def _uuid(text: str) -> UUID | None:
    """Return the id, None for what another program may have written there."""
    try:
        return UUID(text)
    except ValueError:
        return None
