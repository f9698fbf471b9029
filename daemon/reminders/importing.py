"""What another calendar tells, stored as reminders: once, however often the same calendar is read."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC
from zoneinfo import ZoneInfo

from daemon.reminders.calendars import Entry
from db.database import Queries
from db.recurrence import WorkingDays
from db.reminders import create

KNOWN = """
SELECT metadata ->> 'ics_uid' AS uid FROM reminders WHERE metadata ->> 'ics_uid' = ANY ($1)
UNION SELECT coalesce(series_id, id)::text || '@mordomo' FROM reminders
WHERE status <> 'cancelled' AND coalesce(series_id, id)::text || '@mordomo' = ANY ($1)
"""


@dataclass(frozen=True, slots=True)
class Brought:
    """How many were stored, how many were there already, and which were not (title, why)."""

    added: int
    already: int
    refused: tuple[tuple[str, str], ...]


async def bring_in(
    db: Queries,
    entries: Sequence[Entry],
    zone: ZoneInfo,
    *,
    person: str | None = None,
    by: str | None = None,
    calendar: WorkingDays | None = None,
) -> Brought:
    """Store the entries that are not there yet; call it in a transaction. Raises LinkDown."""
    known = {row["uid"] for row in await db.fetch(KNOWN, [entry.uid for entry in entries])}
    added, refused = 0, []
    for entry in entries:
        if entry.uid in known:
            continue
        try:
            await create(
                db, entry.title, entry.scheduled_at.astimezone(UTC), description=entry.description,
                metadata={"ics_uid": entry.uid}, zone=zone, calendar=calendar, kind=entry.kind, rrule=entry.rrule,
                except_dates=entry.except_dates, on_holiday=entry.on_holiday, lead_s=entry.lead_s or None,
                addressee=person or entry.addressee, created_by=by,
            )  # fmt: skip
        except ValueError as wrong:
            refused.append((entry.title, str(wrong)))
        else:
            added += 1
            known.add(entry.uid)
    return Brought(added, len(entries) - added - len(refused), tuple(refused))
