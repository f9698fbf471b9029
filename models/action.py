"""An action: something that Mordomo did, or tried to, because of a message."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Column, Index, String, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from models.table import Table, id_column, moment_column, now_column, reference_column
from models.words import ActionStatus


class Action(Table, table=True):
    """One effect on the world; a committed row before the effect.

    ::

        pending ──▶ executing ──▶ success (result)
           │            └───────▶ failed  (error_message)
           └────────────────────▶ failed  (never begun)

    An action found `executing` after a crash may have happened or not: it becomes `failed`, never silently repeated.
    `message_id` and `conversation_id` are NULL for an action that nobody asked for aloud (a reminder's, a rule's).
    """

    __tablename__ = "actions"
    __table_args__ = (
        CheckConstraint("status IN ('pending', 'executing', 'success', 'failed')", name="status"),
        Index("idx_actions_conversation", "conversation_id"),
        Index("idx_actions_message", "message_id"),
        Index("idx_actions_type", "action_type"),
        Index("idx_actions_status", "status"),
        Index("idx_actions_created", text("created_at DESC")),
    )

    id: uuid.UUID = Field(sa_column=id_column())
    message_id: uuid.UUID | None = Field(default=None, sa_column=reference_column("messages.id"))
    conversation_id: uuid.UUID | None = Field(default=None, sa_column=reference_column("conversations.id"))
    action_type: str = Field(sa_column=Column(String(100), nullable=False))
    action_name: str = Field(sa_column=Column(String(255), nullable=False))
    parameters: dict[str, Any] = Field(sa_column=Column(JSONB(), nullable=False))
    status: ActionStatus = Field(sa_column=Column(String(20), nullable=False, server_default=text("'pending'")))
    result: Any | None = Field(default=None, sa_column=Column(JSONB()))
    executed_at: datetime | None = Field(default=None, sa_column=moment_column())
    error_message: str | None = Field(default=None, sa_column=Column(Text()))
    created_at: datetime = Field(sa_column=now_column())
