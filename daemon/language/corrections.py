"""What a person takes back in the same breath: "liga a luz, não, o ventilador", "vinte minutos, digo, trinta"."""

from collections.abc import Iterator

from daemon.language.lexicon import Lexicon
from daemon.language.pt_br import numbers
from daemon.language.words import Word

Words = tuple[Word, ...]

_FARTHEST = 7
"""So many words at the end of what was said first may be the ones taken back."""
_ONLY = frozenset({"so", "somente", "apenas"})
_KINDS = {
    "thing": frozenset("o a os as um uma esse essa este esta aquele aquela".split()),
    "of": frozenset("de do da dos das".split()),
    "to": frozenset("em no na nos nas pra para pro ao as".split()),
}
"""Little words that begin the same part of a sentence."""


def corrected(words: Words, lexicon: Lexicon) -> tuple[Words, Words] | None:
    """Part a sentence at a correction of itself into what was said first and what was meant, or return None."""
    plain = tuple(word.plain for word in words)
    for at in range(len(plain) - 1, 0, -1):
        for phrase in lexicon.repairs:
            end = at + len(phrase)
            if plain[at:end] == phrase and end < len(plain) and _marked(words, at, end):
                return _uncorrected(words[:at], lexicon), words[end:]
    return None


def _uncorrected(first: Words, lexicon: Lexicon) -> Words:
    """Take further words of correction off the end of what was said first: "…do quarto, não, pera, …"."""
    plain = tuple(word.plain for word in first)
    for phrase in lexicon.repairs:
        if len(phrase) < len(plain) and plain[-len(phrase) :] == phrase and first[-len(phrase) - 1].mark:
            return _uncorrected(first[: -len(phrase)], lexicon)
    return first


def _marked(words: Words, at: int, end: int) -> bool:
    before = bool(words[at - 1].mark)
    return before and (bool(words[end - 1].mark) or end - at > 1)


def narrows(meant: Words) -> bool:
    """Tell whether the correction keeps a part of what was said: "a luz do quarto, quer dizer, só o abajur"."""
    return len(meant) > 1 and meant[0].plain in _ONLY


def joined(first: Words, meant: Words, lexicon: Lexicon) -> Iterator[Words]:
    """Yield what was said first with its last words replaced by what was meant, the likeliest first.

    A verb alone stands for the verb; else like replaces like: "da sala, não, da cozinha", "vinte, não, trinta".
    """
    meant = meant[1:] if narrows(meant) else meant
    verb = next((at for at, word in enumerate(first) if word.plain in lexicon.verb_forms), None)
    if verb is not None and len(meant) <= 2 and meant[0].plain in lexicon.verb_forms:
        yield (*meant, *first[verb + 1 :])
    if numbers.whole(tuple(word.plain for word in meant)) is not None:
        yield from _other_number(first, meant)
    kind = _kind(meant[0])
    takings = range(1, min(_FARTHEST, len(first)))
    like = [taken for taken in takings if kind and _kind(first[-taken]) == kind]
    for taken in [*like, *(taken for taken in takings if taken not in like)]:
        dangling = kind == "thing" and _kind(first[-taken - 1]) is not None
        if not dangling:
            yield (*first[:-taken], *meant)


def _other_number(first: Words, meant: Words) -> Iterator[Words]:
    """Yield the sentence with its last number put right: "um timer de 20 minutos, não, 25"."""
    plain = tuple(word.plain for word in first)
    for at in range(len(first) - 1, 0, -1):
        found = numbers.read(plain, at)
        if found and plain[at] not in {"e", "um", "uma"}:
            begins = [k for k in range(max(1, at - 6), at + 1) if (numbers.read(plain, k) or (0, 0))[1] == found[1]]
            yield (*first[: begins[0]], *meant, *first[found[1] :])
            return


def _kind(word: Word) -> str | None:
    if numbers.read((word.plain,), 0):
        return "number"
    return next((kind for kind, words in _KINDS.items() if word.plain in words), None)
