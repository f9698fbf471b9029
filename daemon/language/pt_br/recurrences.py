"""How often: `todo dia`, `toda segunda e quarta`, `de 8 em 8 horas`, `de segunda a sexta`. Rules are RFC 5545's."""

from collections.abc import Sequence
from dataclasses import dataclass

from daemon.language.pt_br import durations, numbers
from daemon.language.pt_br.clocks import PERIODS
from daemon.language.pt_br.days import WEEKDAYS

CODES = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_UNITS = {
    "hora": "HOURLY", "minuto": "MINUTELY", "dia": "DAILY", "semana": "WEEKLY", "mes": "MONTHLY", "ano": "YEARLY",
    "horas": "HOURLY", "minutos": "MINUTELY", "dias": "DAILY", "semanas": "WEEKLY", "meses": "MONTHLY",
}  # fmt: skip
_EVERY = frozenset({"todo", "toda", "todos", "todas", "cada"})
_WORKDAYS = (0, 1, 2, 3, 4)


@dataclass(frozen=True, slots=True)
class Rule:
    """A recurrence. `weekdays` are 0 (Monday) to 6, `period` a part of the day that came with it (`toda noite`)."""

    frequency: str
    interval: int = 1
    weekdays: tuple[int, ...] = ()
    month_day: int | None = None
    period: str | None = None

    def text(self) -> str:
        """Return it as an RRULE without hours."""
        parts = [f"FREQ={self.frequency}"]
        if self.interval > 1:
            parts.append(f"INTERVAL={self.interval}")
        if self.weekdays:
            parts.append("BYDAY=" + ",".join(CODES[d] for d in self.weekdays))
        if self.month_day:
            parts.append(f"BYMONTHDAY={self.month_day}")
        return ";".join(parts)


Found = tuple[Rule, int]
"""The rule and the index of the word after it."""


def read(plain: Sequence[str], at: int) -> Found | None:
    """Read the recurrence that begins at word `at`, or return None."""
    return _every(plain, at) or _from_to(plain, at) or _interval(plain, at) or _fixed(plain, at)


def _every(plain: Sequence[str], at: int) -> Found | None:
    here = at
    if plain[here] not in _EVERY:
        return None
    here += 1
    if here < len(plain) and plain[here] in {"os", "as", "o", "a", "santo"}:
        here += 1
    if here >= len(plain):
        return None
    days = _weekdays(plain, here)
    if days:
        return Rule("WEEKLY", weekdays=days[0]), days[1]
    if plain[here] in PERIODS or plain[here] in {"manhas", "tardes", "noites"}:
        return Rule("DAILY", period=PERIODS[plain[here].removesuffix("s")]), here + 1
    if plain[here] in {"fim", "fins", "final"} and plain[here + 1 : here + 3] == ("de", "semana"):
        return Rule("WEEKLY", weekdays=(5, 6)), here + 3
    return _every_unit(plain, here)


def _every_unit(plain: Sequence[str], here: int) -> Found | None:
    if plain[here] in {"dia", "dias"}:
        if plain[here + 1 : here + 2] in {("util",), ("uteis",)}:
            return Rule("WEEKLY", weekdays=_WORKDAYS), here + 2
        if plain[here + 1 : here + 3] == ("de", "semana"):
            return Rule("WEEKLY", weekdays=_WORKDAYS), here + 3
        number = numbers.read(plain, here + 1)
        if number and 1 <= number[0] <= 31:
            return Rule("MONTHLY", month_day=int(number[0])), number[1]
    if plain[here] == "mes" and plain[here + 1 : here + 2] in {("dia",), ("no",)}:
        number = numbers.read(plain, here + (3 if plain[here + 1] == "no" else 2))
        if number and 1 <= number[0] <= 31:
            return Rule("MONTHLY", month_day=int(number[0])), number[1]
    unit = _UNITS.get(plain[here])
    return (Rule(unit), here + 1) if unit else None


def _weekdays(plain: Sequence[str], at: int) -> tuple[tuple[int, ...], int] | None:
    """Read a list of weekdays: `segunda`, `segunda e quarta`, `terça, quinta e sábado`."""
    days: list[int] = []
    here = end = at
    while here < len(plain) and plain[here] in WEEKDAYS:
        days.append(WEEKDAYS[plain[here]])
        here += 1
        if here < len(plain) and plain[here] in {"feira", "feiras"}:
            here += 1
        end = here
        while here < len(plain) and plain[here] in {"e", "toda", "todo", "as", "a"} and here - end < 2:
            here += 1
    return (tuple(sorted(set(days))), end) if days else None


def _from_to(plain: Sequence[str], at: int) -> Found | None:
    here = at + (plain[at] in {"de", "da"})
    if here + 2 >= len(plain) or plain[here] not in WEEKDAYS:
        return None
    first, here = WEEKDAYS[plain[here]], here + 1
    here += here < len(plain) and plain[here] == "feira"
    if here + 1 >= len(plain) or plain[here] not in {"a", "ate"} or plain[here + 1] not in WEEKDAYS:
        return None
    last, end = WEEKDAYS[plain[here + 1]], here + 2
    end += end < len(plain) and plain[end] == "feira"
    return Rule("WEEKLY", weekdays=tuple(sorted((first + i) % 7 for i in range((last - first) % 7 + 1)))), end


def _interval(plain: Sequence[str], at: int) -> Found | None:
    """Read `a cada 2 horas`, `cada meia hora`, `de 8 em 8 horas`, `de hora em hora`."""
    here = at + (plain[at] == "a")
    if plain[here : here + 1] == ("cada",) and here + 1 < len(plain):
        if plain[here + 1] in _UNITS:
            return Rule(_UNITS[plain[here + 1]]), here + 2
        return _counted(plain, here + 1)
    return _from_in(plain, at) if plain[at] == "de" and at + 3 < len(plain) else None


def _from_in(plain: Sequence[str], at: int) -> Found | None:
    """Read `de 8 em 8 horas`, `de hora em hora`, `de meia em meia hora`."""
    if plain[at + 2] == "em" and plain[at + 1] == plain[at + 3] and plain[at + 1] in _UNITS:
        return Rule(_UNITS[plain[at + 1]]), at + 4
    first = numbers.read(plain, at + 1)
    if first and first[1] < len(plain) and plain[first[1]] == "em":
        second = _counted(plain, first[1] + 1)
        return second if second and second[0].interval == first[0] else None
    if plain[at + 1 : at + 6] == ("meia", "em", "meia", "hora"):
        return Rule("MINUTELY", 30), at + 5
    return None


def _counted(plain: Sequence[str], at: int) -> Found | None:
    number = numbers.read(plain, at)
    if number and number[1] < len(plain) and plain[number[1]] in _UNITS and number[0] >= 1:
        return Rule(_UNITS[plain[number[1]]], int(number[0])), number[1] + 1
    lasting = durations.read(plain, at)
    return (Rule("MINUTELY", lasting[0] // 60), lasting[1]) if lasting and lasting[0] >= 60 else None


_FIXED = {
    ("diariamente",): Rule("DAILY"), ("semanalmente",): Rule("WEEKLY"), ("mensalmente",): Rule("MONTHLY"),
    ("dia", "sim", "dia", "nao"): Rule("DAILY", 2), ("semana", "sim", "semana", "nao"): Rule("WEEKLY", 2),
    ("nos", "dias", "uteis"): Rule("WEEKLY", weekdays=_WORKDAYS), ("dias", "uteis"): Rule("WEEKLY", weekdays=_WORKDAYS),
    ("dia", "de", "semana"): Rule("WEEKLY", weekdays=_WORKDAYS),
    ("dias", "de", "semana"): Rule("WEEKLY", weekdays=_WORKDAYS),
    ("nos", "fins", "de", "semana"): Rule("WEEKLY", weekdays=(5, 6)),
}  # fmt: skip


STARTS = frozenset({*_EVERY, *WEEKDAYS, "de", "da", "a", *(name[0] for name in _FIXED)})
"""Words with which a recurrence may begin."""


def _fixed(plain: Sequence[str], at: int) -> Found | None:
    for name, rule in _FIXED.items():
        if tuple(plain[at : at + len(name)]) == name:
            return rule, at + len(name)
    return None
