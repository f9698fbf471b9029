"""Messages: what was heard and what was said.

Each statement takes its whole record as one `jsonb` and stores it in one round trip; stored twice it changes nothing,
so that a record may be replayed. Parts of one statement see the same snapshot: the conversation's count is taken from
the message that this very statement inserted, and a message that comes after its conversation's end opens it again.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from db.database import Queries

HEARD = """
WITH r AS MATERIALIZED (
    SELECT * FROM jsonb_to_record($1::jsonb) AS r(
        conversation_id uuid, message_id uuid, text text, at timestamptz, user_id uuid, intent text, confidence float8,
        audio_duration_ms integer, transcription_model text, metadata jsonb, actions jsonb, owner jsonb)
), person AS (
    UPDATE users SET last_interaction_at = GREATEST(last_interaction_at, r.at)
    FROM r WHERE users.id = r.user_id RETURNING users.id
), message AS (
    INSERT INTO messages (id, conversation_id, role, content, timestamp, intent, confidence, audio_duration_ms,
                          transcription_model, metadata)
    SELECT message_id, conversation_id, 'user', text, at, intent, confidence, audio_duration_ms,
           transcription_model, metadata FROM r
    ON CONFLICT (id) DO NOTHING RETURNING id
), conversation AS (
    INSERT INTO conversations AS c (id, user_id, started_at, message_count)
    SELECT r.conversation_id, (SELECT id FROM person), r.at, (SELECT count(*) FROM message) FROM r
    ON CONFLICT (id) DO UPDATE
    SET message_count = c.message_count + excluded.message_count, user_id = COALESCE(c.user_id, excluded.user_id),
        ended_at = NULL, duration_seconds = NULL
    WHERE excluded.message_count > 0
)
INSERT INTO actions (id, message_id, conversation_id, action_type, action_name, parameters, created_at, result)
SELECT a.id, r.message_id, r.conversation_id, a.action_type, a.action_name, a.parameters, r.at, r.owner
FROM r, jsonb_to_recordset(r.actions) AS a(id uuid, action_type text, action_name text, parameters jsonb)
ON CONFLICT (id) DO NOTHING
"""

SAID = """
WITH r AS MATERIALIZED (
    SELECT * FROM jsonb_to_record($1::jsonb) AS r(
        conversation_id uuid, message_id uuid, text text, at timestamptz, latency_ms integer, intent text,
        metadata jsonb, rag_context jsonb)
), message AS (
    INSERT INTO messages (id, conversation_id, role, content, timestamp, latency_ms, intent, metadata, rag_context)
    SELECT message_id, conversation_id, 'assistant', text, at, latency_ms, intent, metadata, NULLIF(rag_context, 'null')
    FROM r
    ON CONFLICT (id) DO NOTHING RETURNING id
)
INSERT INTO conversations AS c (id, started_at, message_count)
SELECT r.conversation_id, r.at, (SELECT count(*) FROM message) FROM r
ON CONFLICT (id) DO UPDATE
SET message_count = c.message_count + excluded.message_count, ended_at = NULL, duration_seconds = NULL
WHERE excluded.message_count > 0
"""

HISTORY = """
SELECT id, role, content, timestamp AS at, intent, confidence, latency_ms FROM (
    SELECT * FROM messages
    WHERE conversation_id = $1 AND ($3::uuid IS NULL OR id <> $3)
      AND timestamp <= COALESCE((SELECT timestamp FROM messages WHERE id = $3), 'infinity')
    ORDER BY timestamp DESC, role LIMIT $2
) AS newest ORDER BY timestamp, role DESC
"""

Role = Literal["user", "assistant", "system"]


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation, by whomever. `at` is aware, in UTC."""

    id: UUID
    role: Role
    content: str
    at: datetime
    intent: str | None
    confidence: float | None
    latency_ms: int | None


async def history(db: Queries, conversation_id: UUID, limit: int = 20, *, before: UUID | None = None) -> list[Message]:
    """Return the newest `limit` messages of a conversation (until the message `before`), the oldest of them first.

    Raises LinkDown.
    """
    return [Message(**dict(row)) for row in await db.fetch(HISTORY, conversation_id, limit, before)]
