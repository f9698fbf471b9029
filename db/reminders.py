"""Reminders: rows that are claimed when due, with a lease, so that each is spoken by one daemon and none is lost.

    pending ──claim_due──▶ pending, leased (lease_until, leased_by) ──triggered──▶ triggered
       ▲                          │
       ├──release, or the lease runs out: it is claimed again, under the same id
       └──due_again (`db/reminder_steps.py`): spoken, and due once more until somebody answers

Leases are in `db/reminder_leases.py`.
A recurring reminder is a row an occurrence (`db/series.py`); claiming one stores the next before it is spoken.
What people change of them is in `db/reminder_changes.py`, what they ask about them in `db/reminder_search.py`.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from types import MappingProxyType
from typing import Any, TypedDict, Unpack
from uuid import UUID

import asyncpg

from db.database import Queries
from db.ledger import new_id
from db.recurrence import Days, WorkingDays, check_recurrence
from db.text import Json, clipped, storable_json
from models.words import Ack, Kind, Late, OnHoliday, ReminderStatus

MOST_TITLE = 255
MOST_DESCRIPTION = 10_000

LATE: dict[str, tuple[Late, int | None]] = {
    "reminder": ("speak", None),
    "timer": ("speak", None),
    "alarm": ("speak", 1800),
    "command": ("mention", None),
}
"""What each kind does when it is late, and within how many seconds, unless told otherwise."""

COLUMNS = (
    "id, title, scheduled_at, description, user_id, metadata, kind, status, rrule, dtstart, series_id,"
    " nullif(except_dates, '{}'), on_holiday, lead_s, area, created_by, addressee, ack, ack_every_s, escalate_to, late,"
    " late_within_s, duration_s, paused_left_s, urgent, plan, planned_at, triggered_at, times_spoken, done_at"
)
"""The columns of a Due, in the order of its fields."""

CREATE = """
INSERT INTO reminders (id, user_id, title, description, scheduled_at, metadata, kind, rrule, dtstart, series_id,
    except_dates, on_holiday, lead_s, area, created_by, addressee, ack, ack_every_s, escalate_to, late, late_within_s,
    duration_s, urgent, plan)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24)
"""

NOTHING: Mapping[str, Json] = MappingProxyType({})


class More(TypedDict, total=False):
    """What may be said of a reminder beyond its words and moment; as the columns of `models/reminder.py`."""

    kind: Kind
    rrule: str | None
    except_dates: Sequence[date]
    on_holiday: OnHoliday | None
    lead_s: int | None
    area: str | None
    created_by: str | None
    addressee: str | None
    ack: Ack
    ack_every_s: int | None
    escalate_to: str | None
    late: Late
    late_within_s: int | None
    duration_s: int | None
    urgent: bool
    plan: Sequence[Mapping[str, Any]] | None


# Nobody changes one; but frozen, each would take nine times as long to make: a tenth of a drain's work.
@dataclass(slots=True)
class Due:
    """A reminder, due or yet to come. `id` is the occurrence's; `title` may hold anything and is only ever spoken.

    `scheduled_at` is when it is spoken next: `lead_s` before what it is about; in the year 9999 for a paused timer.
    Where a snooze or an unanswered repetition moved it, `planned_at` is the moment that was asked for.
    """

    id: UUID
    title: str
    scheduled_at: datetime
    description: str | None
    user_id: UUID | None
    metadata: Mapping[str, Json]
    kind: Kind = "reminder"
    status: ReminderStatus = "pending"
    rrule: str | None = None
    dtstart: datetime | None = None
    series_id: UUID | None = None
    except_dates: Sequence[date] | None = None
    on_holiday: OnHoliday | None = None
    lead_s: int | None = None
    area: str | None = None
    created_by: str | None = None
    addressee: str | None = None
    ack: Ack = "none"
    ack_every_s: int | None = None
    escalate_to: str | None = None
    late: Late = "speak"
    late_within_s: int | None = None
    duration_s: int | None = None
    paused_left_s: int | None = None
    urgent: bool = False
    plan: Sequence[Mapping[str, Any]] | None = None
    planned_at: datetime | None = None
    triggered_at: datetime | None = None
    times_spoken: int = 0
    done_at: datetime | None = None

    @property
    def asked_for(self) -> datetime:
        """The moment that was asked for, however often it was put off."""
        return self.planned_at or self.scheduled_at


async def create(
    db: Queries,
    title: str,
    scheduled_at: datetime,
    user_id: UUID | None = None,
    *,
    description: str | None = None,
    metadata: Mapping[str, object] | None = None,
    zone: tzinfo | None = None,
    calendar: WorkingDays | None = None,
    **more: Unpack[More],
) -> UUID:
    """Store a reminder and return its id; it is committed when this returns (unless `db` is a transaction).

    `rrule` makes it recurring, on the clock of `zone` (unset: of `scheduled_at`), with the days off of `calendar`.
    `late` is LATE's for its kind unless given. A title above 255 characters is cut, and kept whole in the description
    where that is empty. Raises ValueError, which says in Portuguese what is wrong (no title, no such rule), and
    LinkDown.
    """
    name = " ".join(title.split())
    if not name:
        raise ValueError("Lembrar de quê?")
    if scheduled_at.tzinfo is None:
        raise ValueError("a reminder's moment needs its zone")
    reminder_id, rule, kind = new_id(), more.get("rrule"), more.get("kind", "reminder")
    dtstart = None
    if rule is not None:
        about = scheduled_at + timedelta(seconds=more.get("lead_s") or 0)
        days = Days(calendar, more.get("on_holiday"), frozenset(more.get("except_dates", ())))
        await asyncio.to_thread(check_recurrence, rule, about, zone or scheduled_at.tzinfo, days)
        dtstart = about.astimezone(zone).replace(tzinfo=None) if zone else about.replace(tzinfo=None)
    whole = description or (name if len(name) > MOST_TITLE else None)
    late, within_s = (more["late"], None) if "late" in more else LATE[kind]
    await db.execute(
        CREATE, reminder_id, user_id, clipped(name, MOST_TITLE), clipped(whole, MOST_DESCRIPTION) if whole else None,
        scheduled_at, storable_json(metadata or {}), kind, rule, dtstart, reminder_id if rule else None,
        list(more.get("except_dates", ())), more.get("on_holiday"), more.get("lead_s"), cut(more.get("area"), 100),
        cut(more.get("created_by"), 100), cut(more.get("addressee"), 255), more.get("ack", "none"),
        more.get("ack_every_s"), cut(more.get("escalate_to"), 255), late, more.get("late_within_s", within_s),
        more.get("duration_s"), more.get("urgent", False), storable_json(more.get("plan")),
    )  # fmt: skip
    return reminder_id


def cut(text: str | None, most: int) -> str | None:
    """Return a text that fits a column."""
    return None if text is None else clipped(text, most)


def as_due(row: asyncpg.Record) -> Due:
    """Return a row of COLUMNS as a Due."""
    return Due(*row)
