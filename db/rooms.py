"""Where a person was heard last."""

from datetime import datetime
from uuid import UUID

from db.database import Queries

LAST_HEARD_IN = """
SELECT m.metadata ->> 'area' FROM messages AS m JOIN conversations AS c ON c.id = m.conversation_id
WHERE m.role = 'user' AND m.timestamp >= $3 AND m.metadata ->> 'area' IS NOT NULL
    AND c.user_id = COALESCE($1, (SELECT id FROM users WHERE lower(name) = lower($2) LIMIT 1))
ORDER BY m.timestamp DESC LIMIT 1
"""


async def last_heard_in(db: Queries, user_id: UUID | None, name: str | None, since: datetime) -> str | None:
    """Return the room where a person (by id, else by name) spoke last since a moment, or None. Raises LinkDown."""
    room: str | None = await db.fetchval(LAST_HEARD_IN, user_id, name, since)
    return room
