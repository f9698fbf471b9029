"""Conversations: from the first words until a quiet time."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from db.database import Queries
from db.messages import Message, Role, history
from db.records import moment
from db.text import storable_json

__all__ = ["ENDED", "Conversation", "Judged", "Message", "Said", "end_quiet", "history", "latest"]

ENDED = """
WITH r AS (
    SELECT * FROM jsonb_to_record($1::jsonb) AS r(
        conversation_id uuid, at timestamptz, satisfaction float8, explained jsonb)
)
UPDATE conversations
SET ended_at = r.at, duration_seconds = GREATEST(0, EXTRACT(epoch FROM r.at - started_at))::integer,
    satisfaction_score = r.satisfaction, metadata = metadata || COALESCE(NULLIF(r.explained, 'null'), '{}')
FROM r WHERE conversations.id = r.conversation_id AND ended_at IS NULL
"""

LEFT_OPEN = """
SELECT id, last FROM (
    SELECT o.id, GREATEST(o.started_at, (SELECT max(timestamp) FROM messages WHERE conversation_id = o.id)) AS last
    FROM conversations AS o WHERE o.ended_at IS NULL
) AS open
WHERE last < $1 ORDER BY last LIMIT $2
"""
SAID_IN = """
SELECT conversation_id, role, content, timestamp AS at, metadata FROM messages
WHERE conversation_id = ANY ($1::uuid[]) AND role <> 'system' ORDER BY timestamp, role DESC
"""
AT_ONCE = 100
"""So many that were left open are read and ended at a time."""

LATEST = """
SELECT c.id, c.user_id, c.started_at, c.ended_at, c.message_count,
       GREATEST(c.started_at, (SELECT max(timestamp) FROM messages WHERE conversation_id = c.id)) AS last_at
FROM conversations AS c
WHERE $1::uuid IS NULL OR c.user_id = $1
ORDER BY c.started_at DESC LIMIT $2
"""


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation; `ended_at` is None while it is open, `last_at` is when its newest message was said."""

    id: UUID
    user_id: UUID | None
    started_at: datetime
    ended_at: datetime | None
    message_count: int
    last_at: datetime


@dataclass(frozen=True, slots=True)
class Said:
    """What is kept of one message of a conversation that was left open; `metadata` is what was noted with it."""

    conversation_id: UUID
    role: Role
    content: str
    at: datetime
    metadata: dict[str, Any]


Judged = Callable[[Sequence[Said]], "tuple[float, Mapping[str, object]] | None"]
"""Returns how well a conversation went (0 to 1), by its messages, the oldest first, and for its metadata why."""


def not_judged(_: Sequence[Said]) -> None:
    """Leave it open how it went."""


async def latest(db: Queries, user_id: UUID | None = None, limit: int = 10) -> list[Conversation]:
    """Return the newest conversations (of one person, if given), the newest first. Raises LinkDown."""
    rows = await db.fetch(LATEST, user_id, limit)
    return [Conversation(**dict(row)) for row in rows]


async def end_quiet(db: Queries, now: datetime, quiet_s: float, judged: Judged = not_judged) -> int:
    """End the open conversations whose last message is older than `quiet_s`; return how many. Raises LinkDown.

    Each ends at its last message: a daemon that was killed could not say when it fell silent.
    """
    ended, before = 0, now - timedelta(seconds=quiet_s)
    while left := await db.fetch(LEFT_OPEN, before, AT_ONCE):
        said: dict[UUID, list[Said]] = {row["id"]: [] for row in left}
        for row in await db.fetch(SAID_IN, list(said)):
            said[row["conversation_id"]].append(Said(**dict(row)))
        for row in left:
            score, why = judged(said[row["id"]]) or (None, None)
            record = {"conversation_id": str(row["id"]), "at": moment(row["last"]), "satisfaction": score}
            await db.execute(ENDED, {**record, "explained": storable_json(why) if why is not None else None})
        ended += len(left)
    return ended
