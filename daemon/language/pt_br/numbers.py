"""Numbers as people say and write them, read: `vinte e cinco`, `mil e duzentos`, `1.500`, `2,5`."""

import re
from collections.abc import Sequence

UNITS = {
    "um": 1, "uma": 1, "dois": 2, "duas": 2, "tres": 3, "quatro": 4, "cinco": 5, "seis": 6, "sete": 7, "oito": 8,
    "nove": 9,
}  # fmt: skip
TEENS = {
    "dez": 10, "onze": 11, "doze": 12, "treze": 13, "quatorze": 14, "catorze": 14, "quinze": 15, "dezesseis": 16,
    "dezasseis": 16, "dezessete": 17, "dezassete": 17, "dezoito": 18, "dezenove": 19, "dezanove": 19,
}  # fmt: skip
TENS = {
    "vinte": 20, "trinta": 30, "quarenta": 40, "cinquenta": 50, "cincoenta": 50, "sessenta": 60, "setenta": 70,
    "oitenta": 80, "noventa": 90,
}  # fmt: skip
HUNDREDS = {
    "cem": 100, "cento": 100, "duzentos": 200, "duzentas": 200, "trezentos": 300, "trezentas": 300,
    "quatrocentos": 400, "quatrocentas": 400, "quinhentos": 500, "quinhentas": 500, "seiscentos": 600,
    "seiscentas": 600, "setecentos": 700, "setecentas": 700, "oitocentos": 800, "oitocentas": 800,
    "novecentos": 900, "novecentas": 900,
}  # fmt: skip
_DOZENS = frozenset({"duzia", "duzias"})
WORDS = frozenset({"zero", "e", "mil", "milhao", "milhoes", *_DOZENS, *UNITS, *TEENS, *TENS, *HUNDREDS})

_DIGITS = re.compile(r"\d{1,9}")
_GROUPED = re.compile(r"(\d{1,3}(?:\.\d{3}){1,2})(?:,(\d{1,6}))?")
_DECIMAL = re.compile(r"(\d{1,9})[,.](\d{1,6})")

Found = tuple[float, int]
"""A value and the index of the word after it."""


def read(words: Sequence[str], at: int) -> Found | None:
    """Read the number that begins at word `at` (plain forms, or digits), or return None.

    A decimal comma counts; a point parts thousands where three digits follow it.
    """
    if at >= len(words) or not (words[at] in WORDS or words[at][0].isdigit()):
        return None
    plain = _read(words, at)
    return (plain[0] * 12, plain[1] + 1) if plain and plain[1] < len(words) and words[plain[1]] in _DOZENS else plain


def _read(words: Sequence[str], at: int) -> Found | None:
    digits = _digits(words[at])
    if digits is not None:
        if at + 1 < len(words) and words[at + 1] == "mil":
            return digits * 1000, at + 2
        return digits, at + 1
    if words[at] == "zero":
        return 0, at + 1
    return _large(words, at)


def whole(words: Sequence[str]) -> float | None:
    """Return the number that `words` spell, all of them, or None."""
    found = read(words, 0)
    return found[0] if found and found[1] == len(words) else None


def _digits(word: str) -> float | None:
    if _DIGITS.fullmatch(word):
        return int(word)
    grouped = _GROUPED.fullmatch(word)
    if grouped:
        return float(f"{grouped[1].replace('.', '')}.{grouped[2] or 0}")
    decimal = _DECIMAL.fullmatch(word)
    return float(f"{decimal[1]}.{decimal[2]}") if decimal else None


def _large(words: Sequence[str], at: int) -> Found | None:
    total, here, found_any = 0, at, False
    for scale, names in ((1_000_000, ("milhao", "milhoes")), (1000, ("mil",)), (1, ())):
        start = here + 1 if found_any and _is(words, here, "e") else here
        group = _below_thousand(words, start)
        if scale == 1:
            if group:
                total, here, found_any = total + group[0], group[1], True
        elif group and _is(words, group[1], *names):
            total, here, found_any = total + group[0] * scale, group[1] + 1, True
        elif scale == 1000 and group is None and _is(words, start, "mil"):
            total, here, found_any = total + scale, start + 1, True
    return (total, here) if found_any else None


def _below_thousand(words: Sequence[str], at: int) -> tuple[int, int] | None:
    if at >= len(words):
        return None
    hundreds = HUNDREDS.get(words[at])
    if hundreds is None:
        return _below_hundred(words, at)
    if words[at] != "cem" and _is(words, at + 1, "e"):
        rest = _below_hundred(words, at + 2)
        if rest:
            return hundreds + rest[0], rest[1]
    return hundreds, at + 1


def _below_hundred(words: Sequence[str], at: int) -> tuple[int, int] | None:
    if at >= len(words):
        return None
    word = words[at]
    if word in TENS:
        unit_at = at + 2 if _is(words, at + 1, "e") else at + 1
        unit = UNITS.get(words[unit_at]) if unit_at < len(words) else None
        return (TENS[word] + unit, unit_at + 1) if unit else (TENS[word], at + 1)
    small = UNITS.get(word) or TEENS.get(word)
    return (small, at + 1) if small else None


def _is(words: Sequence[str], at: int, *names: str) -> bool:
    return at < len(words) and words[at] in names
