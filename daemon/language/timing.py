"""The slots of time: what the words of time in a sentence mean for its intent."""

from collections.abc import Mapping
from datetime import timedelta

from daemon.language.book import Entry
from daemon.language.plan import Value
from daemon.language.pt_br.moments import When

REMINDING = frozenset({"CreateReminder", "SnoozeReminder"})


def slots(entry: Entry, when: When | None) -> Mapping[str, Value] | None:
    """Return the slots of time, or None where such a time makes no sense for the intent."""
    if when is None:
        return {}
    if entry.query_time or entry.date:
        return _asked_about(entry, when)
    if when.on_holiday and entry.intent != "CreateReminder":
        return None
    if when.lasting_s is not None and entry.intent in REMINDING:
        return {"duration_s": when.lasting_s} if entry.wait_is else None
    said = {**_start(entry, when)}
    if when.rrule:
        said["rrule"] = when.rrule
    if when.on_holiday:
        said["on_holiday"] = when.on_holiday
    if when.lasting_s is not None:
        said["for_s"] = when.lasting_s
    return said


def any_start(when: When) -> bool:
    """Tell whether this says when to begin."""
    return when.start is not None or when.day is not None or when.rrule is not None


def _start(entry: Entry, when: When) -> Mapping[str, Value]:
    """Return when it is to begin, in the intent's own slots."""
    if entry.intent == "HassGetWeather":
        day = when.start.date() if when.start else when.day
        return {"date": day.isoformat()} if day else {}
    if when.delay_s is not None and entry.wait_is:
        return {entry.wait_is: when.delay_s}
    if when.delay_s is not None and entry.intent not in REMINDING:
        return {"delay_s": when.delay_s}
    start = when.start or when.day
    return {"when": start.isoformat()} if start else {}


def _asked_about(entry: Entry, when: When) -> Mapping[str, Value] | None:
    slots: dict[str, Value] = {}
    if when.begin is not None and when.end is not None and when.end - when.begin > timedelta(days=1):
        span = {"date": when.begin.date().isoformat(), "until": when.end.date().isoformat()}
        return span if entry.intent == "ListReminders" else None  # "cancela os lembretes dessa semana" needs care
    if when.clock is not None:
        slots["time"] = f"{when.clock.hour:02d}:{when.clock.minute:02d}"
    day = when.day or (when.start.date() if when.start is not None and when.clock is None else None)
    if day is not None:
        slots["date"] = day.isoformat()
    return slots
