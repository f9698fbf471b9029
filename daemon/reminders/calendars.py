"""Reminders as iCalendar (RFC 5545), both ways: what other calendars write, and what they read.

Out: a VEVENT for each series or single reminder, with RRULE, EXDATE and a VALARM at the moment it is spoken. In: VEVENT
and VTODO; a reminder for each of their alarms, one for each changed or added occurrence (RECURRENCE-ID, RDATE). What
Mordomo alone knows travels as X-MORDOMO-… and comes back. A day without an hour is its morning; a time without a zone
is the household's.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, cast
from zoneinfo import ZoneInfo

from dateutil.rrule import rrule, rrulestr
from icalendar import Alarm, Calendar, Event, Todo, vRecur

from db.reminders import Due
from models.words import Kind, OnHoliday

PRODUCT = "-//Mordomo//PT-BR"
MORNING = time(9)
MOST_ALARMS = 5
MOST_OCCURRENCES = 100_000
UNTITLED = "compromisso"


@dataclass(frozen=True, slots=True)
class Entry:
    """One reminder as a calendar tells it.

    `about` is the moment that it is about, in the household's zone; it is spoken `lead_s` before. `uid` is the same
    whenever the same calendar is read again.
    """

    uid: str
    title: str
    about: datetime
    description: str | None = None
    rrule: str | None = None
    except_dates: tuple[date, ...] = ()
    lead_s: int = 0
    kind: Kind = "reminder"
    on_holiday: OnHoliday | None = None
    addressee: str | None = None

    @property
    def scheduled_at(self) -> datetime:
        """When it is spoken."""
        return self.about - timedelta(seconds=self.lead_s)


def written(dues: Iterable[Due], zone: ZoneInfo, now: datetime) -> bytes:
    """Return a calendar of these reminders, whose clock is `zone`'s."""
    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("x-wr-calname", "Mordomo")
    for due in dues:
        calendar.add_component(_event(due, zone, now))
    starts = [_moment(event.start, zone).date() for event in calendar.events]
    calendar.add_missing_timezones(first_date=min(starts, default=now.date()))
    return bytes(calendar.to_ical())


def read(text: bytes, zone: ZoneInfo, now: datetime) -> tuple[list[Entry], int]:
    """Return the reminders to come that a calendar tells, and how many of its entries are over.

    Raises ValueError, in Portuguese, for what is no calendar.
    """
    try:
        calendars = Calendar.from_ical(text, multiple=True)
        told = [part for calendar in calendars for part in calendar.walk() if isinstance(part, Event | Todo)]
        entries = list(_entries(told, zone))
    except (ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
        raise ValueError(f"Isto não é um calendário que eu saiba ler: {error}") from error
    coming = [entry for found in entries if (entry := _coming(found, zone, now)) is not None]
    return coming, len(entries) - len(coming)


def _event(due: Due, zone: ZoneInfo, now: datetime) -> Event:
    lead = timedelta(seconds=due.lead_s or 0)
    about = (due.asked_for + lead).astimezone(zone)
    if due.rrule is not None and due.dtstart is not None:
        about = due.dtstart.replace(tzinfo=zone)
    event = Event()
    event.add("uid", str(due.metadata.get("ics_uid") or f"{due.series_id or due.id}@mordomo"))
    event.add("dtstamp", now.astimezone(UTC))
    event.add("dtstart", about.replace(microsecond=0))
    event.add("summary", due.title)
    if due.description:
        event.add("description", due.description)
    if due.rrule is not None:
        event.add("rrule", vRecur.from_ical(_for_others(due.rrule, about)))
        for moment in _excepted(due, about):
            event.add("exdate", moment)
    for name, value in (("kind", due.kind), ("on-holiday", due.on_holiday), ("addressee", due.addressee)):
        if value and value != "reminder":
            event.add(f"x-mordomo-{name}", value)
    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("description", due.title)
    alarm.add("trigger", -lead)
    event.add_component(alarm)
    return event


def _for_others(rule: str, start: datetime) -> str:
    """Return a rule without the hour that its DTSTART tells as well, and with UNTIL in UTC, as others expect it."""
    parts = dict(part.split("=", 1) for part in rule.upper().removeprefix("RRULE:").split(";") if "=" in part)
    told = {"BYHOUR": str(start.hour), "BYMINUTE": str(start.minute), "BYSECOND": "0"}
    kept = {name: value for name, value in parts.items() if parts.get(name) != told.get(name)}
    if (until := kept.get("UNTIL")) and not until.endswith("Z"):
        wall = datetime.strptime(until if "T" in until else f"{until}T235959", "%Y%m%dT%H%M%S")  # noqa: DTZ007
        kept["UNTIL"] = wall.replace(tzinfo=start.tzinfo).astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    return ";".join(f"{name}={value}" for name, value in kept.items())


def _excepted(due: Due, start: datetime) -> Iterator[datetime]:
    """Yield the occurrences on the excepted days: EXDATE names moments, not days."""
    rule = _rule(due.rrule or "", start)
    for day in due.except_dates or ():
        begin = datetime.combine(day, time())
        for wall in rule.between(begin - timedelta(seconds=1), begin + timedelta(days=1), inc=False):
            yield wall.replace(tzinfo=start.tzinfo)


def _entries(told: Sequence[Any], zone: ZoneInfo) -> Iterator[Entry]:
    moved: dict[str, list[date]] = {}
    for part in told:
        if "RECURRENCE-ID" in part:
            moved.setdefault(str(part.get("uid")), []).append(_moment(part["RECURRENCE-ID"].dt, zone).date())
    for part in told:
        if str(part.get("status", "")).upper() in {"CANCELLED", "COMPLETED"}:
            continue
        start = part.get("dtstart") or part.get("due")
        if start is not None:
            yield from _alarmed(part, _entry(part, _moment(start.dt, zone), zone, moved))


def _entry(part: Any, about: datetime, zone: ZoneInfo, moved: dict[str, list[date]]) -> Entry:
    uid = str(part.get("uid") or f"{part.get('summary')}@{about.isoformat()}")
    single = "RECURRENCE-ID" in part
    rules = _several(part.get("rrule"))
    excepted = [_moment(each.dt, zone).date() for dates in _several(part.get("exdate")) for each in dates.dts]
    gone = [] if single else sorted({*excepted, *moved.get(uid, ())})
    kind, holiday = str(part.get("x-mordomo-kind", "")), str(part.get("x-mordomo-on-holiday", ""))
    return Entry(
        uid=f"{uid}#{about:%Y%m%d}" if single else uid,
        title=" ".join(str(part.get("summary") or "").split()) or UNTITLED,
        about=about,
        description=str(part.get("description") or "").strip() or None,
        rrule=None if single or not rules else rules[0].to_ical().decode(),
        except_dates=tuple(gone),
        kind="alarm" if kind == "alarm" else "reminder",
        on_holiday=cast("OnHoliday", holiday) if holiday in {"skip", "next", "previous"} else None,
        addressee=str(part.get("x-mordomo-addressee", "")) or None,
    )


def _alarmed(part: Any, entry: Entry) -> Iterator[Entry]:
    """Yield the entry for each of its alarms, and each added date (RDATE) as an entry of its own."""
    leads = sorted({lead for alarm in part.walk("VALARM") if (lead := _lead(alarm, entry.about)) is not None})
    for place, lead_s in enumerate(leads[:MOST_ALARMS] or [0]):
        yield replace(entry, lead_s=lead_s, uid=entry.uid if place == 0 else f"{entry.uid}#-{lead_s}")
    for dates in _several(part.get("rdate")):
        for each in dates.dts:
            about = _moment(each.dt, cast("ZoneInfo", entry.about.tzinfo))
            yield replace(entry, uid=f"{entry.uid}#{about:%Y%m%d}", about=about, rrule=None, except_dates=())


def _lead(alarm: Any, about: datetime) -> int | None:
    trigger: Any = alarm.get("trigger")
    if trigger is None:
        return None
    lead = -trigger.dt if isinstance(trigger.dt, timedelta) else about - _moment(trigger.dt, ZoneInfo("UTC"))
    return max(0, int(lead.total_seconds()))


def _coming(entry: Entry, zone: ZoneInfo, now: datetime) -> Entry | None:
    """Return the entry from its next occurrence on, or None where it is over. A rule that counts has fewer left."""
    if entry.rrule is None:
        return entry if entry.scheduled_at > now else None
    rule = _rule(entry.rrule, entry.about)
    gone = 0
    for gone, wall in enumerate(rule):
        about = wall.replace(tzinfo=zone)
        if gone > MOST_OCCURRENCES:
            return None
        spoken = about - timedelta(seconds=entry.lead_s)
        if spoken > now and about.date() not in entry.except_dates:
            return replace(entry, about=about, rrule=_fewer(entry.rrule, gone))
    return None


def _fewer(rule: str, gone: int) -> str:
    parts = [part.split("=", 1) for part in rule.split(";")]
    return ";".join(f"{name}={int(value) - gone if name == 'COUNT' else value}" for name, value in parts)


def _rule(rule: str, start: datetime) -> rrule:
    """Return a rule on the wall clock of `start`; UNTIL is taken to it."""
    parts = dict(part.split("=", 1) for part in rule.upper().removeprefix("RRULE:").split(";") if "=" in part)
    if (until := parts.get("UNTIL", "")).endswith("Z"):
        moment = datetime.strptime(until, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        parts["UNTIL"] = moment.astimezone(start.tzinfo).strftime("%Y%m%dT%H%M%S")
    elif len(until) == len("20261120"):
        parts["UNTIL"] = f"{until}T235959"
    text = ";".join(f"{name}={value}" for name, value in parts.items())
    return cast("rrule", rrulestr(text, dtstart=start.replace(tzinfo=None)))


def _moment(told: date, zone: ZoneInfo) -> datetime:
    """Return a date or date-time on the household's clock."""
    if not isinstance(told, datetime):
        return datetime.combine(told, MORNING, zone)
    return told.astimezone(zone) if told.tzinfo else told.replace(tzinfo=zone)


def _several(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]
