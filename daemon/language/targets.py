"""From a phrase to the things it means: `a luz`, `as da sala`, `tudo menos a da cozinha`, `a luz e o ventilador`.

The speaker's own room comes first; two equally good candidates make a choice to ask about, never a guess.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import takewhile

from daemon.language import names, phrases
from daemon.language.found import Found, Wanted, grouping, naming
from daemon.language.lexicon import Lexicon, Phrase
from daemon.language.names import BY_HEAD, BY_KIND, BY_PART, EXACT, WITH_AREA, Index, Known
from daemon.language.plan import Thing
from daemon.language.pt_br import sounds


@dataclass(frozen=True, slots=True)
class _Phrase:
    """A phrase without its little words, and what those told."""

    words: Phrase
    plural: bool
    all: bool
    everything: bool
    house: bool
    here: bool
    headless: bool
    counted: bool


_Fit = tuple[Known, float]
"""A thing and how well it fits."""


@dataclass(frozen=True, slots=True)
class _Place:
    """The words to choose by, the room that they name, and their noun."""

    words: Phrase
    area: str | None
    head: str


@dataclass(frozen=True, slots=True)
class Pointer:
    """Resolves phrases of one sentence: the house, the speaker's room, the noun and things talked about before."""

    index: Index
    lexicon: Lexicon
    speaker: str | None = None
    head: str | None = None
    before: tuple[str, ...] = ()
    room: str | None = None
    """Where the command before in the same breath was for: "apaga a luz do quarto e liga o ventilador"."""

    def find(self, words: Phrase, wanted: Wanted) -> tuple[Found, ...]:
        """Return what the phrase means, one Found for each part joined by `e`; empty where it means nothing here."""
        whole = self._one(words, wanted, self.head, None)
        if whole and whole.score >= 0.9:
            return (whole,)
        parts = phrases.split(words, "e")
        if len(parts) < 2:
            return (whole,) if whole else ()
        return self._several(parts, wanted) or ((whole,) if whole else ())

    def _here(self, thing: Thing) -> bool:
        return self.speaker is not None and thing.area == self.speaker

    def _several(self, parts: Sequence[Phrase], wanted: Wanted) -> tuple[Found, ...]:
        if any(self._strip(part, wanted).everything for part in parts):
            return ()  # "tudo" leaves nothing to add
        last = self._one(parts[-1], wanted, self.head, None)
        found: list[Found] = []
        head = self.head
        every = any(word in self.lexicon.all for word in parts[0][:2])
        for part in parts:
            part = ("todas", *part) if every and part[0] not in self.lexicon.little else part  # noqa: PLW2901
            whole = ("as" if parts[0][0] in self.lexicon.plurals else "a", *part) if part[0] in _OF else part
            one = self._one(whole, wanted, head, last.area if last and len(part) <= 2 else None)
            if one is None:
                return ()
            head = one.head or head
            if not any(one.things and one.things == other.things for other in found):  # "a luz, a da cozinha" is one
                found.append(one)
        return tuple(found)

    def _one(self, words: Phrase, wanted: Wanted, head: str | None, area: str | None) -> Found | None:
        cut = phrases.find(words, self.lexicon.but)
        if cut and (cut[1] == len(words) or words[cut[0] - 1 : cut[0]] in _OUTSIDE):
            return None  # "a luz lá fora" leaves nothing out
        if wanted.whole_name and (named := self._by_whole_name(words, wanted)):
            return named
        if cut:
            return self._except(words[: cut[0]], words[cut[1] :], wanted, head)
        it = set(words) <= self.lexicon.it or " ".join(words) in self.lexicon.it
        if it or tuple(w for w in words if w not in self.lexicon.loose) == ():
            return self._again(wanted)
        if area is None and {"la", "ali", "dali"} & set(words):  # "o ventilador de lá", after another thing of a room
            area = self._area_before()
        phrase = self._strip(words, wanted)
        return self._everything(phrase, wanted) if phrase.everything else self._named(phrase, wanted, head, area)

    def _named(self, phrase: _Phrase, wanted: Wanted, head: str | None, area: str | None) -> Found | None:
        """Mean what the words of a phrase name, a noun that was left out put in its place."""
        asked = phrase.words
        if phrase.headless and (not asked or asked[0] not in self.index.by_word or not self._names_kind(asked)):
            noun = head or wanted.head
            asked = (noun, *asked) if noun else asked
        if not asked and phrase.here and wanted.area_is and wanted.head:  # "acende aqui"
            asked = (wanted.head,)
        spelled = self.index.spell(asked, self.lexicon) if asked else None
        if spelled is None:
            return None
        found = self._choose(spelled.words, phrase, wanted, area) or self._behind(spelled.words, phrase, wanted)
        return replace(found, score=found.score * spelled.likeness) if found else None

    def _behind(self, words: Phrase, phrase: _Phrase, wanted: Wanted) -> Found | None:
        """Mean the thing that a switch or a lock belongs to: "o interruptor do exaustor"."""
        rest = words[1:]
        if words[0] not in self.lexicon.handles or not any(rest in one.names for one in self.index.known):
            return None
        return self._choose(rest, phrase, wanted, None)

    def _by_whole_name(self, words: Phrase, wanted: Wanted) -> Found | None:
        """Mean the only thing that is called just so: of "saindo de casa" the last word is no place."""
        asked = names.content(words, self.lexicon)
        called = [one.thing for one in self.index.known if one.thing.domain in wanted.domains and asked in one.names]
        return Found((called[0],), (("name", called[0].name),)) if len(called) == 1 else None

    def _area_before(self) -> str | None:
        areas = {one.thing.area for one in self.index.known if one.thing.id in self.before}
        return areas.pop() if len(areas) == 1 else None

    def _names_kind(self, words: Phrase) -> bool:
        return any(word in self.lexicon.kinds for word in words)

    def _strip(self, words: Phrase, wanted: Wanted) -> _Phrase:
        lexicon = self.lexicon
        rest = tuple(word for word in words if word not in lexicon.loose)
        if rest[:1] == ("esta",):  # "this"; anywhere else it is "is", and then the phrase is no name
            rest = rest[1:]
        house, rest = phrases.without(rest, lexicon.house)
        here, rest = phrases.without(rest, lexicon.here)
        everything = bool(wanted.everything) and phrases.find(rest, lexicon.everything) is not None
        _, rest = phrases.without(rest, lexicon.everything) if everything else (False, rest)
        everything = everything or (
            house and not names.content(rest, lexicon) and wanted.to == "locked"
        )  # "tranca a casa"
        light = lexicon.little | lexicon.plurals | lexicon.all
        leading = tuple(takewhile(lambda w: w in light or w in _COUNTS, rest))
        plural = any(w in lexicon.plurals or w in _COUNTS for w in leading)
        every = everything or any(w in lexicon.all for w in rest)
        kept = tuple(w for w in rest[len(leading) :] if w not in lexicon.little and w not in lexicon.all)
        bent = any(w != sounds.singular(w) and names.normal(w, lexicon) in lexicon.kinds for w in kept[:1])
        headless = len(rest) > 1 and rest[0] in _ARTICLES and rest[1] in _OF
        counted = any(w in _COUNTS for w in leading)
        return _Phrase(kept, plural or bent, every, everything, house, here, headless, counted)

    def _except(self, words: Phrase, but: Phrase, wanted: Wanted, head: str | None) -> Found | None:
        rest = self._one(("todas", *words) if words else ("tudo",), wanted, head, None)
        if rest is None or not rest.things:
            return None
        out: set[str] = set()
        noun = rest.head or wanted.head
        for part in phrases.split(but, "e"):
            left_out = self._one(
                part, replace(wanted, area_is=next(iter(wanted.everything), wanted.area_is)), noun, None
            )
            if left_out is None or not left_out.things:
                return None
            out |= {thing.id for thing in left_out.things}
        things = tuple(thing for thing in rest.things if thing.id not in out)
        return replace(rest, things=things, score=min(rest.score, 0.95)) if things else None

    def _again(self, wanted: Wanted) -> Found | None:
        """Mean what was just talked about."""
        by_id = {one.thing.id: one.thing for one in self.index.known}
        things = tuple(by_id[i] for i in self.before if i in by_id and by_id[i].domain in wanted.domains)
        if not things or len(things) != len(self.before):
            return None
        return Found(things, naming(things, None), 0.95, self.head)

    def _everything(self, phrase: _Phrase, wanted: Wanted) -> Found | None:
        spelled = self.index.spell(names.content(phrase.words, self.lexicon), self.lexicon)
        if spelled is None:
            return None
        area, named = names.places(self.index, spelled.words, self.speaker)
        if set(spelled.words) - set(named):
            return None
        area = self.speaker if phrase.here else area
        if len(wanted.everything) > 1 and not (area or phrase.house):
            return None
        things = self._of_domains(wanted.everything, area)
        return Found(things, grouping(things, area), 0.9, wanted.head, area) if things else None

    def _of_domains(self, domains: frozenset[str], area: str | None) -> tuple[Thing, ...]:
        return tuple(
            one.thing
            for one in self.index.known
            if one.thing.domain in domains and (area is None or self.index.inside(one.thing, area))
        )

    def _choose(self, words: Phrase, phrase: _Phrase, wanted: Wanted, area: str | None) -> Found | None:
        named, in_name = names.places(self.index, words, self.speaker)
        named = named or (self.speaker if phrase.here else area)
        if wanted.area_is and named and set(words) == set(in_name):
            things = self._of_domains(frozenset({wanted.area_is}), named)
            return Found(things, grouping(things, named), 0.92, None, named) if things else None
        fitting = [
            (one, names.tier(one, words))
            for one in (self.index.known[i] for i in names.in_area(self.index, words, named, in_name))
            if one.thing.domain in wanted.domains
            and (wanted.device_class in {None, one.thing.device_class} or one.thing.domain != "sensor")
        ]
        if wanted.to is not None:
            fitting = [(one, fit) for one, fit in fitting if not names.belongs_to(one, words)]
        if set(words) == set(in_name) and phrase.all:
            return None
        if set(words) == set(in_name):  # a room alone names nothing in it, unless a thing is called like it
            fitting = [
                (one, fit) for one, fit in fitting
                if fit > BY_PART or (fit > BY_KIND and one.thing.device_class in _OF_A_ROOM)
            ]  # fmt: skip
        if wanted.whole_name:
            fitting = [(one, fit) for one, fit in fitting if fit == EXACT]
        head = next((word for word in words if word in self.lexicon.kinds), words[0])
        if not fitting:
            return None
        whole_house = phrase.house and words == (head,)
        if phrase.plural or phrase.all or wanted.every or whole_house or named in self.index.floors:
            return self._many(fitting, phrase, named, head, every=wanted.every or wanted.to == "locked")
        return self._single(fitting, wanted, _Place(words, named, head))

    def _many(self, fitting: list[_Fit], phrase: _Phrase, area: str | None, head: str, *, every: bool) -> Found:
        things = [one.thing for one, _ in fitting]
        if area:
            things = [thing for thing in things if self.index.inside(thing, area)] or things
        elif not phrase.house and not phrase.all and not every:
            own = [thing for thing in things if self._here(thing)]
            own = own if len(own) > 1 or not phrase.counted else []  # "os dois abajures" are in two rooms
            area = self.speaker if own else None
            things = own or things
        everywhere = tuple(things)
        return Found(everywhere, naming(everywhere, area), 0.97 if area or phrase.house else 0.93, head, area)

    def _single(self, fitting: list[_Fit], wanted: Wanted, place: _Place) -> Found:
        """Choose one thing: in the room that was named, else the speaker's, else the best name, else the main one."""
        fitting = self._near(fitting, place)
        top = max(fit for _, fit in fitting)
        best = [one for one, fit in fitting if fit == top]
        best = [one for one in best if one.thing.area == self.room and self.room and not place.area] or best
        own = [one for one in best if self._here(one.thing)]
        if own and not place.area:
            best = own
        main = [one for one in best if self._is_main(one, place.head)]
        if len(main) == 1:
            best = main
        if len(best) == 1:
            only = best[0].thing
            score = 1.0 if top >= WITH_AREA else 0.95 if top >= BY_HEAD else 0.9
            return Found((only,), (("name", only.name),), score, place.head, only.area)
        if place.head in _TOGETHER and (place.area or own):
            things, area = tuple(one.thing for one, _ in fitting), place.area or self.speaker
            return Found(things, naming(things, area), 0.9, place.head, area)
        return self._by_state(best, wanted, place.head)

    def _near(self, fitting: list[_Fit], place: _Place) -> list[_Fit]:
        """Keep what is in the room named, or in the speaker's where the words could mean any room."""
        if place.area:
            inside = [fit for fit in fitting if self.index.inside(fit[0].thing, place.area)]
            return inside or [fit for fit in fitting if fit[1] == EXACT] or fitting
        own = [fit for fit in fitting if self.room and fit[0].thing.area == self.room]
        own = own or [fit for fit in fitting if self._here(fit[0].thing)]
        generic = len(place.words) == 1 or set(place.words) <= set(self.lexicon.kinds)
        return own if own and (generic or not any(fit == EXACT for _, fit in fitting)) else fitting

    def _is_main(self, one: Known, head: str) -> bool:
        return any(set(name) == {head, *area} for name in one.names for area in one.areas)

    def _by_state(self, best: list[Known], wanted: Wanted, head: str) -> Found:
        """Choose the only one that is not yet as asked, or leave the choice open."""
        other = [one.thing for one in best if names.differs(one.thing, wanted.to)]
        known = all(one.thing.state not in names.UNKNOWN for one in best)
        if len(other) == 1 and known and wanted.to in {"off", "closed", "locked"}:
            return Found((other[0],), (("name", other[0].name),), 0.85, head, other[0].area, assumed=other[0].name)
        return Found((), (), 0.6, head, choices=tuple(one.thing for one in best))


_OUTSIDE = {("la",), ("de",), ("do",), ("ai",), ("pra",), ("para",)}
"""What stands before "fora" where it is a place."""
_OF_A_ROOM = frozenset({"garage", "gate", "temperature"})
"""Classes of things that a room's name alone may mean: "abre a garagem", "quantos graus na sala"."""
_COUNTS = frozenset({"duas", "dois", "tres", "quatro", "2", "3", "4"})
_ARTICLES = frozenset({"o", "a", "os", "as", "aquela", "aquele", "essa", "esse", "todas", "todos", "so"})
_OF = frozenset({"de", "do", "da", "dos", "das", "daqui"})
_TOGETHER = frozenset({"luz", "cortina", "persiana"})
"""Nouns for things that belong together in a room: "a luz" of a room is all of its lamps."""
