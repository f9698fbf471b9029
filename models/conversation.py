"""A conversation: turns that follow each other without a long pause."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Column, Float, Index, Integer, text
from sqlmodel import Field

from models.table import Table, id_column, metadata_column, moment_column, now_column, reference_column


class Conversation(Table, table=True):
    """A conversation of one person, or of nobody known (`user_id` NULL).

    ::

        open (ended_at NULL) ──quiet for conversation.quiet_s──▶ ended (ended_at, duration_seconds)

    `message_count` is kept by the statement that stores a message; `satisfaction_score` is 0 to 1, NULL while unknown.
    """

    __tablename__ = "conversations"
    __table_args__ = (
        CheckConstraint("satisfaction_score BETWEEN 0 AND 1", name="satisfaction_score"),
        Index("idx_conversations_user", "user_id"),
        Index("idx_conversations_started", text("started_at DESC")),
        Index("idx_conversations_metadata", "metadata", postgresql_using="gin"),
    )

    id: uuid.UUID = Field(sa_column=id_column())
    user_id: uuid.UUID | None = Field(default=None, sa_column=reference_column("users.id"))
    started_at: datetime = Field(sa_column=now_column())
    ended_at: datetime | None = Field(default=None, sa_column=moment_column())
    duration_seconds: int | None = Field(default=None, sa_column=Column(Integer()))
    message_count: int = Field(sa_column=Column(Integer(), nullable=False, server_default=text("0")))
    satisfaction_score: float | None = Field(default=None, sa_column=Column(Float()))
    extra: dict[str, Any] = Field(sa_column=metadata_column())
