"""What is kept of a turn, and its form as a record: one JSON object that a single statement stores.

Text from outside is mended here for what PostgreSQL cannot hold (`db.database.storable`), and cut to the length of its
column: a household's record must not fail for a long name or a broken character.
"""

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from db.database import storable
from db.text import Json, clipped, storable_json

Record = Mapping[str, Json]

MOST_TEXT = 100_000
"""Longest message kept, in characters; far above what 15 s of speech or a language model's answer holds."""


def new_id() -> UUID:
    """Return a UUID of version 7 (RFC 9562, 5.7): it begins with the millisecond, so that indexes grow at one end."""
    ms = time.time_ns() // 1_000_000
    random = int.from_bytes(os.urandom(10), "big")
    return UUID(int=ms << 80 | 0x7 << 76 | (random >> 64 & 0xFFF) << 64 | 0b10 << 62 | random & (1 << 62) - 1)


@dataclass(frozen=True, slots=True)
class NewAction:
    """Something that is about to be done. `parameters` is any JSON object."""

    id: UUID
    action_type: str
    action_name: str
    parameters: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class HeardMessage:
    """What a person said, and the actions that follow from it. `at` is aware; `confidence` is 0 to 1."""

    conversation_id: UUID
    message_id: UUID
    text: str
    at: datetime
    user_id: UUID | None = None
    intent: str | None = None
    confidence: float | None = None
    audio_duration_ms: int | None = None
    transcription_model: str | None = None
    metadata: Mapping[str, object] = field(default_factory=dict)
    actions: tuple[NewAction, ...] = ()


@dataclass(frozen=True, slots=True)
class SaidMessage:
    """What Mordomo said. `at` is aware; `latency_ms` runs from the end of speech to the first sound.

    `rag_context` is what the language model was reminded of: id and score of each memory.
    """

    conversation_id: UUID
    message_id: UUID
    text: str
    at: datetime
    latency_ms: int | None = None
    intent: str | None = None
    metadata: Mapping[str, object] = field(default_factory=dict)
    rag_context: Sequence[Mapping[str, object]] = ()


def heard_record(message: HeardMessage, owner: dict[str, Json]) -> Record:
    """Return the record of a message with its actions; `owner` is kept with each action while it is open."""
    model = storable(message.transcription_model) if message.transcription_model else None
    return {
        "kind": "heard",
        "conversation_id": str(message.conversation_id),
        "message_id": str(message.message_id),
        "text": clipped(message.text, MOST_TEXT),
        "at": moment(message.at),
        "user_id": str(message.user_id) if message.user_id else None,
        "intent": clipped(message.intent, 100) if message.intent else None,
        "confidence": storable_json(message.confidence),
        "audio_duration_ms": _ms(message.audio_duration_ms),
        # Of a model that is a path, the end is its name.
        "transcription_model": model if model is None or len(model) <= 50 else "…" + model[-49:],
        "metadata": storable_json(message.metadata),
        "actions": [_action(each) for each in message.actions],
        "owner": owner,
    }


def _action(action: NewAction) -> Json:
    return {
        "id": str(action.id),
        "action_type": clipped(action.action_type, 100),
        "action_name": clipped(action.action_name, 255),
        "parameters": storable_json(action.parameters),
    }


def said_record(message: SaidMessage) -> Record:
    """Return the record of what Mordomo said."""
    return {
        "kind": "said",
        "conversation_id": str(message.conversation_id),
        "message_id": str(message.message_id),
        "text": clipped(message.text, MOST_TEXT),
        "at": moment(message.at),
        "latency_ms": _ms(message.latency_ms),
        "intent": clipped(message.intent, 100) if message.intent else None,
        "metadata": storable_json(message.metadata),
        "rag_context": storable_json(list(message.rag_context)) or None,
    }


def moment(at: datetime) -> str:
    """Return `at` as ISO 8601. Raises ValueError for a naive one."""
    if at.tzinfo is None:
        raise ValueError("a moment without its zone is not stored")
    return at.isoformat()


def _ms(value: float | None) -> int | None:
    return None if value is None else max(0, min(round(value), 2**31 - 1))
