"""The day that people say: `amanhã`, `na sexta`, `dia 10`, `semana que vem`, `véspera de Natal`."""

import calendar
import re
from collections.abc import Sequence
from datetime import date, timedelta

from daemon.language.pt_br import numbers

WEEKDAYS = {
    "segunda": 0, "terca": 1, "quarta": 2, "quinta": 3, "sexta": 4, "sabado": 5, "domingo": 6, "segundas": 0,
    "tercas": 1, "quartas": 2, "quintas": 3, "sextas": 4, "sabados": 5, "domingos": 6,
}  # fmt: skip
MONTHS = {"janeiro": 1, "fevereiro": 2, "marco": 3, "abril": 4, "maio": 5, "junho": 6, "julho": 7, "agosto": 8,
          "setembro": 9, "outubro": 10, "novembro": 11, "dezembro": 12}  # fmt: skip
_FEASTS = {
    ("natal",): (12, 25),
    ("ano", "novo"): (1, 1),
    ("reveillon",): (12, 31),
    ("dia", "dos", "namorados"): (6, 12),
}
_LEADS = frozenset({"no", "na", "nos", "nas", "em", "pra", "para", "pro", "o", "a", "de", "do", "da", "nesse", "nessa",
                    "neste", "nesta", "esse", "essa", "este", "esta", "ate", "ao", "ja"})  # fmt: skip
_POINTING = frozenset({"no", "na", "nesse", "nessa", "neste", "nesta", "esse", "essa", "este", "esta", "pra", "para",
                       "pro", "de", "da", "do"})  # fmt: skip
_WRITTEN = re.compile(r"(\d{1,2})/(\d{1,2})(?:/(\d{2,4}))?")

STARTS = frozenset({
    *_LEADS, *_POINTING, *WEEKDAYS, *(name[0] for name in _FEASTS), "hoje", "amanha", "depois", "proxima", "proximo",
    "dia", "primeiro", "semana", "mes", "fim", "final", "vespera",
})  # fmt: skip
"""Words with which a day may begin (besides figures)."""

Found = tuple[date, int]
"""The day and the index of the word after it."""


def read(plain: Sequence[str], at: int, today: date) -> Found | None:
    """Read the day that begins at word `at`, its preposition included; the next such day from `today` on."""
    here = at
    while here < len(plain) and plain[here] in _LEADS and here - at < 2:
        here += 1
    for start in range(here, at - 1, -1):
        found = _day(plain, start, today, plain[start - 1] if start > at else "")
        if found:
            return found
    return None


def _day(plain: Sequence[str], at: int, today: date, lead: str) -> Found | None:
    if at >= len(plain):
        return None
    return (
        _near(plain, at, today)
        or _weekday(plain, at, today, lead)
        or _numbered(plain, at, today)
        or _span(plain, at, today)
        or _feast(plain, at, today)
    )


def _near(plain: Sequence[str], at: int, today: date) -> Found | None:
    if plain[at] == "hoje":
        return today, at + 1
    if plain[at] == "amanha":
        return today + timedelta(1), at + 1
    if tuple(plain[at : at + 3]) == ("depois", "de", "amanha"):
        return today + timedelta(2), at + 3
    return None


def _weekday(plain: Sequence[str], at: int, today: date, lead: str) -> Found | None:
    following = plain[at] in {"proxima", "proximo"}
    here = at + following
    if here >= len(plain) or plain[here] not in WEEKDAYS:
        return None
    name = plain[here]
    end = here + 1
    certain = following or lead in _POINTING or name in {"sabado", "domingo"}
    if end < len(plain) and plain[end] == "feira":
        certain, end = True, end + 1
    if tuple(plain[end : end + 2]) in {("que", "vem"), ("da", "semana")}:
        certain, end = True, end + 2
    elif end < len(plain) and plain[end] in {"proxima", "proximo", "agora"}:
        certain, end = True, end + 1
    certain = certain or (lead == "" and at > 0 and plain[at - 1] == "que")  # "me lembra que sexta tem prova"
    bare = end >= len(plain) or plain[end] in {"as", "de", "a", "me", "cedo", "que", "pra"}
    if not certain and not (bare and not lead):
        return None
    return today + timedelta((WEEKDAYS[name] - today.weekday() - 1) % 7 + 1), end


def _numbered(plain: Sequence[str], at: int, today: date) -> Found | None:
    written = _WRITTEN.fullmatch(plain[at])
    if written:
        year = int(written[3]) if written[3] else None
        found = _next(today, int(written[1]), int(written[2]), year + 2000 if year is not None and year < 100 else year)
        return (found, at + 1) if found else None
    named = plain[at] == "dia"
    here = at + named
    if named and here < len(plain) and _WRITTEN.fullmatch(plain[here]):
        return _numbered(plain, here, today)
    number = (1, here + 1) if here < len(plain) and plain[here] == "primeiro" else numbers.read(plain, here)
    if number is None or not 1 <= number[0] <= 31 or number[0] != int(number[0]):
        return None
    day, end = int(number[0]), number[1]
    end += end < len(plain) and plain[end] == "º"
    return _of_month(plain, end, today, day, named)


def _of_month(plain: Sequence[str], end: int, today: date, day: int, named: bool) -> Found | None:
    month, year = None, None
    if end + 1 < len(plain) and plain[end] in {"de", "do"} and plain[end + 1] in MONTHS:
        month, end = MONTHS[plain[end + 1]], end + 2
        named_year = numbers.read(plain, end + 1) if end < len(plain) and plain[end] == "de" else None
        if named_year and 2000 <= named_year[0] < 2100:
            year, end = int(named_year[0]), named_year[1]
    elif named and tuple(plain[end : end + 4]) == ("do", "mes", "que", "vem"):
        first = _next_month(today)
        month, year, end = first.month, first.year, end + 4
    elif not named:
        return None
    found = _next(today, day, month, year)
    return (found, end) if found else None


def _next(today: date, day: int, month: int | None, year: int | None) -> date | None:
    """Return the next such day from today on (a year that is named is kept), or None where there is none."""
    for ahead in range(1 if year is not None and month is not None else 60):
        months = today.month - 1 + ahead
        at_year, at_month = today.year + months // 12, months % 12 + 1
        if month is not None:
            at_year, at_month = year if year is not None else today.year + ahead, month
        if not 1 <= at_month <= 12 or day > calendar.monthrange(at_year, at_month)[1]:
            continue
        found = date(at_year, at_month, day)
        if found >= today or year is not None:
            return found
    return None


def _next_month(today: date) -> date:
    return (today.replace(day=1) + timedelta(32)).replace(day=1)


def _span(plain: Sequence[str], at: int, today: date) -> Found | None:
    """Read a vague span by one day in it: next week is its Monday, the end of the month its last day."""
    three = tuple(plain[at : at + 3])
    if three == ("semana", "que", "vem") or three[:2] == ("proxima", "semana"):
        return today + timedelta(7 - today.weekday()), at + (3 if three[0] == "semana" else 2)
    if three == ("mes", "que", "vem") or three[:2] == ("proximo", "mes"):
        return _next_month(today), at + (3 if three[0] == "mes" else 2)
    if three in {("fim", "do", "mes"), ("final", "do", "mes")}:
        return _next_month(today) - timedelta(1), at + 3
    if three in {("fim", "de", "semana"), ("final", "de", "semana")}:
        return today + timedelta((5 - today.weekday() - 1) % 7 + 1), at + 3
    return None


def _feast(plain: Sequence[str], at: int, today: date) -> Found | None:
    eve = plain[at] == "vespera" and at + 1 < len(plain) and plain[at + 1] in {"de", "do"}
    here = at + 2 if eve else at
    for name, (month, day) in _FEASTS.items():
        if tuple(plain[here : here + len(name)]) == name:
            found = date(today.year, month, day) - timedelta(eve)
            if found < today:
                found = date(today.year + 1, month, day) - timedelta(eve)
            return found, here + len(name)
    return None
