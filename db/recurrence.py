"""When a recurring reminder comes next: RFC 5545 rules, on the household's clock.

A rule counts wall-clock time ("todo dia às 8h" stays at eight when the offset changes). Where daylight saving takes a
wall-clock time away, the offset before the gap holds, so it comes an hour later by the new clock; where it repeats one,
the first of the two counts (RFC 5545, 3.3.5 and 3.3.10).

`Days` adds what such a rule does not know. With a calendar, a monthly rule that counts among the five days from Monday
to Friday counts working days: "quinto dia útil" is FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=5. `on_holiday` leaves an
occurrence out, or moves it to the working day after or before; a weekend moves it too, unless the rule names that day.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from itertools import islice
from typing import Protocol, cast

from dateutil.rrule import rrule, rrulestr

from models.words import OnHoliday

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


MOST_MOVED = timedelta(days=15)
"""More than any run of days off."""
MOST_LEFT_OUT = 1000
"""So many occurrences in a row that fall on days left out are the end of the series."""
WORKDAYS = {"MO", "TU", "WE", "TH", "FR"}
COUNTED_PARTS = {"FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST", "BYDAY", "BYMONTH", "BYSETPOS"}


class InvalidRecurrence(ValueError):  # noqa: N818 - it names the rule, which is what is invalid
    """A rule that cannot be followed; the message is a sentence in Portuguese for the person who asked."""


class WorkingDays(Protocol):
    """A calendar: which days are holidays, and which are worked."""

    def name(self, day: date) -> str | None:
        """Return what the holiday of this day is called, or None where there is none."""
        ...

    def holiday(self, day: date) -> bool:
        """Tell whether a day is a holiday, whatever its weekday."""
        ...

    def works(self, day: date) -> bool:
        """Tell whether a day is neither a holiday nor of the weekend."""
        ...


@dataclass(frozen=True, slots=True)
class Days:
    """What a rule does not know: a calendar, what to do on its holidays, and days (of the household) left out."""

    calendar: WorkingDays | None = None
    on_holiday: OnHoliday | None = None
    left_out: frozenset[date] = frozenset()

    @property
    def moves(self) -> bool:
        """Whether an occurrence may come on another day than its rule's."""
        return self.calendar is not None and self.on_holiday in ("next", "previous")

    def placed(self, wall: datetime, named: set[str]) -> datetime | None:
        """Return where an occurrence comes, or None where it is left out. `named` are the weekdays of its rule."""
        calendar, step = self.calendar, timedelta(days=-1 if self.on_holiday == "previous" else 1)
        if calendar is not None and self.on_holiday == "skip" and calendar.holiday(wall.date()):
            return None
        if calendar is not None and self.moves:
            weekend = wall.weekday() > 4 and WEEKDAYS[wall.weekday()] not in named
            if weekend or calendar.holiday(wall.date()):
                wall += step
                while not calendar.works(wall.date()):
                    wall += step
        return None if wall.date() in self.left_out else wall


PLAIN = Days()


def next_occurrence(rule: str, first: datetime, after: datetime, zone: tzinfo, days: Days = PLAIN) -> datetime | None:
    """Return the first occurrence after `after`, aware in UTC, or None when there is none any more.

    `first` (DTSTART) is naive, on the household's clock. Raises InvalidRecurrence.
    """
    return next(_moments(rule, first, after, zone, days), None)


def check_recurrence(rule: str, first: datetime, zone: tzinfo, days: Days = PLAIN) -> None:
    """Raise InvalidRecurrence unless `rule` has an occurrence at or after the aware moment `first`.

    A rule that never comes takes up to two seconds to find out: call this in a thread.
    """
    wall = first.astimezone(zone).replace(tzinfo=None)
    if next_occurrence(rule, wall, first - timedelta(microseconds=1), zone, days) is None:
        raise InvalidRecurrence("Essa repetição nunca aconteceria. De quanto em quanto tempo eu aviso?")


def following(rule: str, first: datetime, occurrence: datetime, zone: tzinfo, days: Days = PLAIN) -> datetime:
    """Return the DTSTART (naive) for the occurrences after `occurrence`: that itself, unless the rule counts.

    Each occurrence keeps the rhythm of its rule, and a young DTSTART makes the next ones quick to find. One that was
    moved off a holiday tells nothing of the rhythm.
    """
    keeps = "COUNT" in _parts(rule) or days.moves
    return first if keeps else occurrence.astimezone(zone).replace(tzinfo=None)


def remaining(rule: str, first: datetime, since: datetime, zone: tzinfo, days: Days = PLAIN) -> str:
    """Return the rule for a series that begins anew at `since`: one that counts, less what came before."""
    parts = _parts(rule)
    if "COUNT" not in parts:
        return rule
    before = first.replace(tzinfo=zone).astimezone(UTC) - timedelta(microseconds=1)
    gone = sum(1 for moment in _moments(rule, first, before, zone, days) if moment < since)
    left = max(1, int(parts["COUNT"]) - gone)
    return ";".join(f"{name}={left if name == 'COUNT' else value}" for name, value in parts.items())


def _moments(rule: str, first: datetime, after: datetime, zone: tzinfo, days: Days) -> Iterator[datetime]:
    """Yield the occurrences after `after`, in their order. Raises InvalidRecurrence."""
    parts = _parts(rule)
    start = after.astimezone(zone).replace(tzinfo=None) - LARGEST_SHIFT - (MOST_MOVED if days.moves else timedelta(0))
    if days.calendar is not None and _counts_working_days(parts):
        walls = _working_days(parts, first, start, days.calendar, zone)
    else:
        walls = iter(_read(parts, _forwarded(parts, first, start), zone).xafter(start, inc=True))
    last = after
    for wall in _placed(walls, parts, days):
        moment = wall.replace(tzinfo=zone).astimezone(UTC)
        if moment > last:
            last = moment
            yield moment


def _placed(walls: Iterator[datetime], parts: dict[str, str], days: Days) -> Iterator[datetime]:
    """Yield where the occurrences come, in order; two that come on one day may have changed places."""
    named = {day[-2:] for day in parts.get("BYDAY", "").split(",")}
    held: list[datetime] = []
    left_out = 0
    for wall in walls:
        placed = days.placed(wall, named)
        left_out = 0 if placed is not None else left_out + 1
        if left_out > MOST_LEFT_OUT:
            break
        if placed is None:
            continue
        if not days.moves:
            yield placed
            continue
        held = sorted([*held, placed])
        while held and held[0] + MOST_MOVED < wall:
            yield held.pop(0)
    yield from held


def _counts_working_days(parts: dict[str, str]) -> bool:
    """Tell whether a rule means "the nth working day of the month"."""
    counts = parts["FREQ"] == "MONTHLY" and "BYSETPOS" in parts and COUNTED_PARTS.issuperset(parts)
    return counts and set(parts.get("BYDAY", "").split(",")) == WORKDAYS


def _working_days(
    parts: dict[str, str], first: datetime, start: datetime, calendar: WorkingDays, zone: tzinfo
) -> Iterator[datetime]:
    """Yield the counted working days of each month from `first` on, those before `start` left out."""
    _read(parts, first, zone)  # what dateutil refuses is refused
    until = _until(parts["UNTIL"], zone) if "UNTIL" in parts else ""
    last = datetime.strptime(until, "%Y%m%dT%H%M%S") if until else None  # noqa: DTZ007 - on that clock
    months = {int(month) for month in parts.get("BYMONTH", "1,2,3,4,5,6,7,8,9,10,11,12").split(",")}
    positions = [int(position) for position in parts["BYSETPOS"].split(",")]
    every = (date(first.year + (first.month - 1 + n) // 12, (first.month - 1 + n) % 12 + 1, 1)
             for n in range(0, 12 * 100, int(parts.get("INTERVAL", 1))))  # fmt: skip
    found = (
        datetime.combine(day, first.time())
        for month in every
        if month.month in months
        for day in _counted(month, positions, calendar)
    )
    wanted = (wall for wall in found if wall >= first and (last is None or wall <= last))
    return (wall for wall in islice(wanted, int(parts["COUNT"]) if "COUNT" in parts else None) if wall >= start)


def _counted(month: date, positions: list[int], calendar: WorkingDays) -> list[date]:
    month_days = (month + timedelta(days=n) for n in range(31))
    worked = [day for day in month_days if day.month == month.month and calendar.works(day)]
    places = {position - 1 if position > 0 else len(worked) + position for position in positions}
    return [worked[place] for place in sorted(places) if 0 <= place < len(worked)]


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
