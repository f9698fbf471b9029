"""What happened to a reminder."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, Identity, Index, String, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from models.table import Table, now_column
from models.words import Step


class ReminderStep(Table, table=True):
    """One step in the life of one reminder; rows are only ever added.

    ::

        spoken ──▶ repeated … ──▶ escalated … ──▶ done
           └──▶ snoozed ──▶ spoken
        late: ──▶ missed ──▶ mentioned (in a briefing), or dropped; a command: carried_out; beside the voice: pushed
    """

    __tablename__ = "reminder_steps"
    __table_args__ = (
        CheckConstraint(
            "step IN ('spoken', 'repeated', 'escalated', 'snoozed', 'done', 'missed', 'mentioned', 'dropped', 'pushed',"
            " 'carried_out')",
            name="step",
        ),
        Index("idx_reminder_steps_reminder", "reminder_id"),
    )

    id: int | None = Field(default=None, sa_column=Column(BigInteger(), Identity(always=True), primary_key=True))
    reminder_id: uuid.UUID = Field(
        sa_column=Column(Uuid(), ForeignKey("reminders.id", ondelete="CASCADE"), nullable=False)
    )
    at: datetime = Field(sa_column=now_column())
    step: Step = Field(sa_column=Column(String(20), nullable=False))
    detail: dict[str, Any] = Field(sa_column=Column(JSONB(), nullable=False, server_default=text("'{}'::jsonb")))
