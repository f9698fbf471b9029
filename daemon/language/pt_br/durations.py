"""How long: `dez minutos`, `uma hora e meia`, `1h30`, `meia horinha`."""

import re
from collections.abc import Sequence

from daemon.language.pt_br import numbers

SECONDS = {
    "segundo": 1, "segundos": 1, "segundinho": 1, "segundinhos": 1, "seg": 1, "s": 1,
    "minuto": 60, "minutos": 60, "minutinho": 60, "minutinhos": 60, "min": 60, "mins": 60,
    "hora": 3600, "horas": 3600, "horinha": 3600, "horinhas": 3600, "h": 3600, "hs": 3600,
    "dia": 86400, "dias": 86400, "semana": 604_800, "semanas": 604_800,
}  # fmt: skip
_APPROXIMATE = {"uns", "umas", "mais", "cerca", "exatos", "exatamente"}
_CLOCK_LIKE = re.compile(r"(\d{1,2})h(\d{2})?")
WORDS = frozenset({*SECONDS, *_APPROXIMATE, *numbers.WORDS, "meia", "meio", "quarto", "quartos", "de"})

Found = tuple[int, int]
"""Seconds and the index of the word after."""


def read(words: Sequence[str], at: int) -> Found | None:
    """Read the duration that begins at word `at` (plain forms), in seconds, or return None."""
    while at < len(words) and words[at] in _APPROXIMATE:
        at += 2 if words[at : at + 2] == ("cerca", "de") else 1
    first = _piece(words, at)
    if first is None:
        return None
    seconds, here, unit_s = first
    while here + 1 < len(words):
        joined = words[here] == "e"
        more = _tail(words, here + 1, unit_s) if joined else _piece(words, here)
        if more is not None and not joined and more[2] >= unit_s:
            break
        if more is None:
            break
        seconds, here, unit_s = seconds + more[0], more[1], more[2]
    return round(seconds), here


def whole(words: Sequence[str]) -> int | None:
    """Return the seconds that `words` tell, all of them, or None."""
    found = read(words, 0)
    return found[0] if found and found[1] == len(words) else None


def _piece(words: Sequence[str], at: int) -> tuple[float, int, int] | None:
    if at >= len(words):
        return None
    special = _half_or_quarter(words, at) or _written_short(words[at], at)
    if special:
        return special
    if words[at] in {"hora", "minuto"} and words[at + 1 : at + 3] == ("e", "meia" if words[at] == "hora" else "meio"):
        return SECONDS[words[at]], at + 1, SECONDS[words[at]]
    number = numbers.read(words, at)
    if number is None or number[1] >= len(words):
        return None
    value, here = number
    if words[here : here + 3] == ("quartos", "de", "hora"):
        return value * 900, here + 3, 60
    unit_s = SECONDS.get(words[here])
    return (value * unit_s, here + 1, unit_s) if unit_s else None


def _half_or_quarter(words: Sequence[str], at: int) -> tuple[float, int, int] | None:
    if words[at] in {"meia", "meio"} and at + 1 < len(words) and words[at + 1] in {"hora", "horinha", "minuto", "dia"}:
        unit_s = SECONDS[words[at + 1]]
        return None if words[at + 1] == "dia" else (unit_s / 2, at + 2, 60)
    if tuple(words[at : at + 4]) == ("um", "quarto", "de", "hora"):
        return 900, at + 4, 60
    return None


def _written_short(word: str, at: int) -> tuple[float, int, int] | None:
    short = _CLOCK_LIKE.fullmatch(word)
    if short is None:
        return None
    return int(short[1]) * 3600 + int(short[2] or 0) * 60, at + 1, 60 if short[2] else 3600


def _tail(words: Sequence[str], at: int, unit_s: int) -> tuple[float, int, int] | None:
    """Read what follows `e`: a half of the unit before, a smaller unit, or bare minutes after hours."""
    if words[at] in {"meia", "meio"}:
        follows = words[at + 1] if at + 1 < len(words) else ""
        return None if follows in SECONDS else (unit_s / 2, at + 1, 1)
    piece = _piece(words, at)
    if piece:
        return piece if piece[2] < unit_s else None
    number = numbers.read(words, at)
    if number and unit_s == 3600 and number[0] < 60:
        return number[0] * 60, number[1], 1
    return None
