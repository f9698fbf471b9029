"""The moment that an intent means: from its slots, or from the words that answered "para quando?"."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from daemon.errors import CannotDo
from daemon.language import words
from daemon.language.plan import Value
from daemon.language.pt_br import moments, numbers
from daemon.skills.skill import Context
from db.recurrence import Days, next_occurrence

MOST_WORDS = 60
MORNING = time(9)
"""When a reminder for a day without an hour is spoken."""


@dataclass(frozen=True, slots=True)
class Meant:
    """When: `at` is aware, in the household's zone. `hour` tells whether one was said; without, it is MORNING's.

    `over` is the end (exclusive) of what was said: of the day, the week, or the hour itself.
    """

    at: datetime
    rrule: str | None = None
    hour: bool = True
    over: datetime | None = None


def meant(slots: Mapping[str, Value], now: datetime, *, slot: str = "when", waking: bool = False) -> Meant | None:
    """Return the moment that the slots mean at `now` (in the household's zone), or None where they tell none.

    `when` is ISO 8601 or words; `delay_s` and `duration_s` wait from now; `day` (ISO) is the day that was said before
    the hour was asked for. `waking` is for alarms, whose hours are the morning's.
    """
    rule = slots.get("rrule")
    told = slots.get(slot)
    for wait in ("delay_s", "duration_s"):
        if isinstance(waits := slots.get(wait), int | float):
            return Meant(now + timedelta(seconds=waits))
    if not isinstance(told, str) or not told.strip():
        return None
    found = _written(told, now) or said(told, _day(slots.get("day"), now), waking=waking)
    if found is None:
        return None
    return Meant(found.at, str(rule) if rule else found.rrule, found.hour, found.over)


def said(text: str, now: datetime, *, waking: bool = False) -> Meant | None:
    """Return the moment that words tell ("amanhã às nove", "toda terça às sete"), or None."""
    found = timed(text, now, waking=waking)
    if found is None:
        return None
    when = found[0]
    if when.start is not None:
        return Meant(when.start, when.rrule, over=when.end)
    if when.day is not None:
        return Meant(at_morning(when.day, now), when.rrule, hour=False, over=when.end or day_after(when.day, now))
    return None


def timed(text: str, now: datetime, *, waking: bool = False) -> tuple[moments.When, tuple[words.Word, ...]] | None:
    """Return the time in words, and the others; a mere number ("nove") is an hour."""
    spoken = words.read(text).words[:MOST_WORDS]
    found = moments.find(spoken, now, waking=waking)
    if found is None and numbers.read([word.plain for word in spoken], 0) is not None:
        return moments.find(words.read(f"às {text}").words[:MOST_WORDS], now, waking=waking)
    return found


def at_morning(day: date, now: datetime) -> datetime:
    """Return a day's MORNING on the clock of `now`."""
    return datetime.combine(day, MORNING, now.tzinfo)


def day_after(day: date, now: datetime) -> datetime:
    """Return the midnight that ends a day on the clock of `now`."""
    return datetime.combine(day + timedelta(days=1), time(), now.tzinfo)


def first_of(when: Meant, context: Context, days: Days) -> datetime | None:
    """Return the first time of a rule yet to come; None for one that never is. Raises CannotDo: no such rule."""
    try:
        moment = next_occurrence(str(when.rrule), when.at.replace(tzinfo=None), context.now, context.zone, days)
    except ValueError as wrong:
        raise CannotDo(str(wrong)) from wrong
    return None if moment is None else moment.astimezone(context.zone)


def _written(text: str, now: datetime) -> Meant | None:
    try:
        if len(text) == len("2026-11-20"):
            day = date.fromisoformat(text)
            return Meant(at_morning(day, now), hour=False, over=day_after(day, now))
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return Meant(at.astimezone(now.tzinfo) if at.tzinfo else at.replace(tzinfo=now.tzinfo))


def _day(day: object, now: datetime) -> datetime:
    """Return the moment from which an hour is reckoned: now, or the beginning of the day that was said before."""
    if not isinstance(day, str) or day == now.date().isoformat():
        return now
    return datetime.combine(date.fromisoformat(day), time(), now.tzinfo)
