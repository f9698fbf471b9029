"""Digits as people say a code: `quatro oito dois um`, `48 21`, `quarenta e oito vinte e um`, `meia` for six."""

import re

from daemon.language.pt_br import numbers
from daemon.language.words import fold

BESIDE = frozenset(
    "a aqui as codigo com de e eh ele era favor mordomo meu meus minha numero o ponto por senha seu sim traco".split()
)
"""Words that may stand beside the digits, or between them, and change nothing."""
ONE_BY_ONE = {"zero": "0", "meia": "6", **{word: str(value) for word, value in numbers.UNITS.items()}}


def said_digits(text: str) -> tuple[str, bool]:
    """Return all digits that a sentence has, in their order, and whether it says nothing besides."""
    words, digits, alone, at = re.findall(r"[a-z]+|\d+", fold(text)), "", True, 0
    while at < len(words):
        found, then = _next(words, at)
        alone = alone and (bool(found) or words[at] in BESIDE)
        digits, at = digits + found, then
    return digits, alone and bool(digits)


def _next(words: list[str], at: int) -> tuple[str, int]:
    """Return the digits that begin at a word, none for another word, and where it goes on."""
    word = words[at]
    follows = words[at + 1 : at + 2] == ["mil"]
    if word in numbers.HUNDREDS or word == "mil" or follows:
        found = numbers.read(words, at)
        return (word if word.isdigit() else "", at + 1) if found is None else (f"{found[0]:.0f}", max(found[1], at + 1))
    if word.isdigit():
        return word, at + 1
    if word in numbers.TEENS:
        return str(numbers.TEENS[word]), at + 1
    if word in numbers.TENS:
        unit = at + 1 + (words[at + 1 : at + 2] == ["e"])
        more = numbers.UNITS.get(words[unit]) if unit < len(words) else None
        return str(numbers.TENS[word] + (more or 0)), unit + 1 if more else at + 1
    return ONE_BY_ONE.get(word, ""), at + 1
