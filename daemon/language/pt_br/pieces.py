"""The pieces of time in a sentence: a recurrence, a wait, an hour, a day, a part of the day, and what joins them."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import NamedTuple

from dateutil.relativedelta import relativedelta

from daemon.language.pt_br import clocks, days, durations, numbers, recurrences, spans
from daemon.language.pt_br.clocks import PERIODS, Clock
from daemon.language.pt_br.month_days import WEEKDAYS
from daemon.language.words import Word

_IN = (("daqui", "a"), ("daqui", "ha"), ("dentro", "de"), ("daqui",), ("em",), ("passados",), ("depois", "de"))
_LASTING = frozenset({"por", "durante"})
_PART_PHRASES = {
    "tardinha": (
        "no fim da tarde",
        "no final da tarde",
        "fim de tarde",
        "no fim de tarde",
        "final de tarde",
        "de tardinha",
        "de tardezinha",
        "no fim do dia",
        "no final do dia",
    ),
    "meio": (
        "no fim da manha",
        "no final da manha",
        "no meio da manha",
        "antes do almoco",
    ),
    "tarde": (
        "no meio da tarde",
        "depois do almoco",
    ),
    "noitinha": (
        "no comeco da noite",
        "de noitinha",
        "no inicio da noite",
        "antes do jantar",
        "antes da janta",
    ),
    "sesta": (
        "no comeco da tarde",
        "no inicio da tarde",
    ),
    "cafe": (
        "no cafe da manha",
        "na hora do cafe",
    ),
    "cedo": (
        "de manhazinha",
        "bem cedinho",
        "cedo",
        "cedinho",
        "bem cedo",
    ),
    "later": (
        "mais tarde",
        "logo mais",
    ),
    "soon": (
        "daqui a pouco",
        "daqui a um pouco",
        "daqui a um pouquinho",
        "daqui um pouco",
        "daqui um pouquinho",
        "daqui pouquinho",
        "daqui a um tempinho",
        "daqui a um instante",
        "daqui pouco",
        "daqui a pouquinho",
        "ja ja",
    ),
    "almoco": ("na hora do almoco",),
    "janta": (
        "na hora da janta",
        "na hora do jantar",
        "depois da janta",
    ),
    "dormir": (
        "antes de dormir",
        "na hora de dormir",
    ),
}
_PARTS = dict(
    sorted(
        ((tuple(said.split()), part) for part, phrases in _PART_PHRASES.items() for said in phrases),
        key=lambda named: -len(named[0]),
    )
)


_WITHOUT = tuple(
    tuple(said.split())
    for said in (
        "menos quando for", "exceto quando for", "sem ser", "sem contar", "so nao", "mas nao", "menos", "exceto",
        "fora", "salvo", "tirando", "pulando", "pula",
    )
)  # fmt: skip
"""What leaves out what follows, the longest first."""
_WITHIN = frozenset({"em", "no", "nos", "o", "os", "dia", "dias", "de"})

STARTS = frozenset({
    *recurrences.STARTS, *clocks.LEADS, *days.STARTS, *numbers.WORDS, *_LASTING, *(lead[0] for lead in _IN),
    *(name[0] for name in _PARTS), *spans.STARTS, "pela", "esta", "essa", "nesta", "nessa", "meio", "meia", "meiodia",
    "meianoite", "entre", "se", "caso", "comecando",
    *(name[0] for name in _WITHOUT),
})  # fmt: skip
"""Words with which a piece of time may begin (besides figures): all others are passed over quickly."""


class Piece(NamedTuple):
    """One piece: its kind (rule, wait, day, clock, part, lasting, between, roll, holidays, from), value, end."""

    kind: str
    value: object
    end: int


def read(words: Sequence[Word], plain: tuple[str, ...], at: int, today: date, *, expected: bool) -> Piece | None:
    """Read the piece of time that begins at word `at`; where an hour is `expected`, a number alone is one."""
    if plain[at] in {"e", "se", "caso"}:
        return _named("roll", _rolled(plain, at))
    if plain[at] in _LEFT_OUT:
        return _named("holidays", _without_holidays(plain, at))
    return (
        _named("rule", recurrences.read(plain, at))
        or _wait(plain, at, today)
        or _named("from", _from(plain, at))
        or _named("between", _between(words, plain, at))
        or _named("part", _part(words, plain, at))
        or _named("clock", clocks.read(words, plain, at, expected=expected) or _earlier(words, plain, at))
        or _named("day", spans.read(plain, at, today) or days.read(plain, at, today))
    )


def _earlier(words: Sequence[Word], plain: tuple[str, ...], at: int) -> tuple[Clock, int] | None:
    """Read `antes das oito` as an hour before it."""
    leads = plain[at : at + 2] in {("antes", "das"), ("antes", "do"), ("antes", "da"), ("antes", "de")}
    found = clocks.bare(words, plain, at + 2) if leads else None
    at_hour = found is not None and found[0].hour > 1 and plain[at + 1] != "de"
    return (Clock(found[0].hour - 1, found[0].minute, found[0].sure), found[1]) if found and at_hour else None


def _named(kind: str, found: tuple[object, int] | None) -> Piece | None:
    return Piece(kind, *found) if found else None


def _from(plain: tuple[str, ...], at: int) -> tuple[bool, int] | None:
    for lead in (("a", "partir"), ("comecando", "a"), ("a", "comecar"), ("comecando",)):
        if plain[at : at + len(lead)] == lead:
            return True, at + len(lead)
    return None


def _wait(plain: tuple[str, ...], at: int, today: date) -> Piece | None:
    if plain[at] in _LASTING:
        lasting = durations.read(plain, at + 1)
        return Piece("lasting", *lasting) if lasting else None
    for lead in _IN:
        if plain[at : at + len(lead)] != lead:
            continue
        here, share = _about(plain, at + len(lead))
        far = _months_ahead(plain, here, today)
        if far:
            return Piece("day", *far)
        wait = durations.read(plain, here)
        if wait and wait[0] % 86400 == 0 and plain[wait[1] - 1].startswith(("dia", "semana")):
            return Piece("day", today + timedelta(seconds=wait[0]), wait[1])
        if wait:
            return Piece("wait", _shifted(wait[0], share), wait[1])
    return None


_ABOUT = {
    ("um", "pouco", "menos", "de"): -1, ("pouco", "menos", "de"): -1, ("menos", "de"): -1, ("quase",): -1,
    ("um", "pouco", "mais", "de"): 1, ("pouco", "mais", "de"): 1, ("mais", "de"): 1, ("mais", "ou", "menos"): 0,
    ("por", "volta", "de"): 0, ("aproximadamente",): 0, ("cerca", "de"): 0,
}  # fmt: skip


def _about(plain: tuple[str, ...], at: int) -> tuple[int, int]:
    """Read `pouco menos de` before a duration; the index after it, and whether it is less (-1), more (1) or so (0)."""
    for name, share in _ABOUT.items():
        if plain[at : at + len(name)] == name:
            return at + len(name), share
    return at, 0


def _shifted(wait_s: int, share: int) -> int:
    """Return a little less or more than a wait: a tenth of it, at most ten minutes, whole ones where it is long."""
    little = min(600, wait_s // 10)
    return wait_s + share * (little // 60 * 60 if wait_s >= 600 else little)


def _months_ahead(plain: tuple[str, ...], at: int, today: date) -> tuple[date, int] | None:
    number = numbers.read(plain, at)
    if number is None or number[1] >= len(plain) or not 1 <= number[0] <= 120 or number[0] != int(number[0]):
        return None
    many, unit = int(number[0]), plain[number[1]]
    if unit in {"mes", "meses"}:
        return today + relativedelta(months=many), number[1] + 1
    if unit in {"ano", "anos"}:
        return today + relativedelta(years=many), number[1] + 1
    return None


def _without_holidays(plain: tuple[str, ...], at: int) -> tuple[bool, int] | None:
    """Read `menos nos feriados`, `exceto em feriado`."""
    for name in _WITHOUT:
        if plain[at : at + len(name)] == name:
            here = at + len(name)
            while here < len(plain) and plain[here] in _WITHIN and here - at < 6:
                here += 1
            return (True, here + 1) if plain[here : here + 1] in {("feriado",), ("feriados",)} else None
    return None


_LEFT_OUT = frozenset(name[0] for name in _WITHOUT)
_ROLLS = {("proximo", "dia", "util"): 1, ("dia", "util", "seguinte"): 1, ("primeiro", "dia", "util", "depois"): 1,
          ("dia", "util", "depois"): 1, ("dia", "seguinte"): 1, ("dia", "util", "anterior"): -1,
          ("dia", "util", "antes"): -1, ("ultimo", "dia", "util", "antes"): -1}  # fmt: skip
_FALLS = frozenset("for cair em no na num numa feriado fim final de semana domingo sabado ou".split())
_MOVES = frozenset("no na pro pra para o a passa passe joga jogue pula muda adia antecipa faz fica ai entao".split())


def _rolled(plain: tuple[str, ...], at: int) -> tuple[int, int] | None:
    """Read `e se for feriado no próximo dia útil`: 1 for the working day after, -1 for the one before."""
    here = at + (plain[at] == "e")
    if plain[here : here + 1] not in {("se",), ("caso",)}:
        return None
    fell = here = here + 1
    while here < len(plain) and plain[here] in _FALLS:
        here += 1
    if not {"feriado", "semana", "domingo", "sabado"} & set(plain[fell:here]):
        return None
    while here < len(plain) and plain[here] in _MOVES:
        here += 1
    for name, step in _ROLLS.items():
        if plain[here : here + len(name)] == name:
            return step, here + len(name)
    return None


def _between(words: Sequence[Word], plain: tuple[str, ...], at: int) -> tuple[tuple[Clock, Clock], int] | None:
    """Read `das 9 às 11`, `entre três e cinco da tarde`, `9:30 - 11:00`."""
    led = plain[at] in {"das", "entre", "da"}
    until_e = plain.index("e", at) if plain[at] == "entre" and "e" in plain[at:] else len(plain)
    first = clocks.bare(words, plain[:until_e], at + led)
    if first is None or first[1] >= len(plain) or (plain[at] == "entre" and first[1] != until_e):
        return None
    joint = plain[first[1]] in {"as", "a", "ao", "e", "ate"}
    if not (led and joint) and not (":" in plain[first[1]] and ":" in plain[first[1] - 1]):
        return None
    last = clocks.bare(words, plain, first[1] + joint)
    hours = plain[first[1] : first[1] + 1] == ("as",) or {"as", "hora", "horas", "h"} & set(
        plain[at : last[1]] if last else ()
    )
    if last is None or not (hours or last[0].sure):
        return None
    begin, end = first[0], last[0]
    if end.sure and not begin.sure and begin.hour + 12 < end.hour:
        begin = Clock(begin.hour + 12, begin.minute, sure=True)
    return (begin, end), last[1]


def _part(words: Sequence[Word], plain: tuple[str, ...], at: int) -> tuple[str, int] | None:
    for name, part in _PARTS.items():
        if plain[at : at + len(name)] == name:
            return part, at + len(name)
    if plain[at] == "amanha" or at + 1 >= len(plain) or plain[at + 1] not in PERIODS:
        return None
    pointed = plain[at] in {"de", "pela", "esta", "essa", "nesta", "nessa", "hoje"}
    dated = at > 0 and plain[at - 1] in {"hoje", "amanha", "feira", *WEEKDAYS}
    accented = plain[at] == "a" and (words[at].accented or dated)
    return (PERIODS[plain[at + 1]], at + 2) if pointed or accented else None
