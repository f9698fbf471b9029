"""The slots of time: what the words of time in a sentence mean for its intent."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from daemon.language.book import Entry
from daemon.language.plan import Intent, Plan, Value
from daemon.language.pt_br.moments import When

REMINDING = frozenset({"CreateReminder", "SnoozeReminder"})
MOVING = ("HassTurn", "HassToggle", "HassLightSet", "HassSet", "HassFan", "HassClimateSet", "ClimateSet")
"""How intents begin that move devices, which can be for later or for a while."""
OF_TIME = frozenset({"when", "delay_s", "rrule", "on_holiday", "for_s"})


def slots(entry: Entry, when: When | None, until_from: datetime | None = None) -> Mapping[str, Value] | None:
    """Return the slots of time, or None where such a time makes no sense for the intent.

    `until_from` is now, where it was said how long something is to last: "liga o ar até as dez".
    """
    if when is None:
        return {}
    if entry.query_time or entry.date:
        return _asked_about(entry, when)
    if when.on_holiday and entry.intent != "CreateReminder" and not when.rrule:
        return None
    if when.lasting_s is not None and entry.intent in REMINDING:
        return {"duration_s": when.lasting_s} if entry.wait_is else None
    if until_from is not None and entry.intent.startswith(MOVING):
        lasts_s = (when.start - until_from).total_seconds() if when.start is not None and not when.rrule else 0
        return {"for_s": round(lasts_s)} if lasts_s > 0 else None
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


def timed(reminder: Intent, when: When, asked: Plan) -> Plan | None:
    """Return what was asked with the time that answers it; None where that says no moment."""
    said = when.start.isoformat() if when.start else when.day.isoformat() if when.day else None
    if said is None:
        return None
    slots = {**reminder.slots, "when": said, **({"rrule": when.rrule} if when.rrule else {})}
    intents = tuple(replace(i, slots=slots) if i is reminder else i for i in asked.intents)
    return Plan("skill", intents, 0.95, (when.assumed,) if when.assumed else ())
