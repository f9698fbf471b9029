"""When: the words of time in a sentence, found wherever they stand, and the instant or rule that they mean.

An hour that may be morning or evening means the next that makes sense, and `assumed` tells it. A day without an hour
stays a day. Times are the household's: `now` must be aware and is taken to its zone by the caller.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta

from daemon.language.pt_br import clocks, gathering, holidays
from daemon.language.pt_br.clocks import PERIODS, Clock
from daemon.language.pt_br.rules import Rule
from daemon.language.pt_br.spans import Span
from daemon.language.pt_br.spoken_time import spoken_moment
from daemon.language.words import Word

TYPICAL_HOURS = {
    "manha": 8, "tarde": 15, "noite": 20, "madrugada": 3, "cedo": 8, "almoco": 12, "janta": 20, "dormir": 22,
    "tardinha": 17, "noitinha": 19, "meio": 11, "sesta": 13, "cafe": 7,
}  # fmt: skip
_SOON_S = 15 * 60
_LATER_S = 3 * 3600
_DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class When:
    """What the words of time of one sentence mean.

    `start` is aware, or None; `day` is set where only a day was said. `delay_s` tells a wait from now (`daqui a dez
    minutos`), `lasting_s` how long (`por dez minutos`). `past` marks an hour of today that is over. `clock` is the
    hour as said, for asking about one ("o alarme das sete"). `grain` is how finely it was said (second to year), `end`
    where it ends (exclusive) if it lasts: a week, a part of the day, `das 9 às 11`; `begin` is where such a part
    begins, while `start` is the moment in it that is taken. `on_holiday` is "skip" where a rule leaves holidays out.
    """

    start: datetime | None = None
    day: date | None = None
    rrule: str | None = None
    delay_s: int | None = None
    lasting_s: int | None = None
    assumed: str | None = None
    past: bool = False
    clock: time | None = None
    grain: str | None = None
    begin: datetime | None = None
    end: datetime | None = None
    on_holiday: str | None = None


_PART_HOURS = {"manha": (6, 12), "tarde": (12, 18), "noite": (18, 24), "madrugada": (0, 6)}


def find(words: Sequence[Word], now: datetime, *, waking: bool = False) -> tuple[When, tuple[Word, ...]] | None:
    """Find the time in `words`; return it and the words without it, or None when there is none.

    `waking` is for alarms, where an hour that may be morning or evening is the morning's.
    """
    said = gathering.gather(words, now.date(), waking=waking)
    if not said.parts:
        return None
    clock = said.parts.get("clock")
    if waking and isinstance(clock, Clock) and 4 <= clock.hour <= 11:
        said.parts["clock"] = replace(clock, sure=True)
    when = _compose(said.parts, now)
    if when is None or ("holidays" in said.parts and when.rrule is None):
        return None
    if "holidays" in said.parts:
        when = replace(when, on_holiday="skip")
    gone = gathering.gone(said.spans, words)
    return when, tuple(word for i, word in enumerate(words) if i not in gone)


def _compose(parts: dict[str, object], now: datetime) -> When | None:
    rule, clock, day = parts.get("rule"), parts.get("clock"), parts.get("day")
    part, wait, lasting = parts.get("part"), parts.get("wait"), parts.get("lasting")
    between, roll = parts.get("between"), parts.get("roll")
    until = between[1] if isinstance(between, tuple) else None
    clock = between[0] if isinstance(between, tuple) else clock
    lasting_s = lasting if isinstance(lasting, int) else None
    span = day if isinstance(day, Span) else None
    on = span.day if span else day if isinstance(day, date) else None
    if isinstance(roll, int) and on is not None:
        on = holidays.working_day(on, step=roll)
    if isinstance(rule, Rule) and rule.frequency == "HOURLY" and isinstance(between, tuple):
        return _in_hours(rule, between[0], between[1], now)
    if isinstance(rule, Rule):
        repeated = _repeated(rule, _clock(clock), part, on, now)
        return _lasting(_at_all_hours(repeated, rule, [clock, *gathering.further(parts)], on, now), lasting_s, until)
    if isinstance(wait, int) and clock is None:
        return replace(_waited(wait, now), lasting_s=lasting_s)
    if part == "soon" or (part == "later" and on in {None, now.date()} and clock is None):
        seconds = _SOON_S if part == "soon" else _LATER_S
        start = _whole(now) + timedelta(seconds=seconds)
        return When(start=start, delay_s=seconds, assumed=spoken_moment(start, now), grain="minute")
    hour = _clock(clock)
    found = _dated(hour, on, part, now) if on or hour or isinstance(part, str) else None
    if found is None:
        return When(lasting_s=lasting_s) if lasting_s else None
    if span and found.start is None and roll is None:
        found = replace(found, grain=span.grain, begin=_midnight(span.first, now), end=_midnight(span.after, now))
    return _lasting(found, lasting_s, until)


def _lasting(when: When, lasting_s: int | None, until: object) -> When:
    """Add how long it lasts: as said, or from the first to the second hour."""
    if isinstance(until, Clock) and when.start is not None:
        first = _at(when.start.date(), until, when.start)
        choices = [first + timedelta(hours=h) for h in ((0, 24) if until.sure else (0, 12, 24))]
        end = next((at for at in choices if at > when.start), first + timedelta(1))
        return replace(when, end=end, lasting_s=round(end.timestamp() - when.start.timestamp()))
    if when.rrule is not None and lasting_s is not None and lasting_s % _DAY_S == 0:
        return replace(when, rrule=f"{when.rrule};UNTIL={_until(when, lasting_s):%Y%m%dT%H%M%S}")
    return replace(when, lasting_s=lasting_s)


def _until(when: When, lasting_s: int) -> datetime:
    """Return the last moment of a recurrence that goes on for some days: "de oito em oito horas por sete dias"."""
    first = when.start.replace(tzinfo=None) if when.start else datetime.combine(when.day or date.max, time())
    return first + timedelta(seconds=lasting_s - 1)


def _midnight(day: date, now: datetime) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=now.tzinfo)


def _clock(value: object) -> Clock | None:
    return value if isinstance(value, Clock) else None


def _waited(wait_s: int, now: datetime) -> When:
    later = datetime.fromtimestamp(_whole(now).timestamp() + wait_s, tz=now.tzinfo)
    grain = "second" if wait_s % 60 else "minute"
    return When(start=later, delay_s=wait_s, grain=grain)


def _dated(clock: Clock | None, day: object, part: object, now: datetime) -> When:
    on = day if isinstance(day, date) else None
    if clock is None:
        if not isinstance(part, str) or part == "later":
            return When(day=on, grain="day")
        clock = Clock(TYPICAL_HOURS[part], 0, sure=True)
        start = _at(on or now.date(), clock, now)
        if start <= now and on is None:
            start += timedelta(1)
        elif start <= now:
            start = _whole(now) + timedelta(hours=1)
        when = When(
            start=start, assumed=spoken_moment(start, now), clock=start.timetz().replace(tzinfo=None), grain="hour"
        )
        return _part_of(when, part, on or start.date(), now)
    said_at = time(clock.hour % 24, clock.minute)
    if isinstance(part, str) and part in PERIODS.values():
        clock = clocks.within(clock, part)
    if on is None:
        start, guessed = _next(clock, now)
        assumed = spoken_moment(start, now) if guessed else None
        return When(start=start, assumed=assumed, clock=said_at, grain=_grain(clock))
    start, guessed = _on_day(on, clock, now)
    assumed = spoken_moment(start, now) if guessed else None
    return When(start=start, assumed=assumed, past=start <= now, clock=said_at, grain=_grain(clock))


def _grain(clock: Clock) -> str:
    return "minute" if clock.minute else "hour"


def _part_of(when: When, part: str, day: date, now: datetime) -> When:
    hours = _PART_HOURS.get(part)
    if hours is None:
        return when
    first = _midnight(day, now)
    return replace(when, begin=first.replace(hour=hours[0]), end=_at(day, Clock(hours[1], 0, sure=True), first))


def _next(clock: Clock, now: datetime) -> tuple[datetime, bool]:
    """Return the next time it is that hour while people are awake (6 to 23 h), and whether that was a guess."""
    start = _at(now.date(), clock, now)
    if clock.sure:
        return min(c for c in (start - timedelta(1), start, start + timedelta(1)) if c > now), False
    if clock.hour == 12:
        return (start if start > now else start + timedelta(1)), True
    choices = [start + timedelta(hours=h) for h in (0, 12, 24, 36)]
    ahead = [c for c in choices if c > now and 6 <= c.hour < 23]
    return min(ahead), True


def _on_day(day: date, clock: Clock, now: datetime) -> tuple[datetime, bool]:
    start = _at(day, clock, now)
    if clock.sure or clock.hour == 12:
        return start, False
    if day == now.date():
        evening = start + timedelta(hours=12)
        return (evening if start <= now or clock.hour < 6 else start), True
    return (start + timedelta(hours=12) if clock.hour < 6 else start), clock.hour < 6


def _at(day: date, clock: Clock, now: datetime) -> datetime:
    start = datetime(day.year, day.month, day.day, clock.hour % 24, clock.minute, tzinfo=now.tzinfo)
    return start + timedelta(1) if clock.hour >= 24 else start


def _repeated(rule: Rule, clock: Clock | None, part: object, day: object, now: datetime) -> When:
    guessed = False
    if clock is not None and rule.frequency in {"HOURLY", "MINUTELY"}:  # "de 8 em 8 horas a partir das 6"
        start, guessed = _on_day(day, clock, now) if isinstance(day, date) else _next(clock, now)
        assumed = spoken_moment(start, now) if guessed else None
        return When(start=start, rrule=rule.text(), assumed=assumed, grain=_grain(clock))
    if clock is None and rule.frequency not in {"HOURLY", "MINUTELY"}:
        named = part if isinstance(part, str) and part in TYPICAL_HOURS else rule.period
        if named is None:
            return When(day=_first_day(rule, day, now, None), rrule=rule.text(), grain="day")
        clock, guessed = Clock(TYPICAL_HOURS[named], 0, sure=True), True
    elif clock is not None:
        clock, guessed = _usual(clock, part if isinstance(part, str) else rule.period)
    if clock is None:
        step = {"HOURLY": 3600, "MINUTELY": 60}[rule.frequency] * rule.interval
        return When(start=_whole(now) + timedelta(seconds=step), rrule=rule.text(), grain="minute")
    start = _at(_first_day(rule, day, now, clock), clock, now)
    text = f"{rule.text()};BYHOUR={clock.hour % 24};BYMINUTE={clock.minute}"
    said = f"sempre às {clock.hour % 24}h{clock.minute:02d}" if guessed else None
    said_at = time(clock.hour % 24, clock.minute)
    return When(start=start, rrule=text, assumed=said, clock=said_at, grain=_grain(clock))


def _at_all_hours(when: When, rule: Rule, said: list[object], day: object, now: datetime) -> When:
    """Return the recurrence at several hours of the day: "todo dia às 7 e às 19"."""
    hours = sorted((_usual(c, None)[0] for c in said if isinstance(c, Clock)), key=lambda clock: clock.hour)
    if len(hours) < 2:
        return when
    begins = min(_at(_first_day(rule, day, now, clock), clock, now) for clock in hours)
    listed = ",".join(str(clock.hour % 24) for clock in hours)
    return replace(when, start=begins, rrule=f"{rule.text()};BYHOUR={listed};BYMINUTE={hours[0].minute}")


def _in_hours(rule: Rule, first: Clock, last: Clock, now: datetime) -> When | None:
    """Return the recurrence within some hours of each day: "a cada duas horas das 8 às 18"."""
    begins, ends = _usual(first, None)[0], last if last.sure else _usual(last, None)[0]
    hours = list(range(begins.hour, (ends.hour if ends.hour > begins.hour else ends.hour + 12) + 1, rule.interval))
    if len(hours) < 2 or hours[-1] > 23:
        return None
    daily = Rule("DAILY")
    return _at_all_hours(When(), daily, [Clock(hour, begins.minute, sure=True) for hour in hours], None, now)


def _usual(clock: Clock, part: str | None) -> tuple[Clock, bool]:
    """Place a recurring hour: by the part of the day named, else 6 to 11 in the morning, 1 to 5 in the afternoon."""
    if part in PERIODS.values() and part is not None:
        return clocks.within(clock, part), False
    if clock.sure or clock.hour == 12:
        return clock, False
    return Clock(clock.hour if clock.hour >= 6 else clock.hour + 12, clock.minute, sure=True), True


def _first_day(rule: Rule, day: object, now: datetime, clock: Clock | None) -> date:
    """Return the first day that the rule allows, from `day` or today on, whose hour is still to come."""
    start = day if isinstance(day, date) else now.date()
    for ahead in range(800):
        on = start + timedelta(ahead)
        if rule.allows(on) and (_at(on, clock, now) > now if clock else on > now.date() or not rule.weekdays):
            return on
    return start


def _whole(now: datetime) -> datetime:
    return now.replace(microsecond=0)
