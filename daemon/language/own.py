"""The household's own sentences, beside those of the book: checked one by one, so that a bad one spoils no other."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from daemon.language.book import Book, Entry, vocabularies
from daemon.language.lexicon import Lexicon
from daemon.language.patterns import BadPattern, compile_pattern
from daemon.language.plan import Value
from daemon.language.values import TEXTS

MOST_FREE = 3
LONGEST = 300


@dataclass(frozen=True, slots=True)
class OwnSentence:
    """A way of saying things that this house added. `key` tells it from others.

    `slots` are values that always come with it; `targets` among them lists ids of things, `name` names one, for a
    sentence that points at nothing itself ("hora do café").
    """

    key: str
    pattern: str
    intent: str
    slots: Mapping[str, object]


def joined(book: Book, sentences: Iterable[OwnSentence], lexicon: Lexicon) -> tuple[Book, Mapping[str, str]]:
    """Return the book with the household's sentences, and by key, in Portuguese, why some are not in it."""
    entries: list[Entry] = []
    faults: dict[str, str] = {}
    spoken = vocabularies(lexicon)
    for sentence in sentences:
        try:
            entries.append(_entry(sentence, book, lexicon, spoken))
        except BadPattern as bad:
            faults[sentence.key] = str(bad)
        except RecursionError:
            faults[sentence.key] = "há colchetes ou parênteses demais, um dentro do outro"
    return book.with_entries(entries), faults


def _entry(sentence: OwnSentence, book: Book, lexicon: Lexicon, spoken: Mapping[str, str]) -> Entry:
    if len(sentence.pattern) > LONGEST:
        raise BadPattern(f"a frase tem mais de {LONGEST} caracteres")
    like = [entry for entry in book.entries if entry.intent == sentence.intent]
    if not like:
        raise BadPattern(f"a intenção {sentence.intent!r} não existe; um exemplo que existe: HassTurnOn")
    pattern = compile_pattern(sentence.pattern, lexicon.pieces, spoken)
    unknown = [slot for slot in pattern.slots if slot not in {*spoken, *TEXTS, "alvo", "area", "pessoa"}]
    if unknown:
        raise BadPattern(f"{{{unknown[0]}}} não existe")
    if not pattern.anchors:
        raise BadPattern("falta uma palavra que tenha de ser dita: só com o que pode faltar, qualquer frase serviria")
    if sum(slot in TEXTS or slot in {"alvo", "area"} for slot in pattern.slots) > MOST_FREE:
        raise BadPattern(f"há mais de {MOST_FREE} partes livres")
    slots, targets, name = _slots(sentence.slots)
    wanted = replace(
        like[0].wanted, domains=frozenset(domain for entry in like for domain in entry.wanted.domains), whole_name=False
    )
    return Entry(
        intent=sentence.intent, patterns=(pattern,), wanted=wanted, slots=slots, time=any(entry.time for entry in like),
        targets=targets, named=name, own=True, origin="frases da casa",
    )  # fmt: skip


def _slots(given: Mapping[str, object]) -> tuple[dict[str, Value], tuple[str, ...], str | None]:
    """Return the fixed values, the ids of things, and the name of one. Raises BadPattern for other shapes."""
    slots: dict[str, Value] = {}
    targets: tuple[str, ...] = ()
    name: str | None = None
    for key, value in given.items():
        if key == "targets":
            if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
                raise BadPattern('"targets" precisa ser uma lista de identificadores, como ["light.sala"]')
            targets = tuple(value)
        elif key == "name" and isinstance(value, str):
            name = value
        elif isinstance(value, str | int | float | bool) or value is None:
            slots[key] = value
        elif isinstance(value, list) and all(isinstance(item, str) for item in value):
            slots[key] = tuple(value)
        else:
            raise BadPattern(f"o valor de {key!r} precisa ser texto, número, sim ou não, ou uma lista de textos")
    return slots, targets, name


def told(sentences: Sequence[OwnSentence], faults: Mapping[str, str]) -> list[str]:
    """Return a line for each sentence that is refused: which one, and why."""
    return [f"“{s.pattern}”: {faults[s.key]}" for s in sentences if s.key in faults]
