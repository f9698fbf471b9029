"""The hour that people say: `às sete e meia`, `20h30`, `meio-dia`, `quinze pras três`, `dez da noite`."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from daemon.language.pt_br import numbers
from daemon.language.pt_br.month_days import MONTHS
from daemon.language.words import Word

LEADS = frozenset(
    {"as", "a", "ao", "aas", "pras", "pra", "pro", "das", "pelas", "la", "umas", "ate", "para", "por", "de"}
)
SURE_LEADS = frozenset({"as", "pras", "das", "pelas", "umas"})
PERIODS = {"manha": "manha", "manhazinha": "manha", "tarde": "tarde", "tardinha": "tarde", "noite": "noite",
           "noitinha": "noite", "madrugada": "madrugada"}  # fmt: skip
_WRITTEN = re.compile(r"(\d{1,2})[:h](\d{2})(?::\d{2})?")
_DOTTED = re.compile(r"(\d{1,2})\.([0-5]\d)")
_HOUR_ONLY = re.compile(r"(\d{1,2})h")
_FOLLOWS = frozenset(
    "e de da do das dos que pra para pro hoje amanha depois me mim em no na todo toda todos todas cada e ai por"
    " segunda terca quarta quinta sexta sabado domingo dia ponto pontualmente".split()
)


@dataclass(frozen=True, slots=True)
class Clock:
    """An hour of the day. `sure` when morning and evening cannot be mixed up; `hour` is 24 for midnight to come."""

    hour: int
    minute: int
    sure: bool


Found = tuple[Clock, int]
"""The hour and the index of the word after it."""


def read(words: Sequence[Word], plain: Sequence[str], at: int, *, expected: bool = False) -> Found | None:
    """Read the hour that begins at word `at`, its preposition and its `da manhã` included, or return None.

    Where an hour is `expected` (after a day, for an alarm) a number alone is one: `amanhã 6 e 15`.
    """
    here = at
    leads: list[Word] = []
    while here < len(plain) and plain[here] in LEADS and len(leads) < 3:
        leads.append(words[here])
        here += 1
    if leads and plain[here : here + 3] == ("volta", "das", plain[here + 2] if here + 2 < len(plain) else ""):
        here, leads = here + 2, [*leads, words[here + 1]]
    found = _value(plain, here)
    if found is None:
        return None
    hour, minute, end, standing = found
    if not leads and plain[end : end + 1] == ("de",) and plain[end + 1 : end + 2] and plain[end + 1] in MONTHS:
        return None  # "sexta, 12 de setembro"
    period, end = _period(words, plain, end)
    alone = expected and not leads and (end >= len(plain) or plain[end] in _FOLLOWS)
    if not standing and period is None and not alone and not _led(leads, words, plain, here, end):
        return None
    sure = standing == "named" or (standing == "written" and plain[here][0] == "0")
    return _decide(hour, minute, period, sure), end


def bare(words: Sequence[Word], plain: Sequence[str], at: int) -> Found | None:
    """Read an hour where only an hour can stand: no preposition is needed, articles are passed over."""
    here = at
    while here < len(plain) and plain[here] in {"as", "a", "o", "ate", "ao"} and here - at < 2:
        here += 1
    found = _value(plain, here)
    if found is None:
        return None
    period, end = _period(words, plain, found[2])
    return _decide(found[0], found[1], period, found[3] == "named"), end


def _led(leads: Sequence[Word], words: Sequence[Word], plain: Sequence[str], here: int, end: int) -> bool:
    """Tell whether the preposition makes a bare number an hour: `às 7` does, `as duas` and `a 20` do not."""
    spoken_hours = any(w in {"hora", "horas", "h"} for w in plain[here:end])
    if not leads:
        return False
    lead = leads[-1]
    if lead.plain in {"pra", "pro", "para", "a", "ate", "por", "de", "la", "ao"}:
        return (lead.accented and lead.plain == "a") or (spoken_hours and lead.plain in {"a", "la"})
    if lead.plain == "as" and not lead.accented:
        alone = end >= len(plain) or plain[end] in _FOLLOWS
        return spoken_hours or (alone and plain[here:end] != ("duas",))
    return lead.plain in SURE_LEADS and (end >= len(plain) or plain[end] in _FOLLOWS or bool(words[end - 1].mark)
                                         or lead.accented)  # fmt: skip


def _value(plain: Sequence[str], at: int) -> tuple[int, int, int, str] | None:
    """Return hour, minute, the index after, and what makes it an hour by itself (or "")."""
    if at >= len(plain):
        return None
    written = _WRITTEN.fullmatch(plain[at])
    if written is None and (len(plain) == 1 or (at and plain[at - 1] in SURE_LEADS)):
        written = _DOTTED.fullmatch(plain[at])
    if written and int(written[1]) <= 24 and int(written[2]) < 60:
        end = at + 2 if at + 1 < len(plain) and plain[at + 1] in {"h", "hs", "horas", "min"} else at + 1
        return int(written[1]), int(written[2]), end, "written"
    return _before_the_hour(plain, at) or _named(plain, at) or _counted(plain, at)


def _named(plain: Sequence[str], at: int) -> tuple[int, int, int, str] | None:
    if at < len(plain) and plain[at] in {"meiodia", "meianoite"}:
        minute, end = _minutes(plain, at + 1)
        return (12 if plain[at] == "meiodia" else 24), minute, end, "named"
    pair = tuple(plain[at : at + 2])
    if pair not in {("meio", "dia"), ("meia", "noite")}:
        return None
    minute, end = _minutes(plain, at + 2)
    return (12 if pair[1] == "dia" else 24), minute, end, "named"


def _before_the_hour(plain: Sequence[str], at: int) -> tuple[int, int, int, str] | None:
    """Read `quinze pras três`, `dez pra uma`, `quinze pro meio-dia`, `cinco para as oito`."""
    less = numbers.read(plain, at)
    if less is None or not 0 < less[0] < 60:
        return None
    here = less[1]
    if here < len(plain) and plain[here] in {"minuto", "minutos"}:
        here += 1
    if here >= len(plain) or plain[here] not in {"pra", "pras", "pro", "para"}:
        return None
    here += 1
    article = here < len(plain) and plain[here] in {"a", "as", "o"}
    here += article
    hour = _named(plain, here) or _counted(plain, here)
    if hour is None or hour[1]:
        return None
    if not (article or plain[here - 1] in {"pras", "pra", "pro"} or hour[3] == "named"):
        return None
    sharp = 13 if hour[0] == 1 else hour[0] or 24  # ten to one is 12:50, not 0:50
    at_minute = sharp * 60 - round(less[0])
    return at_minute // 60, at_minute % 60, hour[2], "named" if hour[3] == "named" else "before"


def _counted(plain: Sequence[str], at: int) -> tuple[int, int, int, str] | None:
    only = _HOUR_ONLY.fullmatch(plain[at]) if at < len(plain) else None
    if only:
        hour, end, standing = int(only[1]), at + 1, "h"
    else:
        number = numbers.read(plain, at)
        if number is None or number[0] != int(number[0]):
            return None
        hour, end, standing = int(number[0]), number[1], ""
        if 24 < hour < 30 and plain[at] == "vinte":  # "vinte e cinco" cannot be an hour: 20:05
            return 20, hour - 20, end, standing
        if end < len(plain) and plain[end] in {"hora", "horas", "h", "hs"}:
            end += 1
    if hour > 24:
        return None
    minute, end = _minutes(plain, end)
    if minute < 0:  # "oito menos dez", "uma menos cinco"
        hour, minute = (hour if hour > 1 else hour + 12) - 1, 60 + minute
    return hour, minute, end, standing


def _minutes(plain: Sequence[str], at: int) -> tuple[int, int]:
    """Return the minutes said after the hour (0 when none, below it for "oito menos dez") and the index after them."""
    less = numbers.read(plain, at + 1) if tuple(plain[at : at + 1]) == ("menos",) else None
    if less and less[0] in {5, 10, 15, 20, 25}:
        return -int(less[0]), less[1]
    if tuple(plain[at : at + 2]) == ("em", "ponto"):
        return 0, at + 2
    return _minutes_past(plain, at)


def _minutes_past(plain: Sequence[str], at: int) -> tuple[int, int]:
    joined = at < len(plain) and plain[at] == "e"
    here = at + joined
    if here < len(plain) and joined and plain[here] in {"meia", "pouco", "pouquinho"}:
        return (30 if plain[here] == "meia" else 0), here + 1
    number = numbers.read(plain, here)
    if number is None or not 0 < number[0] < 60 or number[0] != int(number[0]):
        return 0, at
    end = number[1]
    if not joined and (number[0] < 10 or plain[here].isdigit()):
        return 0, at
    if end < len(plain) and (plain[end] in {"hora", "horas", "h", "graus", "%", "pras"} or _to_an_hour(plain, end)):
        return 0, at
    if end < len(plain) and plain[end] in {"minuto", "minutos", "min"}:
        end += 1
    return int(number[0]), end


def _to_an_hour(plain: Sequence[str], at: int) -> bool:
    """Tell whether `pra` goes on to an hour ("dez pra uma"), and not to a purpose ("cinco e quarenta pra sair")."""
    here = at + 1 + (plain[at + 1 : at + 2] in (("a",), ("as",), ("o",)))
    return plain[at] in {"pra", "pro"} and (_named(plain, here) is not None or numbers.read(plain, here) is not None)


def _period(words: Sequence[Word], plain: Sequence[str], at: int) -> tuple[str | None, int]:
    here = at
    if here + 1 < len(plain) and plain[here] in {"da", "de", "a", "na", "pela"} and plain[here + 1] in PERIODS:
        if plain[here] == "a" and not words[here].accented:
            return None, at
        return PERIODS[plain[here + 1]], here + 2
    return None, at


def _decide(hour: int, minute: int, period: str | None, sure: bool) -> Clock:
    if period is None:
        return Clock(hour, minute, hour >= 13 or hour == 0 or sure)
    return within(Clock(hour, minute, sure=False), period)


def within(clock: Clock, period: str) -> Clock:
    """Return the hour placed in a part of the day: 8 at night is 20, 12 at night is 24."""
    hour = clock.hour
    if hour <= 12 and not clock.sure:
        if period == "tarde" and hour < 12:
            hour += 12
        elif period == "noite":
            hour += 12 if 5 <= hour <= 12 else 24 if hour < 5 else 0
        elif period in {"madrugada", "manha"} and hour == 12:
            hour = 24 if period == "madrugada" else 12
    return Clock(hour, clock.minute, sure=True)
