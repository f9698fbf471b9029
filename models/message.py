"""A message: what was said, by whom of the two, with the figures of how it was heard or answered."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Column, Computed, Float, Index, Integer, String, Text, text
from sqlalchemy.dialects.postgresql import JSONB, TSVECTOR
from sqlmodel import Field

from models.table import Table, id_column, metadata_column, now_column, reference_column
from models.words import Role


class Message(Table, table=True):
    """One message of a conversation; written once, never changed.

    ::

        user's (audio_duration_ms, transcription_model, intent, confidence) ──▶ assistant's (latency_ms)

    `confidence` is 0 to 1. The user's message is a committed row before anything is done about it. `search` is made by
    the database: the words and the month to find it by.
    """

    __tablename__ = "messages"
    __table_args__ = (
        CheckConstraint("role IN ('user', 'assistant', 'system')", name="role"),
        Index("idx_messages_conversation", "conversation_id", "timestamp"),
        Index("idx_messages_role", "role"),
        Index("idx_messages_intent", "intent"),
        Index("idx_messages_timestamp", text("timestamp DESC")),
        Index("idx_messages_search", "search", postgresql_using="gin", postgresql_with={"fastupdate": "off"}),
    )

    id: uuid.UUID = Field(sa_column=id_column())
    conversation_id: uuid.UUID = Field(sa_column=reference_column("conversations.id", nullable=False))
    role: Role = Field(sa_column=Column(String(20), nullable=False))
    content: str = Field(sa_column=Column(Text(), nullable=False))
    timestamp: datetime = Field(sa_column=now_column())
    latency_ms: int | None = Field(default=None, sa_column=Column(Integer()))
    intent: str | None = Field(default=None, sa_column=Column(String(100)))
    confidence: float | None = Field(default=None, sa_column=Column(Float()))
    rag_context: Any | None = Field(default=None, sa_column=Column(JSONB()))
    audio_duration_ms: int | None = Field(default=None, sa_column=Column(Integer()))
    transcription_model: str | None = Field(default=None, sa_column=Column(String(50)))
    extra: dict[str, Any] = Field(sa_column=metadata_column())
    search: str | None = Field(
        default=None,
        sa_column=Column(TSVECTOR(), Computed("search_vector(content, timestamp)", persisted=True), nullable=False),
    )
