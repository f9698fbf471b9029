"""When: the words of time in a sentence, found wherever they stand, and the instant or rule that they mean.

An hour that may be morning or evening means the next that makes sense, and `assumed` tells it. A day without an hour
stays a day. Times are the household's: `now` must be aware and is taken to its zone by the caller.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from itertools import pairwise

from daemon.language.pt_br import clocks, days, durations, numbers, recurrences
from daemon.language.pt_br.clocks import PERIODS, Clock
from daemon.language.pt_br.recurrences import Rule
from daemon.language.pt_br.spoken_time import spoken_moment
from daemon.language.words import Word

TYPICAL_HOURS = {
    "manha": 8,
    "tarde": 15,
    "noite": 20,
    "madrugada": 3,
    "cedo": 8,
    "almoco": 12,
    "janta": 20,
    "dormir": 22,
}
_SOON_S = 15 * 60
_LATER_S = 3 * 3600
_IN = (("daqui", "a"), ("daqui", "ha"), ("dentro", "de"), ("daqui",), ("em",), ("passados",), ("depois", "de"))
_LASTING = frozenset({"por", "durante"})
_BETWEEN = frozenset({"e", "la", "pra", "para", "de", "no", "na", "mais", "por"})
_PARTS = {
    ("mais", "tarde"): "later", ("logo", "mais"): "later", ("daqui", "a", "pouco"): "soon", ("daqui", "pouco"): "soon",
    ("daqui", "a", "pouquinho"): "soon", ("ja", "ja"): "soon", ("cedo",): "cedo", ("cedinho",): "cedo",
    ("bem", "cedo"): "cedo", ("na", "hora", "do", "almoco"): "almoco", ("depois", "do", "almoco"): "tarde",
    ("na", "hora", "da", "janta"): "janta", ("na", "hora", "do", "jantar"): "janta", ("depois", "da", "janta"): "janta",
    ("antes", "de", "dormir"): "dormir", ("na", "hora", "de", "dormir"): "dormir",
}  # fmt: skip


_STARTS = frozenset({
    *recurrences.STARTS, *clocks.LEADS, *days.STARTS, *numbers.WORDS, *_LASTING, *(lead[0] for lead in _IN),
    *(name[0] for name in _PARTS), "pela", "esta", "essa", "nesta", "nessa", "meio", "meia",
})  # fmt: skip
"""Words with which a piece of time may begin (besides figures): all others are passed over quickly."""


@dataclass(frozen=True, slots=True)
class When:
    """What the words of time of one sentence mean.

    `start` is aware, or None; `day` is set where only a day was said. `delay_s` tells a wait from now (`daqui a dez
    minutos`), `lasting_s` how long (`por dez minutos`). `past` marks an hour of today that is over. `clock` is the
    hour as said, for asking about one ("o alarme das sete").
    """

    start: datetime | None = None
    day: date | None = None
    rrule: str | None = None
    delay_s: int | None = None
    lasting_s: int | None = None
    assumed: str | None = None
    past: bool = False
    clock: time | None = None


@dataclass(slots=True)
class _Said:
    """The pieces of time found so far, one of a kind."""

    parts: dict[str, object] = field(default_factory=dict)
    spans: list[tuple[int, int]] = field(default_factory=list)

    def take(self, kind: str, value: object, span: tuple[int, int]) -> bool:
        same_day = kind == "day" and bool(self.spans) and self.spans[-1][1] == span[0]  # "na quinta, dia 19"
        if kind in self.parts and not same_day:
            return False
        self.parts[kind] = value
        self.spans.append(span)
        return True


def find(words: Sequence[Word], now: datetime, *, waking: bool = False) -> tuple[When, tuple[Word, ...]] | None:
    """Find the time in `words`; return it and the words without it, or None when there is none.

    `waking` is for alarms, where an hour that may be morning or evening is the morning's.
    """
    plain = tuple(word.plain for word in words)
    said, today = _Said(), now.date()
    at = 0
    while at < len(plain):
        may_begin = plain[at] in _STARTS or plain[at][0].isdigit()
        expected = waking or (bool(said.spans) and said.spans[-1][1] == at and "day" in said.parts)
        piece = _piece(words, plain, at, today, expected=expected) if may_begin else None
        if piece and said.take(piece[0], piece[1], (at, piece[2])):
            at = piece[2]
        else:
            at += 1
    if not said.parts:
        return None
    clock = said.parts.get("clock")
    if waking and isinstance(clock, Clock) and 4 <= clock.hour <= 11:
        said.parts["clock"] = replace(clock, sure=True)
    when = _compose(said.parts, now)
    if when is None:
        return None
    gone = _gone(said.spans, plain)
    return when, tuple(word for i, word in enumerate(words) if i not in gone)


def _gone(spans: Sequence[tuple[int, int]], plain: Sequence[str]) -> set[int]:
    """Return the places taken by time, little words between two pieces of it included."""
    gone = {i for start, end in spans for i in range(start, end)}
    for (_, end), (start, _) in pairwise(spans):
        if 0 < start - end <= 2 and all(plain[i] in _BETWEEN for i in range(end, start)):
            gone.update(range(end, start))
    first = spans[0][0]
    if first and plain[first - 1] in {"pra", "para", "pro", "ja", "agora"} and first - 1 not in gone:
        gone.add(first - 1)
    return gone


def _piece(
    words: Sequence[Word], plain: tuple[str, ...], at: int, today: date, *, expected: bool
) -> tuple[str, object, int] | None:
    """Read one piece of time at word `at`: its kind, its value, the index after it."""
    rule = recurrences.read(plain, at)
    if rule:
        return "rule", *rule
    wait = _wait(plain, at)
    if wait:
        return wait
    part = _part(words, plain, at)
    if part:
        return "part", *part
    before = clocks.read(words, plain, at, expected=expected)
    if before:
        return "clock", *before
    day = days.read(plain, at, today)
    return ("day", *day) if day else None


def _wait(plain: tuple[str, ...], at: int) -> tuple[str, object, int] | None:
    if plain[at] in _LASTING:
        lasting = durations.read(plain, at + 1)
        return ("lasting", lasting[0], lasting[1]) if lasting else None
    for lead in _IN:
        if plain[at : at + len(lead)] == lead:
            wait = durations.read(plain, at + len(lead))
            if wait:
                return "wait", wait[0], wait[1]
    return None


def _part(words: Sequence[Word], plain: tuple[str, ...], at: int) -> tuple[str, int] | None:
    for name, part in _PARTS.items():
        if plain[at : at + len(name)] == name:
            return part, at + len(name)
    if plain[at] == "amanha" or at + 1 >= len(plain) or plain[at + 1] not in PERIODS:
        return None
    pointed = plain[at] in {"de", "pela", "esta", "essa", "nesta", "nessa", "hoje"}
    dated = at > 0 and plain[at - 1] in {"hoje", "amanha", "feira", *days.WEEKDAYS}
    accented = plain[at] == "a" and (words[at].accented or dated)
    return (PERIODS[plain[at + 1]], at + 2) if pointed or accented else None


def _compose(parts: dict[str, object], now: datetime) -> When | None:
    rule, clock, day = parts.get("rule"), parts.get("clock"), parts.get("day")
    part, wait, lasting = parts.get("part"), parts.get("wait"), parts.get("lasting")
    lasting_s = lasting if isinstance(lasting, int) else None
    if isinstance(rule, Rule):
        return _repeated(rule, _clock(clock), part, day, now)
    if isinstance(wait, int) and wait % 86400 == 0 and day is None:
        day = (now + timedelta(seconds=wait)).date()
    elif isinstance(wait, int) and clock is None:
        return replace(_waited(wait, now), lasting_s=lasting_s)
    if part == "soon" or (part == "later" and day is None and clock is None):
        seconds = _SOON_S if part == "soon" else _LATER_S
        start = _whole(now) + timedelta(seconds=seconds)
        return When(start=start, delay_s=seconds, assumed=spoken_moment(start, now))
    hour = _clock(clock)
    found = _dated(hour, day, part, now) if isinstance(day, date) or hour or isinstance(part, str) else None
    if found is None:
        return When(lasting_s=lasting_s) if lasting_s else None
    return replace(found, lasting_s=lasting_s)


def _clock(value: object) -> Clock | None:
    return value if isinstance(value, Clock) else None


def _waited(wait_s: int, now: datetime) -> When:
    later = datetime.fromtimestamp(_whole(now).timestamp() + wait_s, tz=now.tzinfo)
    return When(start=later, delay_s=wait_s)


def _dated(clock: Clock | None, day: object, part: object, now: datetime) -> When:
    on = day if isinstance(day, date) else None
    if clock is None:
        if not isinstance(part, str) or part == "later":
            return When(day=on)
        clock = Clock(TYPICAL_HOURS[part], 0, sure=True)
        start = _at(on or now.date(), clock, now)
        if start <= now and on is None:
            start += timedelta(1)
        elif start <= now:
            start = _whole(now) + timedelta(hours=1)
        return When(start=start, assumed=spoken_moment(start, now), clock=start.timetz().replace(tzinfo=None))
    said_at = time(clock.hour % 24, clock.minute)
    if isinstance(part, str) and part in PERIODS.values():
        clock = clocks.within(clock, part)
    if on is None:
        start, guessed = _next(clock, now)
        return When(start=start, assumed=spoken_moment(start, now) if guessed else None, clock=said_at)
    start, guessed = _on_day(on, clock, now)
    return When(start=start, assumed=spoken_moment(start, now) if guessed else None, past=start <= now, clock=said_at)


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
    if clock is None and rule.frequency not in {"HOURLY", "MINUTELY"}:
        named = part if isinstance(part, str) and part in TYPICAL_HOURS else rule.period
        if named is None:
            return When(day=_first_day(rule, day, now, None), rrule=rule.text())
        clock, guessed = Clock(TYPICAL_HOURS[named], 0, sure=True), True
    elif clock is not None:
        clock, guessed = _usual(clock, part if isinstance(part, str) else rule.period)
    if clock is None:
        step = {"HOURLY": 3600, "MINUTELY": 60}[rule.frequency] * rule.interval
        return When(start=_whole(now) + timedelta(seconds=step), rrule=rule.text())
    start = _at(_first_day(rule, day, now, clock), clock, now)
    text = f"{rule.text()};BYHOUR={clock.hour % 24};BYMINUTE={clock.minute}"
    said = f"sempre às {clock.hour % 24}h{clock.minute:02d}" if guessed else None
    return When(start=start, rrule=text, assumed=said, clock=time(clock.hour % 24, clock.minute))


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
    for ahead in range(400):
        on = start + timedelta(ahead)
        allowed = (not rule.weekdays or on.weekday() in rule.weekdays) and rule.month_day in {None, on.day}
        if allowed and (_at(on, clock, now) > now if clock else on > now.date() or not rule.weekdays):
            return on
    return start


def _whole(now: datetime) -> datetime:
    return now.replace(microsecond=0)
