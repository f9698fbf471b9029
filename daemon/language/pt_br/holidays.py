"""Brazil's days: national holidays, the feasts that people name, and working days as banks count them.

Moveable feasts count from Easter (dateutil's, Western). A package of the world's holidays would weigh more than the
forty lines that one country needs; what a city or a state adds is not known here.
"""

from datetime import date, timedelta
from functools import lru_cache

from dateutil.easter import easter

_FIXED = {(1, 1), (4, 21), (5, 1), (9, 7), (10, 12), (11, 2), (11, 15), (11, 20), (12, 25)}
_BLACK_AWARENESS_SINCE = 2024
"""The 20th of November is a national holiday since then (Lei 14.759/2023)."""
_MOVEABLE = {"carnaval": -47, "segunda de carnaval": -48, "cinzas": -46, "sexta santa": -2, "pascoa": 0,
             "corpus christi": 60}  # fmt: skip
_NO_WORK = ("carnaval", "segunda de carnaval", "sexta santa", "corpus christi")

FEASTS: dict[tuple[str, ...], tuple[int, int] | str] = {
    ("natal",): (12, 25), ("ano", "novo"): (1, 1), ("reveillon",): (12, 31), ("virada", "do", "ano"): (12, 31),
    ("dia", "dos", "namorados"): (6, 12), ("dia", "das", "criancas"): (10, 12), ("tiradentes",): (4, 21),
    ("dia", "do", "trabalho"): (5, 1), ("dia", "do", "trabalhador"): (5, 1), ("sao", "joao"): (6, 24),
    ("independencia",): (9, 7), ("dia", "da", "independencia"): (9, 7), ("finados",): (11, 2),
    ("dia", "de", "finados"): (11, 2), ("nossa", "senhora", "aparecida"): (10, 12), ("dia", "de", "reis"): (1, 6),
    ("proclamacao", "da", "republica"): (11, 15), ("consciencia", "negra"): (11, 20),
    ("dia", "da", "consciencia", "negra"): (11, 20), ("dia", "dos", "professores"): (10, 15),
    ("dia", "das", "mulheres"): (3, 8), ("dia", "da", "mulher"): (3, 8), ("halloween",): (10, 31),
    ("segunda", "de", "carnaval"): "segunda de carnaval", ("terca", "de", "carnaval"): "carnaval",
    ("segunda", "feira", "de", "carnaval"): "segunda de carnaval", ("terca", "feira", "de", "carnaval"): "carnaval",
    ("quarta", "de", "cinzas"): "cinzas", ("quarta", "feira", "de", "cinzas"): "cinzas",
    ("sexta", "feira", "santa"): "sexta santa", ("sexta", "santa"): "sexta santa",
    ("sexta", "feira", "da", "paixao"): "sexta santa", ("sexta", "da", "paixao"): "sexta santa",
    ("carnaval",): "carnaval", ("pascoa",): "pascoa", ("domingo", "de", "pascoa"): "pascoa",
    ("corpus", "christi"): "corpus christi", ("dia", "das", "maes"): "maes", ("dia", "dos", "pais"): "pais",
}  # fmt: skip
"""What people call a day, and the month and day, or the name of the day that moves."""


@lru_cache(maxsize=64)
def days_off(year: int) -> frozenset[date]:
    """Return the year's days on which banks are closed all day, weekends aside."""
    fixed = {date(year, *day) for day in _FIXED if day != (11, 20) or year >= _BLACK_AWARENESS_SINCE}
    return frozenset(fixed | {easter(year) + timedelta(_MOVEABLE[name]) for name in _NO_WORK})


def works(day: date) -> bool:
    """Tell whether this is a working day."""
    return day.weekday() < 5 and day not in days_off(day.year)


def working_day(day: date, *, step: int = 1) -> date:
    """Return `day` if it is a working day, else the next one (`step` -1: the one before)."""
    while not works(day):
        day += timedelta(step)
    return day


def nth_working_day(year: int, month: int, nth: int) -> date:
    """Return the nth working day of a month; -1 is the last. `nth` must be -1 or 1 to 15."""
    if nth < 0:
        return working_day(_next_month(year, month) - timedelta(1), step=-1)
    day = working_day(date(year, month, 1))
    for _ in range(nth - 1):
        day = working_day(day + timedelta(1))
    return day


def nth_weekday(year: int, month: int, weekday: int, nth: int) -> date | None:
    """Return the nth Monday (0)… Sunday (6) of a month, -1 the last, or None where the month has no fifth."""
    if nth < 0:
        last = _next_month(year, month) - timedelta(1)
        return last - timedelta((last.weekday() - weekday) % 7)
    first = date(year, month, 1)
    found = first + timedelta((weekday - first.weekday()) % 7 + 7 * (nth - 1))
    return found if found.month == month else None


def feast(which: tuple[int, int] | str, year: int) -> date:
    """Return the day of a feast in a year."""
    if isinstance(which, tuple):
        return date(year, *which)
    if which in {"maes", "pais"}:
        second = nth_weekday(year, 5 if which == "maes" else 8, 6, 2)
        return second or date(year, 5, 8)
    return easter(year) + timedelta(_MOVEABLE[which])


def next_holiday(today: date) -> date:
    """Return the first holiday after `today`."""
    return min(day for year in (today.year, today.year + 1) for day in days_off(year) if day > today)


def _next_month(year: int, month: int) -> date:
    return date(year + month // 12, month % 12 + 1, 1)
