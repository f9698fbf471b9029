"""The book of sentences: every way of asking that the language's YAML files hold, ready to match."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib import resources
from typing import Any

from daemon.language import lexicon as lexicons
from daemon.language.found import Wanted
from daemon.language.lexicon import Lexicon, Phrase
from daemon.language.patterns import BadPattern, Pattern, compile_pattern
from daemon.language.plan import Intent, Value
from daemon.language.pt_br import durations, numbers
from daemon.language.words import fold

_FIELDS = frozenset(
    "intent sentences domains to head ask time slots default area_is everything requires waking query_time date"
    " wait_is whole_name device_class caution alone every only_ask asked but_not area_apart after untimed".split()
)


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """One way of meaning an intent: see the folder's README for the fields."""

    intent: str
    patterns: tuple[Pattern, ...]
    wanted: Wanted
    slots: Mapping[str, Value]
    ask: str | None = None
    default: str | None = None
    time: bool = False
    requires_time: bool = False
    waking: bool = False
    query_time: bool = False
    date: bool = False
    wait_is: str | None = None
    only_ask: bool = False
    area_apart: bool = False
    untimed: bool = False
    asked: bool = False
    but_not: frozenset[str] = frozenset()
    after: frozenset[str] = frozenset()
    caution: float = 1.0
    alone: bool = False
    targets: tuple[str, ...] = ()
    named: str | None = None
    own: bool = False
    origin: str = ""

    def carried(self, before: Sequence[Intent]) -> Mapping[str, Value] | None:
        """Return what this takes over from the plan before; None where it follows nothing that it may follow."""
        if not self.after:
            return {}
        follows = next((intent for intent in before if intent.name in self.after), None)
        return None if follows is None else {n: v for n, v in follows.slots.items() if n in _CARRIED and v is not None}

    @property
    def acts(self) -> bool:
        """Tell whether this changes something in the house."""
        return not self.intent.startswith(_ONLY_TELLS)


_CARRIED = frozenset({"name", "person", "mine"})
_ONLY_TELLS = (
    "HassGet", "HassClimateGet", "HassTimerStatus", "HassRespond", "HassNevermind", "ListReminders", "ListGetItems",
    "ListNames", "ListRoutines", "GetHoliday", "ShoppingListGet", "RepeatReply", "TellAboutMe",
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Book:
    """All entries, and an index from a word to the patterns that need it."""

    by_anchor: Mapping[str, tuple[tuple[Entry, Pattern], ...]]
    always: tuple[tuple[Entry, Pattern], ...]
    entries: tuple[Entry, ...] = ()

    def with_entries(self, more: Sequence[Entry]) -> "Book":
        """Return a book that has these entries too; this one stays as it is. About 5 µs an entry."""
        added = _indexed(more)
        by_anchor = dict(self.by_anchor)
        for word, found in added.by_anchor.items():
            by_anchor[word] = (*by_anchor.get(word, ()), *found)
        return Book(by_anchor, (*self.always, *added.always), (*self.entries, *more))

    def possible(self, said: Sequence[str]) -> list[tuple[Entry, Pattern]]:
        """Return the patterns that a sentence with these words can match, each once."""
        words = frozenset(said)
        found = {id(pattern): (entry, pattern) for entry, pattern in self.always}
        for word in said:  # in their order, so that equals are always chosen alike
            for entry, pattern in self.by_anchor.get(word, ()):
                if pattern.may_match(words):
                    found[id(pattern)] = (entry, pattern)
        return list(found.values())

    def prepare(self) -> None:
        """Make every pattern ready, which else happens when it is first used. About 1 s; safe in a thread."""
        for entry in self.entries:
            for pattern in entry.patterns:
                _ = pattern.regex


@lru_cache(maxsize=4)
def load(language: str) -> Book:
    """Read `sentences/*.yaml` of the language. Raises BadPattern, with the file's name, for what cannot be read."""
    lexicon = lexicons.load(language)
    groups = lexicons.load_yaml(language, "sentences/groups.yaml")
    folder = resources.files(f"daemon.language.{language}").joinpath("sentences")
    files = sorted(f.name for f in folder.iterdir() if f.name.endswith(".yaml") and f.name != "groups.yaml")
    spoken = vocabularies(lexicon)
    entries: list[Entry] = []
    for name in files:
        try:
            rows = lexicons.load_yaml(language, f"sentences/{name}")
            entries.extend(replace(_entry(row, lexicon, groups, spoken), origin=name) for row in rows)
        except BadPattern as bad:
            raise BadPattern(f"{name}: {bad}") from bad
    return _indexed(entries)


def _indexed(entries: Sequence[Entry]) -> Book:
    by_anchor: dict[str, list[tuple[Entry, Pattern]]] = {}
    always: list[tuple[Entry, Pattern]] = []
    for entry in entries:
        for pattern in entry.patterns:
            if not pattern.anchors:
                always.append((entry, pattern))
            for word in pattern.anchors:
                by_anchor.setdefault(word, []).append((entry, pattern))
    return Book({word: tuple(found) for word, found in by_anchor.items()}, tuple(always), tuple(entries))


def _entry(row: Mapping[str, Any], lexicon: Lexicon, groups: Mapping[str, str], spoken: Mapping[str, str]) -> Entry:
    unknown = row.keys() - _FIELDS
    if unknown or "intent" not in row or not row.get("sentences"):
        raise BadPattern(
            f"fields {sorted(unknown)} of {row.get('intent')}" if unknown else f"no intent or sentences: {row}"
        )
    domains = row.get("domains", "")
    wanted = Wanted(
        domains=frozenset(groups.get(domains, domains).split()),
        to=row.get("to"),
        head=row.get("head"),
        area_is=row.get("area_is"),
        everything=frozenset(groups.get(row.get("everything", ""), row.get("everything", "")).split()),
        device_class=row.get("device_class"),
        whole_name="whole_name" in row,
        every="every" in row,
    )
    return Entry(
        intent=row["intent"],
        patterns=tuple(compile_pattern(source, lexicon.pieces, spoken) for source in row["sentences"]),
        wanted=wanted,
        slots={name: _typed(value) for name, value in row.get("slots", {}).items()},
        ask=row.get("ask"),
        default=row.get("default"),
        time="time" in row,
        requires_time=row.get("requires") == "time",
        waking="waking" in row,
        query_time="query_time" in row,
        date="date" in row,
        wait_is=row.get("wait_is"),
        only_ask="only_ask" in row,
        area_apart="area_apart" in row,
        asked="asked" in row,
        but_not=frozenset(fold(word) for word in row.get("but_not", "").split()),
        after=frozenset(groups.get(row.get("after", ""), row.get("after", "")).split()),
        caution=float(row.get("caution", 1)),
        alone="alone" in row,
        untimed="untimed" in row,
    )


def _typed(value: str) -> Value:
    return int(value) if value.isdigit() else True if value == "yes" else value


def vocabularies(lexicon: Lexicon) -> dict[str, str]:
    """Return, for slots that hold only certain words, the expression for them."""
    number, lasting = _some_of(numbers.WORDS), _some_of(durations.WORDS)
    percent = rf"(?:{_one_of(lexicon.levels)}|{number}(?:% |por cento |porcento )?)"
    return {
        "brilho": percent, "posicao": percent, "volume": percent, "velocidade": percent, "passo": percent,
        "temperatura": number, "graus": number, "duracao": lasting, "comeco": lasting, "antecedencia": lasting,
        "cor": _one_of(lexicon.colors), "tom": rf"(?:{_one_of(lexicon.temperatures)}|{number}(?:kelvin |kelvins |k ))",
        "estado": _one_of(lexicon.states),
        "modo": _one_of(lexicon.modes), "tipo": _one_of(lexicon.media_classes), "genero": _one_of(lexicon.genres),
        "mais": percent, "menos": percent,
        "passado": r"(?:[^\W\d]{2,}(?:ei|i)|fiz|pus) ",
    }  # fmt: skip


def _some_of(words: frozenset[str] | set[str]) -> str:
    return rf"(?:(?:\d\S*|{'|'.join(sorted(words))}) )+?"


def _one_of(phrases: Mapping[Phrase, object]) -> str:
    return "(?:" + "|".join(" ".join(phrase) for phrase in sorted(phrases, key=len, reverse=True)) + ") "
