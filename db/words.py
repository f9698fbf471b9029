"""Words as two people may write the same thing: accents, case and plurals forgiven."""

import unicodedata
from collections.abc import Sequence

_PLURALS = (("oes", "ao"), ("aes", "ao"), ("aos", "ao"), ("ais", "al"), ("eis", "el"), ("ois", "ol"), ("ns", "m"))
_SMALL = frozenset({"a", "o", "as", "os", "de", "da", "do", "das", "dos", "um", "uma", "e"})
_AFTER_CONSONANT = "rsz"
"""Words that end so take -es: `flores`, `arrozes`. Without the -e all forms of `fase` and `fases` agree as well."""


def stems(text: str) -> tuple[str, ...]:
    """Return the words of `text` without accents, case, punctuation, little words and plural endings."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))
    words = "".join(c if c.isalnum() else " " for c in plain).split()
    telling = [word for word in words if word not in _SMALL] or words
    return tuple(_stem(word) for word in telling)


def holds(text: str, wanted: Sequence[str]) -> bool:
    """Tell whether each stem of `wanted` begins a word of `text`."""
    words = stems(text)
    return all(any(word.startswith(stem) for word in words) for stem in wanted)


def _stem(word: str) -> str:
    if len(word) < 4:
        return word
    for ending, singular in _PLURALS:
        if word.endswith(ending):
            return word.removesuffix(ending) + singular
    bare = word.removesuffix("s")
    return bare[:-1] if bare.endswith("e") and len(bare) > 3 and bare[-2] in _AFTER_CONSONANT else bare
