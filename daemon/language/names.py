"""Names of things: what a phrase of a sentence points at in the house.

Every word of the phrase must belong to what it points at (its name, an alias, its room, its kind): one word too many
and nothing is found, which is what keeps a house from acting on talk that was not meant for it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import pairwise

from rapidfuzz import process
from rapidfuzz.distance import Levenshtein

from daemon.language.lexicon import Lexicon, Phrase
from daemon.language.plan import Household, Thing
from daemon.language.pt_br.sounds import singular, sound, undiminished
from daemon.language.words import plain_words

EXACT, WITH_AREA, BY_HEAD, BY_PART, BY_KIND = 5, 4, 3, 2.5, 2
_UNLIKE = {"off": {"off", "idle", "standby"}, "closed": {"closed"}, "locked": {"locked"}, "unlocked": {"unlocked"},
           "open": {"open"}, "on": {"on"}}  # fmt: skip
UNKNOWN = {None, "unknown", "unavailable"}


@dataclass(frozen=True, slots=True)
class Known:
    """A thing with the words that it answers to, in the singular."""

    thing: Thing
    names: tuple[Phrase, ...]
    areas: tuple[Phrase, ...]
    kinds: frozenset[str]
    words: frozenset[str]
    owners: frozenset[str] = frozenset()
    spelled: tuple[tuple[Phrase, frozenset[str], frozenset[frozenset[str]]], ...] = ()
    """Each name, its words, and its words with those of the room."""


@dataclass(frozen=True, slots=True)
class Spellings:
    """How the words of a phrase were matched to words of the house; `likeness` 1 is letter by letter."""

    words: Phrase
    likeness: float


@dataclass(frozen=True, slots=True)
class Index:
    """A household prepared for look-ups."""

    household: Household
    known: tuple[Known, ...]
    by_word: dict[str, frozenset[int]]
    areas: tuple[tuple[str, Phrase], ...]
    vocabulary: frozenset[str]
    sounds: dict[str, str] = field(default_factory=dict)
    heard: dict[str, tuple[str, float] | None] = field(default_factory=dict)
    floors: dict[str, frozenset[str]] = field(default_factory=dict)

    def inside(self, thing: Thing, place: str | None) -> bool:
        """Tell whether a thing is in a room or on a floor."""
        return thing.area == place or (thing.area is not None and thing.area in self.floors.get(place or "", ()))

    def spell(self, words: Sequence[str], lexicon: Lexicon) -> Spellings | None:
        """Match each word to one of the house, by spelling, then sound, then nearness; None if one has no match."""
        likeness, found = 1.0, []
        for word in words:
            match = self._match(word, lexicon)
            if match is None:
                return None
            found.append(match[0])
            likeness = min(likeness, match[1])
        return Spellings(tuple(found), likeness)

    def _match(self, word: str, lexicon: Lexicon) -> tuple[str, float] | None:
        base = normal(word, lexicon)
        if base in self.vocabulary:
            return base, 1.0
        if base not in self.heard:
            if len(self.heard) > 4096:
                self.heard.clear()
            self.heard[base] = self._nearest(word, base, lexicon)
        return self.heard[base]

    def _nearest(self, word: str, base: str, lexicon: Lexicon) -> tuple[str, float] | None:
        small = undiminished(base)
        if small and normal(small, lexicon) in self.vocabulary:
            return normal(small, lexicon), 0.98
        key = sound(base)
        if key in self.sounds:
            return self.sounds[key], 0.92
        if len(word) < 5:
            return None
        near = process.extractOne(key, self.sounds.keys(), scorer=Levenshtein.distance, score_cutoff=1 + (len(key) > 8))
        same_start = near is not None and near[0][:1] == key[:1] and len(near[0]) >= 4
        return (self.sounds[near[0]], 0.85) if near and same_start else None


def normal(word: str, lexicon: Lexicon) -> str:
    """Return the one form under which a word is known: singular, synonyms made one."""
    word = lexicon.same_as.get(word, word)
    bent = singular(word)
    return lexicon.same_as.get(bent, bent)


def content(text: str | Sequence[str], lexicon: Lexicon) -> Phrase:
    """Return the words that carry meaning, in normal form."""
    words = plain_words(text) if isinstance(text, str) else text
    return tuple(normal(word, lexicon) for word in words if word not in lexicon.little)


@lru_cache(maxsize=8192)
def _known(
    names: tuple[str, ...], areas: tuple[Phrase, ...], domain: str, device_class: str | None, language: Lexicon
) -> tuple[tuple[Phrase, ...], frozenset[str], frozenset[str]]:
    """Return names, kinds and words of a thing; kept between households, for states change and names do not."""
    phrases = tuple(dict.fromkeys(phrase for name in names if (phrase := content(name, language))))
    heads = {phrase[0] for phrase in phrases}
    kinds = frozenset(
        noun
        for noun, wanted in language.kinds.items()
        if noun in heads or any(domain == d and c in {None, device_class} for d, c in wanted)
    )
    words = frozenset(word for phrase in (*phrases, *areas) for word in phrase) | kinds
    return phrases, kinds, words


@lru_cache(maxsize=8192)
def _spelled(
    names: tuple[Phrase, ...], areas: tuple[Phrase, ...]
) -> tuple[tuple[Phrase, frozenset[str], frozenset[frozenset[str]]], ...]:
    return tuple((name, frozenset(name), frozenset(frozenset((*name, *area)) for area in areas)) for name in names)


@lru_cache(maxsize=8192)
def _owners(names: tuple[str, ...], lexicon: Lexicon) -> frozenset[str]:
    """Return the words of names that stand for other things: "carro" in "carregador do carro"."""
    owners: set[str] = set()
    for name in names:
        plain = plain_words(name)
        for before, word in pairwise(plain):
            if before in {"do", "da", "dos", "das"}:
                owners.add(normal(word, lexicon))
    return frozenset(owners)


def index(household: Household, lexicon: Lexicon) -> Index:
    """Prepare a household. About 10 µs a thing, once the names have been seen."""
    areas = tuple(
        (area.name, phrase)
        for area in household.areas
        for name in (area.name, *area.aliases)
        if (phrase := content(name, lexicon))
    )
    floors: dict[str, frozenset[str]] = {}
    for area in household.areas:
        if area.floor:
            floors[area.floor] = floors.get(area.floor, frozenset()) | {area.name}
    areas += tuple((floor, phrase) for floor in floors if (phrase := content(floor, lexicon)))
    of_area: dict[str | None, tuple[Phrase, ...]] = {}
    for name, phrase in areas:
        for room in floors.get(name, (name,)):
            of_area[room] = (*of_area.get(room, ()), phrase)
    known = []
    for thing in household.things:
        places = of_area.get(thing.area, ())
        names, kinds, words = _known((thing.name, *thing.aliases), places, thing.domain, thing.device_class, lexicon)
        owners = _owners((thing.name, *thing.aliases), lexicon)
        known.append(Known(thing, names, places, kinds, words, owners, _spelled(names, places)))
    postings: dict[str, set[int]] = {}
    for at, one in enumerate(known):
        for word in one.words:
            postings.setdefault(word, set()).add(at)
    vocabulary = frozenset(postings) | {word for _, phrase in areas for word in phrase} | frozenset(lexicon.kinds)
    return Index(
        household,
        tuple(known),
        {word: frozenset(ids) for word, ids in postings.items()},
        areas,
        vocabulary,
        {sound(word): word for word in sorted(vocabulary)},
        floors=floors,
    )


def refreshed(idx: Index, household: Household) -> Index | None:
    """Return the index for a household that differs only in the states of its things, or None. About 1 µs a thing."""
    if household.areas != idx.household.areas or len(household.things) != len(idx.known):
        return None
    if any(
        now is not one.thing and _identity(now) != _identity(one.thing)
        for now, one in zip(household.things, idx.known, strict=True)
    ):
        return None
    known = tuple(
        one if now is one.thing else replace(one, thing=now)
        for now, one in zip(household.things, idx.known, strict=True)
    )
    return replace(idx, household=household, known=known)


def _identity(thing: Thing) -> tuple[object, ...]:
    return thing.id, thing.name, thing.aliases, thing.area, thing.domain, thing.device_class


def tier(one: Known, words: Phrase) -> float:
    """Return how well a thing fits the words, EXACT to BY_KIND (all of the words are known to be the thing's)."""
    asked = frozenset(words)
    best = float(BY_KIND)
    for name, own, placed in one.spelled:
        if own == asked:
            return EXACT
        if asked in placed:
            best = max(best, WITH_AREA)
        elif asked < own:
            best = max(best, BY_HEAD if words[0] == name[0] else BY_PART)
    return best


def belongs_to(one: Known, words: Phrase) -> bool:
    """Tell whether the words name what a thing belongs to: "liga o carro" does not mean the charger of the car."""
    rooms = {word for area in one.areas for word in area}
    asked = frozenset(words) - rooms
    return bool(asked) and asked <= one.owners and not any(frozenset(name) <= set(words) for name in one.names)


def differs(thing: Thing, to: str | None) -> bool:
    """Tell whether the thing is known to be in another state than the one that is wanted."""
    return to is not None and thing.state not in UNKNOWN and thing.state not in _UNLIKE.get(to, set())


def places(idx: Index, words: Phrase, speaker: str | None) -> tuple[str | None, Phrase]:
    """Return the room that the words name (the longest name wins) and the words of its name.

    `quarto` said in "quarto das crianças" is that room, though another may be called just so.
    """
    asked = frozenset(words)
    named = [(name, phrase) for name, phrase in idx.areas if asked.issuperset(phrase)]
    if not named:
        return None, ()
    name, phrase = max(named, key=lambda found: len(found[1]))
    own = [known for area, known in idx.areas if area == speaker and set(phrase) <= set(known)]
    return (speaker, phrase) if own and speaker else (name, phrase)


def covered(idx: Index, words: Iterable[str]) -> set[int]:
    """Return the things that all the words belong to."""
    found: set[int] | None = None
    for word in words:
        ids = idx.by_word.get(word, frozenset())
        found = set(ids) if found is None else found & ids
    return found or set()


def in_area(idx: Index, words: Phrase, area: str | None, in_name: Phrase) -> set[int]:
    """Return the things that the words fit: all of them theirs, or theirs in the room that was named."""
    direct = covered(idx, words)
    if not area:
        return direct
    rest = tuple(word for word in words if word not in in_name)
    inside = {i for i in covered(idx, rest) if idx.inside(idx.known[i].thing, area)} if rest else set()
    exact = {i for i in direct if tier(idx.known[i], words) == EXACT}
    return inside | exact or direct
