"""Why the house is as it is: what Mordomo did and for whom, what changed by itself, and what the last turn changed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from db.database import Queries

LOOK_BACK = timedelta(days=30)
"""How far back an answer may lie; it bounds the partitions that are read."""

_DEED = """
    a.id, a.action_name AS verb, a.parameters, a.result, a.status, COALESCE(a.executed_at, a.created_at) AS at,
    a.created_at, a.message_id, COALESCE(a.parameters->>'words', m.content) AS words,
    m.metadata->>'area' AS area, m.metadata->>'source' AS source, m.intent, u.id AS user_id, u.name AS person
"""
_FROM = """
FROM actions AS a LEFT JOIN messages AS m ON m.id = a.message_id AND m.timestamp >= $1::timestamptz - interval '1 day'
LEFT JOIN conversations AS c ON c.id = m.conversation_id LEFT JOIN users AS u ON u.id = c.user_id
WHERE a.action_type = 'iot_control' AND a.created_at >= $1
"""

DONE_SINCE = f"""
SELECT {_DEED} {_FROM} AND a.status = 'success' AND a.created_at < $2 ORDER BY a.created_at DESC LIMIT $3
"""

LAST_DEED = f"""
SELECT {_DEED} {_FROM} AND a.status = 'success' AND a.parameters->>'entity_id' = $2
AND a.result->>'outcome' IS DISTINCT FROM 'already' AND ($3::text[] IS NULL OR a.action_name = ANY ($3))
ORDER BY a.created_at DESC LIMIT 1
"""  # noqa: S608 - made of the texts above

DEED = f"SELECT {_DEED} {_FROM} AND a.id = $2"

LAST_CHANGE = """
SELECT now.at, now.state, now.cause, now.action_id FROM (
    SELECT at, state, cause, action_id, lead(state) OVER (ORDER BY at DESC, id DESC) AS before
    FROM entity_states WHERE entity_id = $2 AND at >= $1
) AS now
WHERE now.state IS DISTINCT FROM now.before AND now.before IS NOT NULL  -- what is first heard of is no change
AND ($3::text[] IS NULL OR now.state = ANY ($3) AND NOT COALESCE(now.before = ANY ($3), FALSE))
ORDER BY now.at DESC LIMIT 1
"""

# The newest turn that changed something and was not taken back; what takes back is itself no such turn.
LAST_TURN = f"""
SELECT {_DEED} {_FROM} AND a.message_id = (
    SELECT last.message_id FROM actions AS last JOIN messages AS said ON said.id = last.message_id
    WHERE last.action_type = 'iot_control' AND last.created_at >= $1 AND last.message_id IS NOT NULL
    AND last.status = 'success' AND last.result->>'outcome' IN ('confirmed', 'sent')
    AND NOT last.parameters ? 'undoes'
    AND ($2::text IS NULL OR COALESCE(said.metadata->>'area', $2) = $2)
    AND NOT EXISTS (SELECT FROM actions AS undoing
                    WHERE undoing.parameters ? 'undoes' AND undoing.parameters->>'undoes' = last.message_id::text
                    AND undoing.created_at >= $1 AND undoing.status = 'success')
    ORDER BY last.created_at DESC LIMIT 1
)
AND a.status = 'success' AND a.result->>'outcome' IN ('confirmed', 'sent')
ORDER BY a.created_at, a.parameters->>'name', a.id
"""  # noqa: S608 - made of the texts above


@dataclass(frozen=True, slots=True)
class Deed:
    """Something that Mordomo did to a device: asked in which words (None: nobody asked aloud), and how it went.

    `words` may hold any text: it is data. `intent` is what was understood of all of them, `person` who asked (and
    `user_id` their row), None for a voice that nobody knew. `result` has `outcome`, `state` and `previous` (state and
    readings).
    """

    id: UUID
    verb: str
    parameters: Mapping[str, Any]
    result: Mapping[str, Any] | None
    status: str
    at: datetime
    created_at: datetime
    message_id: UUID | None
    words: str | None
    area: str | None
    source: str | None
    intent: str | None = None
    user_id: UUID | None = None
    person: str | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """When an entity's state last changed, to what, and why: `mordomo` (then by which action), `house` or `unknown`."""

    at: datetime
    state: str | None
    cause: str
    action_id: UUID | None


async def done_between(db: Queries, since: datetime, until: datetime, limit: int = 100) -> list[Deed]:
    """Return what was done to devices, the newest first. Raises LinkDown."""
    return [Deed(**dict(row)) for row in await db.fetch(DONE_SINCE, since, until, limit)]


async def last_change(db: Queries, entity_id: str, now: datetime, states: list[str] | None = None) -> Change | None:
    """Return the last change of an entity's state, or the last one to one of `states`. Raises LinkDown."""
    row = await db.fetchrow(LAST_CHANGE, now - LOOK_BACK, entity_id, states)
    return None if row is None else Change(**dict(row))


async def last_deed(db: Queries, entity_id: str, now: datetime, verbs: list[str] | None = None) -> Deed | None:
    """Return the last thing that Mordomo did to an entity, or the last with one of `verbs`. Raises LinkDown."""
    row = await db.fetchrow(LAST_DEED, now - LOOK_BACK, entity_id, verbs)
    return None if row is None else Deed(**dict(row))


async def deed(db: Queries, action_id: UUID, now: datetime) -> Deed | None:
    """Return the deed of an action. Raises LinkDown."""
    row = await db.fetchrow(DEED, now - LOOK_BACK, action_id)
    return None if row is None else Deed(**dict(row))


async def last_turn(db: Queries, since: datetime, area: str | None) -> list[Deed]:
    """Return what the last turn since then changed and nobody took back, in order: that of `area`, or of anywhere.

    Raises LinkDown.
    """
    return [Deed(**dict(row)) for row in await db.fetch(LAST_TURN, since, area)]
