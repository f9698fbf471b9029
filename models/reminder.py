"""A reminder: something to say at a moment."""

import uuid
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import CheckConstraint, Column, Index, String, Text, text
from sqlmodel import Field

from models.table import Table, id_column, metadata_column, moment_column, now_column, reference_column

ReminderStatus = Literal["pending", "triggered", "cancelled"]


class Reminder(Table, table=True):
    """Something to say to a person, or to the house (`user_id` NULL), once, at `scheduled_at`.

    ::

        pending ──claimed: leased_by, lease_until──▶ pending, leased ──spoken──▶ triggered (triggered_at)
           │  ▲                                            │
           │  └────────── lease_until passes ──────────────┘   (the speaker died: it is spoken once more)
           └──▶ cancelled

    Due ones come from the partial index `idx_reminders_scheduled`; a trigger notifies `mordomo_reminders` of changes.
    """

    __tablename__ = "reminders"
    __table_args__ = (
        CheckConstraint("status IN ('pending', 'triggered', 'cancelled')", name="status"),
        Index("idx_reminders_user", "user_id"),
        Index("idx_reminders_scheduled", "scheduled_at", postgresql_where=text("status = 'pending'")),
        Index("idx_reminders_status", "status"),
    )

    id: uuid.UUID = Field(sa_column=id_column())
    user_id: uuid.UUID | None = Field(default=None, sa_column=reference_column("users.id"))
    title: str = Field(sa_column=Column(String(255), nullable=False))
    description: str | None = Field(default=None, sa_column=Column(Text()))
    scheduled_at: datetime = Field(sa_column=moment_column(nullable=False))
    created_at: datetime = Field(sa_column=now_column())
    triggered_at: datetime | None = Field(default=None, sa_column=moment_column())
    status: ReminderStatus = Field(sa_column=Column(String(20), nullable=False, server_default=text("'pending'")))
    extra: dict[str, Any] = Field(sa_column=metadata_column())
    lease_until: datetime | None = Field(default=None, sa_column=moment_column())
    leased_by: str | None = Field(default=None, sa_column=Column(Text()))
