"""What people change of a reminder: its hour, its words, an occurrence or all that follow, a timer's rest.

Each takes a connection within a transaction, so that the row stays as it was read until it is written:

    async with acting_as(db, "Ana", "voice") as connection:
        await snooze(connection, reminder_id, until, now)

"This one only" stores the occurrence that follows first and takes this one out of its series; "from now on" changes
this one, of which the later ones are made. All raise LinkDown.
"""

import math
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta, tzinfo
from typing import Any, Unpack
from uuid import UUID

from db.database import Queries
from db.recurrence import Days, WorkingDays, check_recurrence, remaining
from db.reminders import COLUMNS, Due, More, as_due
from db.series import create_next
from db.text import clipped, storable_json

CANCEL = "UPDATE reminders SET status = 'cancelled' WHERE id = ANY ($1) AND status = 'pending' RETURNING id"
FOR_CHANGE = f"SELECT {COLUMNS} FROM reminders WHERE id = $1 FOR UPDATE"  # noqa: S608 - constants of this file
STEP = "INSERT INTO reminder_steps (reminder_id, at, step, detail) VALUES ($1, $2, $3, $4)"
# A lease of nobody by name: whoever is just speaking it does not record that as the end of it.
SNOOZE = """
UPDATE reminders SET status = 'pending', planned_at = coalesce(planned_at, scheduled_at), scheduled_at = $2,
    triggered_at = NULL, done_at = NULL, lease_until = NULL, leased_by = ''
WHERE id = $1
"""
COMPLETE = """
UPDATE reminders SET status = 'triggered', triggered_at = coalesce(triggered_at, $2), done_at = $2, lease_until = NULL,
    leased_by = NULL
WHERE id = $1
"""
PAUSE = "UPDATE reminders SET scheduled_at = 'infinity', paused_left_s = $2 WHERE id = $1"
RESUME = "UPDATE reminders SET scheduled_at = $2, paused_left_s = NULL WHERE id = $1"
LENGTHEN = """
UPDATE reminders SET paused_left_s = CASE WHEN paused_left_s IS NULL THEN NULL ELSE greatest(paused_left_s + $2, 0) END,
    scheduled_at = CASE WHEN paused_left_s IS NULL THEN greatest(scheduled_at + make_interval(secs => $2), $3)
        ELSE scheduled_at END,
    duration_s = greatest(coalesce(duration_s, 0) + $2, 0)
WHERE id = $1
"""
MOVED = {"planned_at": None, "times_spoken": 0, "triggered_at": None, "lease_until": None, "leased_by": ""}
"""What a new hour means beside the hour."""
CHANGEABLE = {
    "title": 255, "description": 10_000, "area": 100, "created_by": 100, "addressee": 255, "escalate_to": 255,
}  # fmt: skip
"""The longest text of each, in characters."""


async def cancel(db: Queries, ids: Sequence[UUID]) -> int:
    """Cancel those that are pending; return how many. The last pending one of a series ends it. Raises LinkDown."""
    return len(await db.fetch(CANCEL, ids))


async def skip(
    db: Queries,
    reminder_id: UUID,
    days: Sequence[date],
    now: datetime,
    zone: tzinfo,
    *,
    calendar: WorkingDays | None = None,
) -> bool:
    """Leave days (of the household's clock) out of a series ("menos amanhã"); False where it is not pending.

    Where this occurrence falls on one of them it is cancelled, and the one that follows stands in its place.
    """
    due = await _pending(db, reminder_id)
    if due is None:
        return False
    left_out = sorted({*(due.except_dates or ()), *days})
    about = due.asked_for + timedelta(seconds=due.lead_s or 0)
    await db.execute("UPDATE reminders SET except_dates = $2 WHERE id = $1", due.id, left_out)
    if about.astimezone(zone).date() in days:
        if due.rrule is not None:
            await create_next(db, due, now, zone, calendar=calendar, except_dates=left_out)
        await db.execute("UPDATE reminders SET status = 'cancelled' WHERE id = $1", due.id)
    return True


async def change(
    db: Queries,
    reminder_id: UUID,
    now: datetime,
    zone: tzinfo,
    *,
    only_this: bool = False,
    scheduled_at: datetime | None = None,
    title: str | None = None,
    description: str | None = None,
    calendar: WorkingDays | None = None,
    **more: Unpack[More],
) -> bool:
    """Change what is given of a pending reminder; False where it is not pending (any more).

    Of a series: this occurrence and those that follow, or `only_this`. Raises ValueError with a sentence in Portuguese
    for a rule that cannot be followed, and LinkDown.
    """
    due = await _pending(db, reminder_id)
    if due is None:
        return False
    values: dict[str, Any] = {**more}
    texts = {"title": title and " ".join(title.split()), "description": description}
    values |= {name: text for name, text in texts.items() if text}
    if scheduled_at is not None:
        values |= MOVED | {"scheduled_at": scheduled_at}
    if only_this and due.rrule is not None:
        await create_next(db, due, now, zone, calendar=calendar)
        values["rrule"] = None
    elif "rrule" in values or (due.rrule is not None and scheduled_at is not None):
        values |= _begun_anew(due, values, scheduled_at or due.scheduled_at, zone, calendar)
    await _write(db, due.id, values)
    return True


async def snooze(db: Queries, reminder_id: UUID, until: datetime, now: datetime) -> bool:
    """Have it spoken again at `until`, waiting, spoken or being spoken; False where it is cancelled."""
    due = await _locked(db, reminder_id)
    if due is None or due.status == "cancelled":
        return False
    await db.execute(SNOOZE, due.id, until)
    await db.execute(STEP, due.id, now, "snoozed", {"until": until.isoformat()})
    return True


async def complete(
    db: Queries,
    reminder_id: UUID,
    at: datetime,
    zone: tzinfo,
    *,
    by: str | None = None,
    calendar: WorkingDays | None = None,
) -> bool:
    """Record that somebody said it is done: it is not spoken again. False where it is cancelled or done already.

    Said before it was spoken at all, the series goes on with the next.
    """
    due = await _locked(db, reminder_id)
    if due is None or due.status == "cancelled" or due.done_at is not None:
        return False
    if due.status == "pending" and due.rrule is not None:
        await create_next(db, due, at, zone, calendar=calendar)
    await db.execute(COMPLETE, due.id, at)
    await db.execute(STEP, due.id, at, "done", {"by": by} if by else {})
    return True


async def pause(db: Queries, reminder_id: UUID, now: datetime) -> int | None:
    """Stop a timer; return the seconds that it has left, or None where it does not run."""
    due = await _pending(db, reminder_id)
    if due is None or due.paused_left_s is not None:
        return None
    left_s = max(0, math.ceil((due.scheduled_at - now).total_seconds()))
    await db.execute(PAUSE, due.id, left_s)
    return left_s


async def resume(db: Queries, reminder_id: UUID, now: datetime) -> datetime | None:
    """Let a paused timer run on; return when it ends, or None where it is not paused."""
    due = await _pending(db, reminder_id)
    if due is None or due.paused_left_s is None:
        return None
    ends = now + timedelta(seconds=due.paused_left_s)
    await db.execute(RESUME, due.id, ends)
    return ends


async def add_time(db: Queries, reminder_id: UUID, seconds: int, now: datetime) -> bool:
    """Lengthen a timer, or shorten it (`seconds` < 0) to now at the least; False where it is over."""
    due = await _pending(db, reminder_id)
    if due is None:
        return False
    await db.execute(LENGTHEN, due.id, seconds, now)
    return True


async def _locked(db: Queries, reminder_id: UUID) -> Due | None:
    row = await db.fetchrow(FOR_CHANGE, reminder_id)
    return None if row is None else as_due(row)


async def _pending(db: Queries, reminder_id: UUID) -> Due | None:
    due = await _locked(db, reminder_id)
    return due if due is not None and due.status == "pending" else None


def _begun_anew(
    due: Due, values: Mapping[str, Any], scheduled_at: datetime, zone: tzinfo, calendar: WorkingDays | None
) -> dict[str, Any]:
    """Return the rule that goes on from this occurrence, and where it begins. Raises ValueError."""
    rule = values.get("rrule", due.rrule)
    if rule is None:
        return {"rrule": None, "dtstart": None}
    lead = timedelta(seconds=values.get("lead_s", due.lead_s) or 0)
    days = Days(
        calendar,
        values.get("on_holiday", due.on_holiday),
        frozenset(values.get("except_dates", due.except_dates) or ()),
    )
    if "rrule" not in values and due.dtstart is not None:
        rule = remaining(rule, due.dtstart, due.asked_for + lead, zone, days)
    about = scheduled_at + lead
    check_recurrence(rule, about, zone, days)
    began = about.astimezone(zone).replace(tzinfo=None)
    return {"rrule": rule, "dtstart": began, "series_id": due.series_id or due.id}


async def _write(db: Queries, reminder_id: UUID, values: Mapping[str, Any]) -> None:
    if not values:
        return
    # The names are those of More and of this module, never of anybody's text.
    fitted = {name: clipped(v, CHANGEABLE[name]) if v and name in CHANGEABLE else v for name, v in values.items()}
    if "plan" in fitted:
        fitted["plan"] = storable_json(fitted["plan"])
    if "except_dates" in fitted:
        fitted["except_dates"] = list(fitted["except_dates"])
    assignments = ", ".join(f"{name} = ${number}" for number, name in enumerate(fitted, 2))
    await db.execute(
        f"UPDATE reminders SET {assignments} WHERE id = $1",  # noqa: S608
        reminder_id, *fitted.values(),
    )  # fmt: skip
