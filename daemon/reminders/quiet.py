"""The hours in which the house is quiet: only what is urgent, asked to ring, or needs an answer is heard then."""

import re
from datetime import datetime, time, timedelta, tzinfo

from db.reminders import Due

HOURS = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])-([01][0-9]|2[0-3]):([0-5][0-9])", re.ASCII)


def waits_until(hours: str, due: Due, now: datetime, zone: tzinfo) -> datetime | None:
    """Return the end of the quiet hours that `now` is in, where this reminder waits for it; `hours` is "22:00-07:00".

    Alarms, timers and commands were asked for at their moment; medicine does not wait either.
    """
    told = HOURS.fullmatch(hours)
    if told is None or due.urgent or due.kind != "reminder" or due.ack == "required":
        return None
    first, last = (time(int(told[n]), int(told[n + 1])) for n in (1, 3))
    wall = now.astimezone(zone)
    clock = wall.time()
    within = first <= clock < last if first <= last else clock >= first or clock < last
    if not within:
        return None
    day = wall.date() + timedelta(days=1 if clock >= last else 0)
    return datetime.combine(day, last, zone).astimezone(now.tzinfo)
