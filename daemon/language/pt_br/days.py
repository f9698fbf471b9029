"""The day that people say: `amanhã`, `na sexta`, `dia 10`, `semana que vem`, `véspera de Natal`."""

import calendar
import re
from collections.abc import Sequence
from datetime import date, timedelta

from daemon.language.pt_br import holidays, month_days, numbers
from daemon.language.pt_br.month_days import MONTHS, WEEKDAYS

_LEADS = frozenset({"no", "na", "nos", "nas", "em", "pra", "para", "pro", "o", "a", "de", "do", "da", "nesse", "nessa",
                    "neste", "nesta", "esse", "essa", "este", "esta", "ate", "ao", "ja"})  # fmt: skip
_POINTING = frozenset({"no", "na", "nesse", "nessa", "neste", "nesta", "esse", "essa", "este", "esta", "pra", "para",
                       "pro", "de", "da", "do"})  # fmt: skip
_WRITTEN = re.compile(r"(\d{1,2})([/.-])(\d{1,2})(?:\2(\d{2,4}))?")
_ISO = re.compile(r"(\d{4})-(\d{2})-(\d{2})")

STARTS = frozenset({
    *_LEADS, *_POINTING, *WEEKDAYS, *(name[0] for name in holidays.FEASTS), *MONTHS, *month_days.STARTS, "hoje",
    "amanha", "depois", "antes", "proxima", "dia", "vespera", "antevespera", "feriado",
    "seg", "ter", "qua", "qui", "sex", "sab", "dom",
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
        or _beside(plain, at, today)
        or _feast(plain, at, today)
        or month_days.read(plain, at, today)
        or _weekday(plain, at, today, lead)
        or _numbered(plain, at, today)
        or _month_first(plain, at, today)
    )


def _near(plain: Sequence[str], at: int, today: date) -> Found | None:
    if plain[at] == "hoje":
        return today, at + 1
    if plain[at] == "amanha":
        return today + timedelta(1), at + 1
    if tuple(plain[at : at + 3]) == ("depois", "de", "amanha"):
        return today + timedelta(2), at + 3
    return None


def _beside(plain: Sequence[str], at: int, today: date) -> Found | None:
    """Read `um dia antes do Natal`, `dois dias depois do dia 10`; `antes do dia 15` is the day before."""
    if plain[at] == "antes" and at + 2 < len(plain) and plain[at + 1] in {"de", "do", "da"}:  # "antes do dia 15"
        last = _day(plain, at + 2, today + timedelta(1), plain[at + 1])
        return (last[0] - timedelta(1), last[1]) if last else None
    number = numbers.read(plain, at)
    here = number[1] if number else 0
    if number is None or not 1 <= number[0] <= 60 or tuple(plain[here : here + 1]) not in {("dia",), ("dias",)}:
        return None
    way = {"antes": -1, "depois": 1, "apos": 1}.get(plain[here + 1]) if here + 2 < len(plain) else None
    if way is None or plain[here + 2] not in {"de", "do", "da", "o", "a"}:
        return None
    shift = way * int(number[0])
    day = _day(plain, here + 3, today - timedelta(min(shift, 0)), plain[here + 2])
    return (day[0] + timedelta(shift), day[1]) if day else None


def _weekday(plain: Sequence[str], at: int, today: date, lead: str) -> Found | None:
    following = plain[at] in {"proxima", "proximo"}
    here = at + following
    name = plain[here] if here < len(plain) else ""
    if len(plain) == 1:
        name = _SHORT.get(name, name)
    if name not in WEEKDAYS:
        return None
    end = here + 1
    certain = following or lead in _POINTING or name in {"sabado", "domingo"} or len(plain) == 1
    if end < len(plain) and plain[end] == "feira":
        certain, end = True, end + 1
    ahead = (WEEKDAYS[name] - today.weekday() - 1) % 7 + 1
    said, more = _which_week(plain, end)
    monday = today - timedelta(today.weekday())
    told = {
        "this": monday + timedelta(WEEKDAYS[name]),
        "next": monday + timedelta(7 + WEEKDAYS[name]),
        "now": today + timedelta(ahead % 7),
        "coming": today + timedelta(ahead + 7 * (ahead == 1)),  # tomorrow is not "quarta que vem"
    }.get(said)
    if told:
        return told, more
    certain, end = certain or said == "any", more
    certain = certain or (lead == "" and at > 0 and plain[at - 1] == "que")  # "me lembra que sexta tem prova"
    bare = end >= len(plain) or plain[end] in {"as", "de", "a", "me", "cedo", "que", "pra"}
    if not certain and not (bare and not lead):
        return None
    return today + timedelta(ahead), end


_SHORT = {"seg": "segunda", "qua": "quarta", "qui": "quinta", "sex": "sexta", "sab": "sabado", "dom": "domingo"}


def _which_week(plain: Sequence[str], end: int) -> tuple[str, int]:
    """Read what tells the week of a weekday, and the index after it."""
    for words, week in _WEEKS.items():
        if tuple(plain[end : end + len(words)]) == words:
            return week, end + len(words)
    return "", end


_WEEKS = {
    ("da", "semana", "que", "vem"): "next", ("da", "proxima", "semana"): "next", ("desta", "semana"): "this",
    ("dessa", "semana"): "this", ("que", "vem"): "coming", ("da", "semana"): "any", ("agora",): "now",
    ("proxima",): "any", ("proximo",): "any",
}  # fmt: skip


def _numbered(plain: Sequence[str], at: int, today: date) -> Found | None:
    written = _WRITTEN.fullmatch(plain[at])
    if written:
        if written[2] != "/" and written[4] is None:
            return None  # 15.30 is an hour or a price
        year = int(written[4]) if written[4] else None
        century = 1900 if year is not None and 70 <= year < 100 else 2000
        found = _next(
            today, int(written[1]), int(written[3]), year + century if year is not None and year < 100 else year
        )
        return (found, at + 1) if found else None
    iso = _ISO.fullmatch(plain[at])
    if iso:
        found = _next(today, int(iso[3]), int(iso[2]), int(iso[1]))
        return (found, at + 1) if found else None
    named = plain[at] == "dia"
    here = at + named
    if named and here < len(plain) and _WRITTEN.fullmatch(plain[here]):
        return _numbered(plain, here, today)
    number = (1, here + 1) if here < len(plain) and plain[here] == "primeiro" else numbers.read(plain, here)
    if number is None or not 1 <= number[0] <= 31 or number[0] != int(number[0]):
        return None
    day, end = int(number[0]), number[1]
    end += end < len(plain) and (plain[end] == "º" or tuple(plain[end : end + 2]) == ("o", "de"))
    return _of_month(plain, end, today, day, named)


def _of_month(plain: Sequence[str], end: int, today: date, day: int, named: bool) -> Found | None:
    month, year = None, None
    joined = end + 1 < len(plain) and plain[end] in {"de", "do"}
    if end + joined < len(plain) and plain[end + joined] in MONTHS and (joined or len(plain[end]) > 3):
        month = MONTHS[plain[end + joined]]
        year, end = month_days.year_after(plain, end + joined + 1)
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


def _month_first(plain: Sequence[str], at: int, today: date) -> Found | None:
    """Read `maio 5`, as some write."""
    month = MONTHS.get(plain[at]) if len(plain[at]) > 3 else None
    number = numbers.read(plain, at + 1) if month else None
    if month is None or number is None or not 1 <= number[0] <= 31 or number[0] != int(number[0]):
        return None
    found = _next(today, int(number[0]), month, None)
    return (found, number[1]) if found else None


def _feast(plain: Sequence[str], at: int, today: date) -> Found | None:
    before = {"vespera": 1, "antevespera": 2}.get(plain[at], 0)
    here = at + 1 if before else at
    while here < len(plain) and here - at < 4 and plain[here] in {"de", "do", "da", "o", "a", "feriado"}:
        here += 1
    if here + 1 < len(plain) and plain[here] == "dia" and plain[here + 1] in {"de", "do", "da"}:
        named = _named_feast(plain, here) or _named_feast(plain, here + 2)
    else:
        named = _named_feast(plain, here)
    if named is None:
        return None
    which, end = named
    years = (today.year, today.year + 1, today.year + 2)
    found = (holidays.feast(which, year) - timedelta(before) for year in years)
    return next(day for day in found if day >= today), end


def _named_feast(plain: Sequence[str], here: int) -> tuple[tuple[int, int] | str, int] | None:
    for size in (4, 3, 2, 1):
        which = holidays.FEASTS.get(tuple(plain[here : here + size]))
        if which is not None:
            return which, here + size
    return None
