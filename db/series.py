"""Recurring reminders: a row an occurrence, the next one stored when the present one is claimed.

A row holds its rule (`rrule`, RFC 5545), the wall clock at which the rule begins (`dtstart`, of what the reminder is
about: `lead_s` after it is spoken) and the first one's id (`series_id`). The next one's id is made of the series and
its moment, so that claiming a row again stores no second one. Those missed in between are not made up.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING
from uuid import UUID, uuid5

import structlog

from db.database import Queries
from db.recurrence import Days, WorkingDays, following, next_occurrence

if TYPE_CHECKING:
    from db.reminders import Due

log = structlog.get_logger(__name__)

CREATE_NEXT = """
INSERT INTO reminders (id, scheduled_at, dtstart, series_id, except_dates, user_id, title, description, metadata, kind,
    rrule, on_holiday, lead_s, area, created_by, addressee, ack, ack_every_s, escalate_to, late, late_within_s,
    duration_s, urgent, plan)
SELECT $1, $2, $3, $4, $5, user_id, title, description, metadata, kind,
    rrule, on_holiday, lead_s, area, created_by, addressee, ack, ack_every_s, escalate_to, late, late_within_s,
    duration_s, urgent, plan
FROM reminders WHERE id = $6
ON CONFLICT (id) DO NOTHING
"""


async def create_next(
    db: Queries,
    due: "Due",
    now: datetime,
    zone: tzinfo,
    *,
    calendar: WorkingDays | None,
    except_dates: Sequence[date] | None = None,
) -> UUID | None:
    """Store the occurrence after `due` and after `now`; return its id, or None where there is none any more.

    A rule that cannot be followed (an edit in SQL) ends the series, and the log says so. Raises LinkDown.
    """
    rule, lead = str(due.rrule), timedelta(seconds=due.lead_s or 0)
    left_out = (due.except_dates or ()) if except_dates is None else except_dates
    days = Days(calendar, due.on_holiday, frozenset(left_out))
    first = due.dtstart or (due.asked_for + lead).astimezone(zone).replace(tzinfo=None)
    try:
        moment = next_occurrence(rule, first, max(now, due.scheduled_at) + lead, zone, days)
        if moment is None:
            return None
        dtstart = following(rule, first, moment, zone, days)
    except ValueError as error:
        log.error("recurrence_unreadable", reminder=str(due.id), why=str(error))  # noqa: TRY400
        return None
    series = due.series_id or due.id
    # Whoever claims, and however often: the same occurrence of a series has the same id.
    next_id = uuid5(series, moment.isoformat())
    await db.execute(CREATE_NEXT, next_id, moment - lead, dtstart, series, list(left_out), due.id)
    return next_id
