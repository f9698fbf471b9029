"""Days that are counted: `quinto dia útil`, `último dia do mês`, `primeira segunda de março`, `próximo feriado`."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import NamedTuple

from daemon.language.pt_br import holidays, numbers

WEEKDAYS = {
    "segunda": 0, "terca": 1, "quarta": 2, "quinta": 3, "sexta": 4, "sabado": 5, "domingo": 6, "segundas": 0,
    "tercas": 1, "quartas": 2, "quintas": 3, "sextas": 4, "sabados": 5, "domingos": 6,
}  # fmt: skip
MONTHS = {
    "janeiro": 1, "fevereiro": 2, "marco": 3, "abril": 4, "maio": 5, "junho": 6, "julho": 7, "agosto": 8,
    "setembro": 9, "outubro": 10, "novembro": 11, "dezembro": 12, "jan": 1, "fev": 2, "mar": 3, "abr": 4, "mai": 5,
    "jun": 6, "jul": 7, "ago": 8, "set": 9, "out": 10, "nov": 11, "dez": 12,
}  # fmt: skip
"""Months and their short forms; `dez` and `set` are also numbers or verbs, so callers ask for a preposition."""
ORDINALS = {
    "primeiro": 1, "primeira": 1, "segundo": 2, "segunda": 2, "terceiro": 3, "terceira": 3, "quarto": 4, "quarta": 4,
    "quinto": 5, "quinta": 5, "sexto": 6, "sexta": 6, "setimo": 7, "setima": 7, "oitavo": 8, "oitava": 8, "nono": 9,
    "nona": 9, "decimo": 10, "decima": 10, "ultimo": -1, "ultima": -1,
}  # fmt: skip
STARTS = frozenset({*ORDINALS, "proximo", "dia"})


class Month(NamedTuple):
    """A month; `named` when it was said, so that a day in it which is over does not mean the next month's."""

    year: int
    month: int
    named: bool


class Counted(NamedTuple):
    """The nth working day (`weekday` None), or the nth of a weekday, or (`plain`) the nth day, and where it ends."""

    nth: int
    weekday: int | None
    plain: bool
    end: int


def read(plain: Sequence[str], at: int, today: date) -> tuple[date, int] | None:
    """Read a counted day that begins at word `at` (no preposition); the next such from `today` on."""
    near = _near(plain, at, today)
    if near:
        return near
    counted = count(plain, at)
    if counted is None:
        return None
    month, end = month_after(plain, counted.end, today)
    if month is None and (counted.plain or (counted.weekday is not None and counted.nth > 0)):
        return None  # "no primeiro dia" and "na segunda segunda" are counted from something else
    here = month or Month(today.year, today.month, named=False)
    found = _in_month(counted, here.year, here.month)
    if not here.named and (found is None or found < today):
        found = _in_month(counted, here.year + here.month // 12, here.month % 12 + 1)
    return (found, end) if found else None


def ordinal(plain: Sequence[str], at: int) -> tuple[int, int] | None:
    """Read `quinto`, `5º`, `último`; return the number (-1 the last) and the index after."""
    if at < len(plain) and plain[at] in ORDINALS:
        return ORDINALS[plain[at]], at + 1
    number = numbers.read(plain, at)
    if number and number[0] == int(number[0]) and 1 <= number[0] <= 15 and plain[number[1] : number[1] + 1] in _MARKS:
        return int(number[0]), number[1] + 1
    return None


_MARKS = (("º",), ("ª",), ("o",))


def count(plain: Sequence[str], at: int) -> Counted | None:
    """Read what is counted, without the month it is counted in."""
    first = ordinal(plain, at)
    if first is None or first[1] >= len(plain):
        return None
    nth, here = first
    if tuple(plain[here : here + 2]) in {("dia", "util"), ("dia", "utils")}:
        return Counted(nth, None, plain=False, end=here + 2)
    if plain[here] == "dia":
        return Counted(nth, None, plain=True, end=here + 1)
    weekday = WEEKDAYS.get(plain[here])
    if weekday is None or nth > 5:
        return None
    here += 1
    return Counted(nth, weekday, plain=False, end=here + (here < len(plain) and plain[here] == "feira"))


def _near(plain: Sequence[str], at: int, today: date) -> tuple[date, int] | None:
    three = tuple(plain[at : at + 3])
    if three in {("proximo", "dia", "util"), ("dia", "util", "seguinte")}:
        return holidays.working_day(today + timedelta(1)), at + 3
    if three[:2] == ("proximo", "feriado"):
        return holidays.next_holiday(today), at + 2
    return None


def _in_month(counted: Counted, year: int, month: int) -> date | None:
    if counted.weekday is not None:
        return holidays.nth_weekday(year, month, counted.weekday, counted.nth)
    if not counted.plain:
        return holidays.nth_working_day(year, month, counted.nth)
    after = date(year + month // 12, month % 12 + 1, 1)
    return after - timedelta(1) if counted.nth < 0 else date(year, month, counted.nth)


def month_after(plain: Sequence[str], at: int, today: date) -> tuple[Month | None, int]:
    """Read `do mês`, `do mês que vem`, `de março [de 2027]` after a day; the month and the index after it."""
    if at >= len(plain) or plain[at] not in {"de", "do", "desse", "deste", "no", "em"}:
        return None, at
    following = Month(today.year + today.month // 12, today.month % 12 + 1, named=True)
    if tuple(plain[at + 1 : at + 4]) == ("mes", "que", "vem"):
        return following, at + 4
    if tuple(plain[at + 1 : at + 3]) == ("proximo", "mes"):
        return following, at + 3
    if plain[at + 1 : at + 2] == ("mes",) or plain[at + 1 : at + 2] == ["mes"]:
        return Month(today.year, today.month, named=plain[at] in {"desse", "deste"}), at + 2
    month = MONTHS.get(plain[at + 1]) if at + 1 < len(plain) else None
    if month is None:
        return None, at
    year, end = year_after(plain, at + 2)
    return Month(year or today.year + (month < today.month), month, named=True), end


def year_after(plain: Sequence[str], at: int) -> tuple[int | None, int]:
    """Read `de 2027`, `do ano que vem` is left to others; the year (or None) and the index after."""
    here = at + (at < len(plain) and plain[at] in {"de", "do"})
    number = numbers.read(plain, here)
    if number and number[0] == int(number[0]) and 1900 <= number[0] < 2200:
        return int(number[0]), number[1]
    return None, at
