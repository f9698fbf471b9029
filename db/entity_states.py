"""The history of the house's devices: how an entity became as it is, when, why, and who had asked for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from db.database import Queries

MOST = 1000


@dataclass(frozen=True, slots=True)
class Change:
    """One change of an entity, and where we caused it, the action, the words that asked for it, and whose they were.

    `cause` is mordomo, house (a switch on the wall, another program) or unknown (so already when we came). `person` is
    None where nobody known asked; `said` and `action` where it was not a message that asked.
    """

    at: datetime
    entity_id: str
    state: str | None
    previous: str | None
    attributes: Mapping[str, Any]
    cause: str
    action_id: UUID | None
    action: str | None
    parameters: Mapping[str, Any] | None
    message_id: UUID | None
    said: str | None
    channel: str | None
    person: str | None


# `told` is lines of entity_states with the state before each.
WITH_WHO = """
SELECT told.at, told.entity_id, told.state, told.previous, told.attributes, told.cause, told.action_id,
    actions.action_name AS action, actions.parameters, messages.id AS message_id, messages.content AS said,
    messages.metadata ->> 'source' AS channel, users.name AS person
FROM told LEFT JOIN actions ON actions.id = told.action_id
    LEFT JOIN messages ON messages.id = actions.message_id
    LEFT JOIN conversations ON conversations.id = COALESCE(actions.conversation_id, messages.conversation_id)
    LEFT JOIN users ON users.id = conversations.user_id
ORDER BY told.at DESC, told.id DESC
"""
HISTORY = f"""
WITH told AS (
    SELECT *, lag(state) OVER (PARTITION BY entity_id ORDER BY at, id) AS previous FROM entity_states
    WHERE (cardinality($1::text[]) = 0 OR entity_id = ANY ($1))
      AND at >= $2 AND at < COALESCE($3, 'infinity'::timestamptz)
    ORDER BY at DESC, id DESC LIMIT $4
) {WITH_WHO}
"""  # noqa: S608 - constants of this file


async def history(
    db: Queries,
    entity_ids: list[str] | None = None,
    *,
    since: datetime,
    until: datetime | None = None,
    limit: int = 100,
) -> list[Change]:
    """Return the changes of some entities, or of all, the newest first; `previous` only among them. Raises LinkDown."""
    rows = await db.fetch(HISTORY, entity_ids or [], since, until, min(limit, MOST))
    return [Change(**dict(row)) for row in rows]
