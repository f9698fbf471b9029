"""When a recurring reminder comes next: RFC 5545 rules, on the household's clock.

A rule counts wall-clock time ("todo dia às 8h" stays at eight when the offset changes). Where daylight saving takes a
wall-clock time away, the offset before the gap holds, so it comes an hour later by the new clock; where it repeats one,
the first of the two counts (RFC 5545, 3.3.5 and 3.3.10).
"""

import math
import re
from datetime import UTC, datetime, timedelta, tzinfo
from typing import cast

from dateutil.rrule import rrule, rrulestr

LONGEST_RULE = 300
MOST_INTERVAL = 10_000
MOST_COUNT = 1000
WITHIN_A_DAY = {"HOURLY": timedelta(hours=1), "MINUTELY": timedelta(minutes=1)}
WEEK = timedelta(weeks=1)
WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
FREQUENCIES = ("YEARLY", "MONTHLY", "WEEKLY", "DAILY", *WITHIN_A_DAY)
PARTS_WITHIN_A_DAY = {"FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST", "BYDAY", "BYHOUR", "BYMINUTE"}
LARGEST_SHIFT = timedelta(hours=25)
"""More than any zone ever moved its clock at once: Samoa skipped a whole day."""


class InvalidRecurrence(ValueError):  # noqa: N818 - it names the rule, which is what is invalid
    """A rule that cannot be followed; the message is a sentence in Portuguese for the person who asked."""


def next_occurrence(rule: str, first: datetime, after: datetime, zone: tzinfo) -> datetime | None:
    """Return the first occurrence after `after`, aware in UTC, or None when there is none any more.

    `first` (DTSTART) is naive, on the household's clock. Raises InvalidRecurrence.
    """
    parts = _parts(rule)
    start = after.astimezone(zone).replace(tzinfo=None) - LARGEST_SHIFT
    recurrence = _read(parts, _forwarded(parts, first, start), zone)
    for wall in recurrence.xafter(start, inc=True):
        moment = wall.replace(tzinfo=zone).astimezone(UTC)
        if moment > after:
            return moment
    return None


def check_recurrence(rule: str, first: datetime, zone: tzinfo) -> None:
    """Raise InvalidRecurrence unless `rule` has an occurrence at or after the aware moment `first`.

    A rule that never comes takes up to two seconds to find out: call this in a thread.
    """
    wall = first.astimezone(zone).replace(tzinfo=None)
    if next_occurrence(rule, wall, first - timedelta(microseconds=1), zone) is None:
        raise InvalidRecurrence("Essa repetição nunca aconteceria. De quanto em quanto tempo eu aviso?")


def following(rule: str, first: datetime, occurrence: datetime, zone: tzinfo) -> datetime:
    """Return the DTSTART (naive) for the occurrences after `occurrence`: that itself, unless the rule counts.

    Each occurrence keeps the rhythm of its rule, and a young DTSTART makes the next ones quick to find.
    """
    return first if "COUNT" in _parts(rule) else occurrence.astimezone(zone).replace(tzinfo=None)


def _parts(rule: str) -> dict[str, str]:
    text = rule.strip().upper().removeprefix("RRULE:")
    pairs = [pair.partition("=")[::2] for pair in text.split(";") if pair]
    parts = dict(pairs)
    if len(text) > LONGEST_RULE or len(parts) != len(pairs) or parts.get("FREQ") not in FREQUENCIES:
        raise InvalidRecurrence("Não entendi de quanto em quanto tempo isso se repete. Pode dizer de outro jeito?")
    for name, most in (("INTERVAL", MOST_INTERVAL), ("COUNT", MOST_COUNT)):
        if name in parts and not (parts[name].isdecimal() and 1 <= int(parts[name]) <= most):
            raise InvalidRecurrence("Esse intervalo de repetição não dá. De quanto em quanto tempo eu aviso?")
    if parts["FREQ"] in WITHIN_A_DAY and not PARTS_WITHIN_A_DAY.issuperset(parts):
        raise InvalidRecurrence("Uma repetição de hora em hora eu só sei limitar por dia da semana e por horário.")
    return parts


def _read(parts: dict[str, str], first: datetime, zone: tzinfo) -> rrule:
    text = ";".join(f"{name}={_until(value, zone) if name == 'UNTIL' else value}" for name, value in parts.items())
    try:
        recurrence = cast("rrule", rrulestr(text, dtstart=first))
    except (ValueError, TypeError, IndexError, OverflowError) as error:
        raise InvalidRecurrence(
            "Não entendi de quanto em quanto tempo isso se repete. Pode dizer de outro jeito?"
        ) from error
    if parts["FREQ"] in WITHIN_A_DAY and not _comes_within_its_cycle(parts, first):
        raise InvalidRecurrence("Essa repetição nunca aconteceria. De quanto em quanto tempo eu aviso?")
    return recurrence


def _until(value: str, zone: tzinfo) -> str:
    """Return UNTIL on the household's clock; a plain date lasts until that day's end (dateutil reads its midnight)."""
    if re.fullmatch(r"\d{8}", value):
        return value + "T235959"
    if not re.fullmatch(r"\d{8}T\d{6}Z", value):
        return value
    try:
        moment = datetime.strptime(value, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return value
    return moment.astimezone(zone).strftime("%Y%m%dT%H%M%S")


def _forwarded(parts: dict[str, str], first: datetime, start: datetime) -> datetime:
    """Return a later DTSTART with the same rhythm, for rules of hours and minutes whose last firing is long ago."""
    step = WITHIN_A_DAY.get(parts["FREQ"])
    if step is None or "COUNT" in parts or start <= first:
        return first
    step *= int(parts.get("INTERVAL", 1))
    return first + (start - first) // step * step


def _comes_within_its_cycle(parts: dict[str, str], first: datetime) -> bool:
    """Tell whether a rule of hours or minutes ever comes: dateutil would look for it until the year 9999."""
    step = WITHIN_A_DAY[parts["FREQ"]] * int(parts.get("INTERVAL", 1))
    minutes = int(step.total_seconds() // 60)
    cycle = range(WEEK // timedelta(minutes=1) // math.gcd(minutes, WEEK // timedelta(minutes=1)))
    return any(_allowed(parts, first + step * turn) for turn in cycle)


def _allowed(parts: dict[str, str], wall: datetime) -> bool:
    days = [day[-2:] for day in parts.get("BYDAY", "MO,TU,WE,TH,FR,SA,SU").split(",")]
    hours = parts.get("BYHOUR", str(wall.hour)).split(",")
    # Of a rule by the hour BYMINUTE names the minutes; of one by the minute it chooses among them (RFC 5545, 3.3.10).
    minutes = parts.get("BYMINUTE", str(wall.minute)).split(",") if parts["FREQ"] == "MINUTELY" else [str(wall.minute)]
    return WEEKDAYS[wall.weekday()] in days and wall.hour in map(int, hours) and wall.minute in map(int, minutes)
