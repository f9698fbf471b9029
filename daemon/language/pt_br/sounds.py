"""How Portuguese words are bent and how they sound: plurals, diminutives, and a key that homophones share."""

import re
from functools import lru_cache

_PLURALS = ((r"(?<=[rzn])es$", ""), (r"[oa]es$", "ao"), (r"ns$", "m"), (r"eis$", "el"), (r"ais$", "al"),
            (r"ois$", "ol"), (r"(?<=..[aeiou])s$", ""))  # fmt: skip
_SOUNDS = (
    (r"ph", "f"), (r"^h", ""), (r"[sc]h", "x"), (r"lh", "li"), (r"nh", "ni"), (r"th", "t"), (r"w", "v"), (r"y", "i"),
    (r"s?c(?=[ei])", "s"), (r"qu(?=[ei])", "k"), (r"gu(?=[ei])", "G"), (r"g(?=[ei])", "j"), (r"[cq]", "k"),
    (r"ss|z", "s"), (r"m(?=[bp])|m$", "n"), (r"l$|l(?=[^aeiou])", "u"), (r"r$", ""), (r"o$", "u"), (r"e$", "i"),
)  # fmt: skip


@lru_cache(maxsize=16384)
def singular(word: str) -> str:
    """Return the singular of a plain word, or the word itself: `luzes` is `luz`, `portoes` is `portao`."""
    for ending, instead in _PLURALS:
        bent, changed = re.subn(ending, instead, word)
        if changed:
            return bent
    return word


@lru_cache(maxsize=4096)
def undiminished(word: str) -> str | None:
    """Return the word behind a diminutive (`luzinha` is `luz`, `portinha` is `porta`), or None."""
    if word == "luzinha":
        return "luz"
    for ending, instead in (("zinho", ""), ("zinha", ""), ("inho", "o"), ("inha", "a")):
        if word.endswith(ending) and len(word) > len(ending) + 2:
            return word.removesuffix(ending) + instead
    return None


@lru_cache(maxsize=16384)
def sound(word: str) -> str:
    """Return a key of how a plain word sounds in Brazil: `cosinha` and `cozinha`, `lus` and `luz` share theirs."""
    key = word
    for written, spoken in _SOUNDS:
        key = re.sub(written, spoken, key)
    return re.sub(r"(.)\1+", r"\1", key)
