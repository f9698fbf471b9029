"""What is to come: single reminders as they stand, series with every occurrence, by day, hour, words and person."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from daemon.language import words
from daemon.language.plan import Intent
from daemon.skills.moments import said, timed
from daemon.skills.skill import Context
from db.database import Queries
from db.recurrence import Days, WorkingDays, next_occurrence
from db.reminder_search import holding, recent, upcoming
from db.reminders import Due
from db.words import stems
from models.words import Kind

AHEAD = timedelta(days=366)
OVERDUE = timedelta(days=7)
"""So long ago something may have been due and still wait to be said."""
JUST_SPOKEN = timedelta(minutes=3)
MOST = 1000
MOST_OCCURRENCES = 60
LITTLE = frozenset("o a os as um uma de do da dos das no na lembrete lembretes alarme alarmes aviso comando".split())


@dataclass(frozen=True, slots=True)
class Sought:
    """Which reminders somebody means. What is None or empty does not matter."""

    words: tuple[str, ...] = ()
    day: date | None = None
    clock: time | None = None
    kinds: tuple[Kind, ...] = ("reminder", "alarm")
    person: str | None = None
    id: UUID | None = None

    @property
    def anything(self) -> bool:
        """Whether nothing tells one from another."""
        return self == Sought(kinds=self.kinds)

    def of(self, query: str, now: datetime) -> "Sought":
        """Return what these words mean within what is sought already: "o da Ana", "o das nove", "o de amanhã"."""
        found = timed(query, now)
        when, rest = found if found is not None else (None, words.read(query).words)
        telling = tuple(word.plain for word in rest if word.plain not in LITTLE)
        day = (when.start.date() if when.start and when.clock is None else when.day) if when else None
        if when and when.clock and when.start and when.start.date() != now.date() and names_a_day(query, now):
            day = when.start.date()
        return replace(self, words=self.words + telling, day=day or self.day,
                       clock=(when.clock if when else None) or self.clock)  # fmt: skip


def sought(intent: Intent, context: Context) -> Sought:
    """Return what an intent's slots mean: query, date, time, kind, person, or `reminder_id`, which fixes it."""
    slots = intent.slots
    kind = str(slots.get("kind") or "")
    kinds: tuple[Kind, ...] = (kind,) if kind in {"alarm", "timer", "command"} else ("reminder", "alarm", "command")  # type: ignore[assignment]
    if not context.speaker.trusted:
        kinds = tuple(one for one in kinds if one != "command")  # to call off "tranca a porta às dez" takes more
    wanted = Sought(kinds=kinds, person=str(slots["person"]) if slots.get("person") else None)
    if slots.get("reminder_id"):
        return replace(wanted, id=UUID(str(slots["reminder_id"])))
    for part in ("among", "query"):
        if slots.get(part):
            wanted = wanted.of(str(slots[part]), context.now)
    if isinstance(day := slots.get("date"), str):
        wanted = replace(wanted, day=date.fromisoformat(day[:10]))
    if isinstance(clock := slots.get("time"), str):
        wanted = replace(wanted, clock=time.fromisoformat(clock))
    return wanted


def named(intent: Intent) -> str:
    """Return the words that tell which is meant, as they were said, without what leads to them: "o da ração"."""
    query = str(intent.slots.get("query") or "")
    first = next((word for word in words.read(query).words if word.plain not in LITTLE), None)
    return query[first.start :] if first else query


async def pending(db: Queries, wanted: Sought, context: Context, calendar: WorkingDays | None = None) -> list[Due]:
    """Return the pending reminders that are meant, the soonest first; a series counts once. Raises LinkDown."""
    now = context.now.astimezone(UTC)
    found = await upcoming(db, now - OVERDUE, now + AHEAD, user_id=context.user_id, limit=MOST, kinds=wanted.kinds)
    return narrowed(found, wanted, context.zone, calendar)


async def just_spoken(db: Queries, context: Context) -> str | None:
    """Return the title of the reminder that was spoken last, if that was just now, to all or to who asks.

    Raises LinkDown.
    """
    now = context.now.astimezone(UTC)
    for due in await recent(db, now - JUST_SPOKEN, now):
        if due.user_id in (None, context.user_id) or (due.addressee is not None and due.addressee == context.person):
            return due.title
    return None


def narrowed(found: Sequence[Due], wanted: Sought, zone: ZoneInfo, calendar: WorkingDays | None = None) -> list[Due]:
    """Return those of `found` that are meant."""
    if wanted.id is not None:
        return [due for due in found if due.id == wanted.id]
    kept = [due for due in found if due.kind in wanted.kinds]
    kept = [due for due in kept if wanted.person is None or _is_for(due, wanted.person)]
    kept = holding(kept, wanted.words) if wanted.words else kept
    if wanted.clock is not None:
        kept = _at_clock(kept, wanted.clock, zone)
    if wanted.day is not None:
        kept = [due for due in kept if occurrences(due, *day_of(wanted.day, zone), zone, calendar)]
    return kept


def about(due: Due, zone: ZoneInfo) -> datetime:
    """Return the moment that a reminder is about, on the household's clock."""
    return (due.asked_for + timedelta(seconds=due.lead_s or 0)).astimezone(zone)


def day_of(day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Return the beginning and the end of a day."""
    return datetime.combine(day, time(), zone), datetime.combine(day + timedelta(days=1), time(), zone)


def occurrences(
    due: Due, start: datetime, until: datetime, zone: ZoneInfo, calendar: WorkingDays | None = None
) -> list[datetime]:
    """Return when a reminder comes from `start` to before `until`: of a series up to MOST_OCCURRENCES times."""
    first = about(due, zone)
    found = [first] if start <= first < until else []
    if due.rrule is None:
        return found
    days = Days(calendar, due.on_holiday, frozenset(due.except_dates or ()))
    began = due.dtstart or first.replace(tzinfo=None)
    after = max(start - timedelta(microseconds=1), first)
    while len(found) < MOST_OCCURRENCES:
        try:
            moment = next_occurrence(due.rrule, began, after, zone, days)
        except ValueError:
            return found
        if moment is None or moment >= until:
            return found
        found.append(moment.astimezone(zone))
        after = moment
    return found


def _at_clock(found: Sequence[Due], clock: time, zone: ZoneInfo) -> list[Due]:
    """Return those of that hour; where there is none, "nove" is nine in the evening too."""
    exact = [due for due in found if (at := about(due, zone)).hour == clock.hour and at.minute == clock.minute]
    other = (clock.hour + 12) % 24
    return exact or [due for due in found if (at := about(due, zone)).hour == other and at.minute == clock.minute]


def _is_for(due: Due, person: str) -> bool:
    return due.addressee is not None and stems(due.addressee) == stems(person)


def names_a_day(text: str, now: datetime) -> bool:
    """Tell whether a day was said, and not only an hour that has passed today."""
    early, late = said(text, now.replace(hour=0, minute=1)), said(text, now.replace(hour=23, minute=58))
    return early is not None and late is not None and early.at.date() == late.at.date()
