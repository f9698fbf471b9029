"""Conversations: from the first words until a quiet time."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from db.database import Queries
from db.messages import Message, history

__all__ = ["ENDED", "Conversation", "Message", "end_quiet", "history", "latest"]

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

END_QUIET = """
UPDATE conversations AS c
SET ended_at = open.last, duration_seconds = GREATEST(0, EXTRACT(epoch FROM open.last - c.started_at))::integer
FROM (
    SELECT o.id, GREATEST(o.started_at, (SELECT max(timestamp) FROM messages WHERE conversation_id = o.id)) AS last
    FROM conversations AS o WHERE o.ended_at IS NULL
) AS open
WHERE c.id = open.id AND open.last < $1
RETURNING c.id
"""

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


async def latest(db: Queries, user_id: UUID | None = None, limit: int = 10) -> list[Conversation]:
    """Return the newest conversations (of one person, if given), the newest first. Raises LinkDown."""
    rows = await db.fetch(LATEST, user_id, limit)
    return [Conversation(**dict(row)) for row in rows]


async def end_quiet(db: Queries, now: datetime, quiet_s: float) -> int:
    """End the open conversations whose last message is older than `quiet_s`; return how many. Raises LinkDown.

    Each ends at its last message: a daemon that was killed could not say when it fell silent.
    """
    return len(await db.fetch(END_QUIET, now - timedelta(seconds=quiet_s)))
