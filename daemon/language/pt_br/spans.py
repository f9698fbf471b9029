"""Times longer than a day: `semana que vem`, `em março`, `fim do mês`, `fim de semana`, `de 13 a 15 de julho`."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import NamedTuple

from daemon.language.pt_br import month_days, numbers
from daemon.language.pt_br.month_days import MONTHS

STARTS = frozenset({
    "semana", "mes", "ano", "fim", "final", "comeco", "inicio", "meio", "meados", "proxima", "proximo", "proximos",
    "proximas", "desde", "entre",
})  # fmt: skip
"""Words with which a span may begin, besides prepositions and figures."""
_FULL_MONTHS = frozenset(name for name in MONTHS if len(name) > 3)


class Span(NamedTuple):
    """Days from `first` to before `after`; `day` is the one that a reminder without more goes to."""

    day: date
    first: date
    after: date
    grain: str


Found = tuple[Span, int]
"""The span and the index of the word after it."""


def read(plain: Sequence[str], at: int, today: date) -> Found | None:
    """Read the span that begins at word `at`, its preposition included, or return None."""
    here = at
    lead = ""
    if here < len(plain) and plain[here] in _LEADS:
        lead, here = plain[here], here + 1
    if here >= len(plain):
        return None
    return (
        _range(plain, at, today)
        or _week(plain, here, today, lead)
        or _month(plain, here, today, lead)
        or _year(plain, here, today, lead)
        or _coming(plain, here, today)
    )


_LEADS = frozenset(
    "no na nos nas em pra para pro o a nesse nessa neste nesta esse essa este esta ate so la do da".split()
)
_THIS = frozenset("nesse nessa neste nesta esse essa este esta".split())


def _week(plain: Sequence[str], at: int, today: date, lead: str) -> Found | None:
    monday = today - timedelta(today.weekday())
    three = tuple(plain[at : at + 3])
    if three == ("semana", "que", "vem") or three[:2] == ("proxima", "semana"):
        first = monday + timedelta(7)
        return Span(first, first, first + timedelta(7), "week"), at + (3 if three[0] == "semana" else 2)
    if lead in _THIS and three[:1] == ("semana",):
        day = today if today.weekday() == 6 else today + timedelta(1)
        return Span(day, monday, monday + timedelta(7), "week"), at + 1
    here = at + (three[:1] == ("proximo",))
    if tuple(plain[here : here + 3]) in {("fim", "de", "semana"), ("final", "de", "semana")}:
        saturday = monday + timedelta(5 if today.weekday() < 5 or (lead in _THIS and today.weekday() == 5) else 12)
        end = here + 3
        if tuple(plain[end : end + 2]) == ("que", "vem"):
            end += 2
            saturday += timedelta(7 if today.weekday() in {3, 4} else 0)  # on a Friday it is not tomorrow's
        return Span(saturday, saturday, saturday + timedelta(2), "day"), end
    return None


def _month(plain: Sequence[str], at: int, today: date, lead: str) -> Found | None:
    three = tuple(plain[at : at + 3])
    first = today.replace(day=1)
    if three == ("mes", "que", "vem") or three[:2] == ("proximo", "mes"):
        following = _after(first)
        return _whole_month(following), at + (3 if three[0] == "mes" else 2)
    if lead in _THIS and three[:1] == ("mes",):
        return _whole_month(first)._replace(day=_after(first) - timedelta(1)), at + 1
    if plain[at] in _PARTS and at + 1 < len(plain):
        month, end = month_days.month_after(plain, at + 1, today)
        return (_part(plain[at], month, today), end) if month else None
    name = at + 2 if three[:2] == ("mes", "de") else at
    if name < len(plain) and plain[name] in _FULL_MONTHS and (lead in {"em", "pra", "para", "ate"} or name > at):
        year, end = month_days.year_after(plain, name + 1)
        month_number = MONTHS[plain[name]]
        return _whole_month(date(year or today.year + (month_number <= today.month), month_number, 1)), end
    return None


_PARTS = {"fim": -1, "final": -1, "comeco": 1, "inicio": 1, "meio": 15, "meados": 15}


def _part(word: str, month: month_days.Month, today: date) -> Span:
    """Return the end, the beginning or the middle of a month: its last week, first ten days, 10th to 20th."""
    first = date(month.year, month.month, 1)
    after = _after(first)
    if _PARTS[word] == 1:
        first = first if month.named or today.day == 1 else after
        return Span(first, first, first + timedelta(10), "day")
    if _PARTS[word] == 15:
        first = first if month.named or today.day < 15 else after
        return Span(first + timedelta(14), first + timedelta(9), first + timedelta(19), "day")
    return Span(after - timedelta(1), after - timedelta(7), after, "day")


def _year(plain: Sequence[str], at: int, today: date, lead: str) -> Found | None:
    three = tuple(plain[at : at + 3])
    if three == ("ano", "que", "vem") or three[:2] == ("proximo", "ano"):
        return _whole_year(today.year + 1), at + (3 if three[0] == "ano" else 2)
    if lead in _THIS and three[:1] == ("ano",):
        return _whole_year(today.year), at + 1
    if three in {("fim", "do", "ano"), ("final", "do", "ano"), ("fim", "de", "ano"), ("final", "de", "ano")}:
        after = date(today.year + 1, 1, 1)
        return Span(date(today.year, 12, 20), date(today.year, 12, 15), after, "day"), at + 3
    if lead == "em" and plain[at].isdigit() and len(plain[at]) == 4 and today.year < int(plain[at]) < today.year + 50:
        return _whole_year(int(plain[at])), at + 1
    return None


def _coming(plain: Sequence[str], at: int, today: date) -> Found | None:
    """Read `próximos três dias`, `próximas duas semanas`, `três próximos meses`."""
    number = numbers.read(plain, at)
    if number and plain[number[1] : number[1] + 1] and plain[number[1]] in _NEXT:
        here, many = number[1] + 1, int(number[0])
    elif plain[at] in _NEXT and (number := numbers.read(plain, at + 1)):
        here, many = number[1], int(number[0])
    else:
        return None
    unit = plain[here] if here < len(plain) else ""
    if not 1 <= many <= 60:
        return None
    if unit in {"dia", "dias"}:
        first = today + timedelta(1)
        return Span(first, first, first + timedelta(many), "day"), here + 1
    if unit in {"semana", "semanas"}:
        first = today + timedelta(7 - today.weekday())
        return Span(first, first, first + timedelta(7 * many), "week"), here + 1
    if unit in {"mes", "meses"}:
        first = last = _after(today.replace(day=1))
        for _ in range(many):
            last = _after(last)
        return Span(first, first, last, "month"), here + 1
    return None


_NEXT = frozenset({"proximos", "proximas", "proximo", "proxima"})


_FROM = frozenset("de do desde entre os o dia dias a partir".split())


def _range(plain: Sequence[str], at: int, today: date) -> Found | None:
    """Read `de 13 a 15 de julho`, `entre os dias 3 e 7`, `do dia 10 ao dia 12`."""
    here, led = at, False
    while here < len(plain) and here - at < 3 and plain[here] in _FROM:
        led = led or plain[here] in {"dia", "dias"}
        here += 1
    first = numbers.read(plain, here)
    if first is None or first[1] >= len(plain) or plain[first[1]] not in {"a", "ate", "e", "ao"}:
        return None
    then = first[1] + 1
    while then < len(plain) and plain[then] in {"o", "dia"}:
        then += 1
    last = numbers.read(plain, then)
    if last is None or not 1 <= first[0] < last[0] <= 31:
        return None
    month, end = month_days.month_after(plain, last[1], today)
    if month is None and not led:
        return None
    where = month or month_days.Month(today.year, today.month, named=False)
    try:
        begins = date(where.year, where.month, int(first[0]))
        ends = date(where.year, where.month, int(last[0]))
    except ValueError:
        return None
    if ends < today and month is None:
        begins, ends = _after(begins.replace(day=1)).replace(day=begins.day), _after(ends.replace(day=1))
        ends = ends.replace(day=int(last[0])) if last[0] <= 28 else ends
    return Span(begins, begins, ends + timedelta(1), "day"), end


def _after(first: date) -> date:
    return (first.replace(day=1) + timedelta(32)).replace(day=1)


def _whole_month(first: date) -> Span:
    return Span(first, first, _after(first), "month")


def _whole_year(year: int) -> Span:
    return Span(date(year, 1, 1), date(year, 1, 1), date(year + 1, 1, 1), "year")
