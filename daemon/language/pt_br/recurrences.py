"""How often: `todo dia`, `toda segunda e quarta`, `de 8 em 8 horas`, `de segunda a sexta`. Rules are RFC 5545's."""

from collections.abc import Sequence

from daemon.language.pt_br import durations, holidays, month_days, numbers
from daemon.language.pt_br.clocks import PERIODS
from daemon.language.pt_br.month_days import WEEKDAYS
from daemon.language.pt_br.rules import WORKDAYS, Rule

_UNITS = {
    "hora": "HOURLY", "minuto": "MINUTELY", "dia": "DAILY", "semana": "WEEKLY", "mes": "MONTHLY", "ano": "YEARLY",
    "horas": "HOURLY", "minutos": "MINUTELY", "dias": "DAILY", "semanas": "WEEKLY", "meses": "MONTHLY",
}  # fmt: skip
_EVERY = frozenset({"todo", "toda", "todos", "todas", "cada"})
_OF_MONTH = (("de", "cada", "mes"), ("de", "todo", "mes"), ("do", "mes"))


Found = tuple[Rule, int]
"""The rule and the index of the word after it."""


def read(plain: Sequence[str], at: int) -> Found | None:
    """Read the recurrence that begins at word `at`, or return None."""
    return (
        _every(plain, at)
        or _each_month(plain, at)
        or _from_to(plain, at)
        or _interval(plain, at)
        or _fixed(plain, at)
        or _every_other(plain, at)
        or _plural(plain, at)
        or _times(plain, at)
    )


def _every(plain: Sequence[str], at: int) -> Found | None:
    here = at + 1
    if plain[at] not in _EVERY:
        return None
    here += here < len(plain) and plain[here] in {"os", "as", "o", "a", "santo"}
    if here >= len(plain):
        return None
    days = _weekdays(plain, here)
    return (
        _counted_day(plain, here)
        or ((Rule("WEEKLY", weekdays=days[0]), days[1]) if days else None)
        or _every_part(plain, here)
        or _every_day(plain, here)
        or _every_unit(plain, here)
    )


def _every_part(plain: Sequence[str], here: int) -> Found | None:
    if plain[here] in PERIODS or plain[here] in {"manhas", "tardes", "noites"}:
        return Rule("DAILY", period=PERIODS[plain[here].removesuffix("s")]), here + 1
    three = plain[here : here + 3]
    if three in {("fim", "de", "semana"), ("fins", "de", "semana"), ("final", "de", "semana")}:
        return Rule("WEEKLY", weekdays=(5, 6)), here + 3
    if three in {("fim", "de", "mes"), ("final", "de", "mes"), ("fim", "do", "mes")}:
        return Rule("MONTHLY", month_days=(-1,)), here + 3
    return None


def _every_day(plain: Sequence[str], here: int) -> Found | None:
    if plain[here] not in {"dia", "dias"}:
        return None
    if plain[here + 1 : here + 2] in {("util",), ("uteis",)}:
        return Rule("WEEKLY", weekdays=WORKDAYS), here + 2
    if plain[here + 1 : here + 3] == ("de", "semana"):
        return Rule("WEEKLY", weekdays=WORKDAYS), here + 3
    return _numbered(plain, here + 1)


def _numbered(plain: Sequence[str], at: int) -> Found | None:
    """Read `10`, `primeiro`, `5 e 20` after `todo dia`."""
    number = (1, at + 1) if plain[at : at + 1] == ("primeiro",) else numbers.read(plain, at)
    return _on_month_days(plain, int(number[0]), number[1]) if number and 1 <= number[0] <= 31 else None


def _every_unit(plain: Sequence[str], here: int) -> Found | None:
    monthly = _in_each_month(plain, here + 1) if plain[here] == "mes" else None
    feast = holidays.FEASTS.get(tuple(plain[here : here + 1]))
    if isinstance(feast, tuple):
        return Rule("YEARLY", month=feast[0], month_days=(feast[1],)), here + 1
    unit = _UNITS.get(plain[here])
    return monthly or ((Rule(unit), here + 1) if unit else None)


def _on_month_days(plain: Sequence[str], day: int, end: int) -> Found:
    """Return the rule for a day of every month and a second one (`todo dia 5 e 20`), `do mês` included."""
    days: tuple[int, ...] = (day,)
    if plain[end : end + 1] == ("e",):
        start = end + 1 + (plain[end + 1 : end + 2] == ("dia",))
        more = numbers.read(plain, start)
        clock_like = more is not None and plain[more[1] : more[1] + 1] in {("horas",), ("h",), ("da",)}
        if more and day < more[0] <= 31 and not clock_like:
            days, end = (day, int(more[0])), more[1]
    end += next((len(tail) for tail in _OF_MONTH if plain[end : end + len(tail)] == tail), 0)
    return Rule("MONTHLY", month_days=days), end


def _in_each_month(plain: Sequence[str], at: int) -> Found | None:
    """Read what follows `todo mês`: `no dia 5`, `dia 10`, `no quinto dia útil`, `no último dia`."""
    here = at + (plain[at : at + 1] in {("no",), ("na",), ("o",)})
    counted = _counted_day(plain, here, needs_month=False)
    if counted:
        return counted
    return _numbered(plain, here + 1) if plain[here : here + 1] == ("dia",) else None


def _counted_day(plain: Sequence[str], at: int, *, needs_month: bool = True) -> Found | None:
    """Read `quinto dia útil`, `último dia do mês`, `primeira segunda do mês` as a monthly rule."""
    counted = month_days.count(plain, at)
    if counted is None:
        return None
    end = counted.end
    tail = next((tail for tail in _OF_MONTH if plain[end : end + len(tail)] == tail), ())
    if needs_month and not tail and (counted.plain or counted.weekday is not None):
        return None
    end += len(tail)
    if counted.plain:
        return Rule("MONTHLY", month_days=(counted.nth,)), end
    weekdays = WORKDAYS if counted.weekday is None else (counted.weekday,)
    return Rule("MONTHLY", weekdays=weekdays, position=counted.nth), end


def _each_month(plain: Sequence[str], at: int) -> Found | None:
    """Read `no dia 10 de cada mês`, `no quinto dia útil de todo mês`."""
    here = at + (plain[at] in {"no", "na", "o", "a"})
    counted = month_days.count(plain, here)
    end = counted.end if counted else 0
    if counted is None and plain[here : here + 1] == ("dia",):
        number = numbers.read(plain, here + 1)
        end = number[1] if number else 0
    if not end or plain[end : end + 3] not in _OF_MONTH[:2]:
        return None
    return _in_each_month(plain, at)


def _every_other(plain: Sequence[str], at: int) -> Found | None:
    """Read `quinta sim, quinta não`, `um dia sim e outro não`: every second one."""
    lead = plain[at : at + (plain[at] in {"uma", "um"})]
    named = plain[at + len(lead)] if at + len(lead) < len(plain) else ""
    rule = _SECOND.get(named) or (Rule("WEEKLY", 2, weekdays=(WEEKDAYS[named],)) if named in WEEKDAYS else None)
    for tail in (("e",), ()):
        for other in ((*lead, named), ("outro",), ("outra",)):
            said = (*lead, named, "sim", *tail, *other, "nao")
            if rule and tuple(plain[at : at + len(said)]) == said:
                return rule, at + len(said)
    return None


_SECOND = {"dia": Rule("DAILY", 2), "semana": Rule("WEEKLY", 2), "mes": Rule("MONTHLY", 2)}


def _plural(plain: Sequence[str], at: int) -> Found | None:
    """Read `às segundas`, `aos domingos`, and several, `terça e quinta`: these come again and again."""
    several = _weekdays(plain, at + (plain[at] in {"na", "no"}))
    if several and len(several[0]) > 1:
        return Rule("WEEKLY", weekdays=several[0]), several[1]
    here = at + (plain[at] in {"as", "aos", "nas", "nos"})
    if here == at or here >= len(plain) or not (plain[here].endswith("s") and plain[here] in WEEKDAYS):
        return None
    days = _weekdays(plain, here)
    return (Rule("WEEKLY", weekdays=days[0]), days[1]) if days else None


def _times(plain: Sequence[str], at: int) -> Found | None:
    """Read `uma vez por semana`."""
    once = plain[at : at + 3] in {("uma", "vez", "por"), ("1", "vez", "por"), ("uma", "vez", "ao")}
    unit = _UNITS.get(plain[at + 3]) if once and at + 3 < len(plain) else None
    return (Rule(unit), at + 4) if unit else None


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
    ("quinzenalmente",): Rule("WEEKLY", 2), ("anualmente",): Rule("YEARLY"),
    ("durante", "a", "semana"): Rule("WEEKLY", weekdays=WORKDAYS),
    ("aos", "fins", "de", "semana"): Rule("WEEKLY", weekdays=(5, 6)),
    ("nos", "dias", "uteis"): Rule("WEEKLY", weekdays=WORKDAYS), ("dias", "uteis"): Rule("WEEKLY", weekdays=WORKDAYS),
    ("dia", "de", "semana"): Rule("WEEKLY", weekdays=WORKDAYS),
    ("dias", "de", "semana"): Rule("WEEKLY", weekdays=WORKDAYS),
    ("nos", "fins", "de", "semana"): Rule("WEEKLY", weekdays=(5, 6)),
}  # fmt: skip


STARTS = frozenset(
    {*_EVERY, *WEEKDAYS, *_SECOND, *"de da a no na o as aos nas nos uma um 1".split(), *(name[0] for name in _FIXED)}
)
"""Words with which a recurrence may begin."""


def _fixed(plain: Sequence[str], at: int) -> Found | None:
    for name, rule in _FIXED.items():
        if tuple(plain[at : at + len(name)]) == name:
            return rule, at + len(name)
    return None
