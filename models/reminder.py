"""A reminder: something to say at a moment."""

import uuid
from datetime import date, datetime
from typing import Any

from sqlalchemy import Boolean, CheckConstraint, Column, Date, DateTime, Index, Integer, String, Text, Uuid, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field

from models.table import Table, id_column, metadata_column, moment_column, now_column, reference_column
from models.words import Ack, Kind, Late, OnHoliday, ReminderStatus


class Reminder(Table, table=True):
    """Something to say to a person, or to the house (`user_id` NULL), once, at `scheduled_at`.

    ::

        pending ──claimed: leased_by, lease_until──▶ pending, leased ──spoken──▶ triggered (triggered_at)
           │  ▲                                            │                        └──▶ done_at: somebody said so
           │  ├────────── lease_until passes ──────────────┤   (the speaker died: it is spoken once more)
           │  └── ack = required: spoken, due again ───────┘   (triggered_at, times_spoken; planned_at keeps its hour)
           └──▶ cancelled

    A series is a row an occurrence: `rrule` on the household's clock from `dtstart`, `series_id` the first one's id.
    A paused timer is due at 'infinity', with `paused_left_s` left. `plan` is what a command asks for. What happened to
    it is in `reminder_steps`. Durations end in `_s` and are whole seconds.

    Due ones come from the partial index `idx_reminders_scheduled`; a trigger notifies `mordomo_reminders` of changes.
    """

    __tablename__ = "reminders"
    __table_args__ = (
        CheckConstraint("status IN ('pending', 'triggered', 'cancelled')", name="status"),
        CheckConstraint("kind IN ('reminder', 'alarm', 'timer', 'command')", name="kind"),
        CheckConstraint("on_holiday IN ('skip', 'next', 'previous')", name="on_holiday"),
        CheckConstraint("ack IN ('none', 'required')", name="ack"),
        CheckConstraint("late IN ('speak', 'mention', 'drop')", name="late"),
        Index("idx_reminders_user", "user_id"),
        Index("idx_reminders_scheduled", "scheduled_at", postgresql_where=text("status = 'pending'")),
        Index("idx_reminders_status", "status"),
        Index(
            "idx_reminders_series",
            "series_id",
            postgresql_where=text("status = 'pending' AND series_id IS NOT NULL"),
        ),
        Index("idx_reminders_triggered", "triggered_at", postgresql_where=text("status = 'triggered'")),
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
    kind: Kind = Field(sa_column=Column(String(20), nullable=False, server_default=text("'reminder'")))
    rrule: str | None = Field(default=None, sa_column=Column(Text()))
    dtstart: datetime | None = Field(default=None, sa_column=Column(DateTime()))
    series_id: uuid.UUID | None = Field(default=None, sa_column=Column(Uuid()))
    except_dates: list[date] = Field(sa_column=Column(ARRAY(Date()), nullable=False, server_default=text("'{}'")))
    on_holiday: OnHoliday | None = Field(default=None, sa_column=Column(String(10)))
    lead_s: int | None = Field(default=None, sa_column=Column(Integer()))
    area: str | None = Field(default=None, sa_column=Column(String(100)))
    created_by: str | None = Field(default=None, sa_column=Column(String(100)))
    addressee: str | None = Field(default=None, sa_column=Column(String(255)))
    ack: Ack = Field(sa_column=Column(String(10), nullable=False, server_default=text("'none'")))
    ack_every_s: int | None = Field(default=None, sa_column=Column(Integer()))
    escalate_to: str | None = Field(default=None, sa_column=Column(String(255)))
    late: Late = Field(sa_column=Column(String(10), nullable=False, server_default=text("'speak'")))
    late_within_s: int | None = Field(default=None, sa_column=Column(Integer()))
    duration_s: int | None = Field(default=None, sa_column=Column(Integer()))
    paused_left_s: int | None = Field(default=None, sa_column=Column(Integer()))
    urgent: bool = Field(default=False, sa_column=Column(Boolean(), nullable=False, server_default=text("FALSE")))
    done_at: datetime | None = Field(default=None, sa_column=moment_column())
    plan: list[Any] | None = Field(default=None, sa_column=Column(JSONB()))
    planned_at: datetime | None = Field(default=None, sa_column=moment_column())
    times_spoken: int = Field(default=0, sa_column=Column(Integer(), nullable=False, server_default=text("0")))
