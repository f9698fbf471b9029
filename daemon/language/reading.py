"""One command read: the sentences of the book that fit it, and the best of what they would mean here."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from daemon.language import timing, values
from daemon.language.book import Book, Entry
from daemon.language.found import Found
from daemon.language.lexicon import Lexicon, Phrase
from daemon.language.meaning import Reading
from daemon.language.patterns import Pattern
from daemon.language.plan import Intent, Value
from daemon.language.pt_br import asking, moments
from daemon.language.pt_br.moments import When
from daemon.language.targets import Pointer
from daemon.language.values import Captured
from daemon.language.view import View
from daemon.language.words import Sentence, Word, plain_words

_LONGEST_COMMAND = 60
"""Words. A command for a house is short; this also bounds the work on hostile text."""
_MOST_READINGS = 36
"""So many pieces of one sentence are tried as a command; one that needs more is not one."""
_TIES = frozenset({"de", "do", "da", "dos", "das"})
_MOVING = frozenset({"opening", "closing"})


@dataclass(frozen=True, slots=True)
class _Said:
    """What the slots of one sentence hold: values, the phrase that points at things, the count of free words."""

    slots: Mapping[str, Value]
    target: Phrase | None
    free: int


@dataclass(frozen=True)
class Reader:
    """Reads commands said at one moment, in one room, by one person."""

    book: Book
    lexicon: Lexicon
    pointer: Pointer
    sentence: Sentence
    now: datetime
    before: Sequence[Intent] = ()
    found: dict[tuple[object, ...], tuple[Found, ...]] = field(default_factory=dict)
    known: dict[tuple[tuple[int, str], ...], Reading | None] = field(default_factory=dict)
    times: dict[tuple[object, ...], View | None] = field(default_factory=dict)
    effort: list[None] = field(default_factory=list)
    missed: list[tuple[int, str]] = field(default_factory=list)
    """What was pointed at and is not in the house, each with how many words of the sentence were its."""

    def after(self, reading: Reading) -> "Reader":
        """Return the reader for the command that follows one in the same breath."""
        ids = reading.targets
        pointer = replace(self.pointer, head=reading.head or self.pointer.head, before=ids or self.pointer.before)
        pointer = replace(pointer, room=self._room(reading) or pointer.room)
        return replace(self, pointer=pointer, before=reading.intents, found={}, known={})

    def inside(self, reading: Reading) -> "Reader":
        """Return the reader for what is said of the one room that a reading points into."""
        speaker = self._room(reading) or self.pointer.speaker
        return replace(self, pointer=replace(self.pointer, speaker=speaker), found={}, known={})

    def _room(self, reading: Reading) -> str | None:
        areas = {one.thing.area for one in self.pointer.index.known if one.thing.id in reading.targets}
        return areas.pop() if len(areas) == 1 else None

    def read(self, words: Sequence[Word]) -> Reading | None:
        """Return the best meaning of these words as one command, or None."""
        if not words or words[0].quoted or len(words) > _LONGEST_COMMAND:
            return None
        key = tuple((word.start, word.plain) for word in words)
        if key not in self.known:
            self.effort.append(None)
            self.known[key] = self._best(words) if len(self.effort) <= _MOST_READINGS else None
        return self.known[key]

    def _best(self, words: Sequence[Word]) -> Reading | None:
        raw = View(words, None)
        timed = self._timed(words, waking=False)
        best: Reading | None = None
        for entry, pattern in self.book.possible([word.plain for word in words]):
            for view in self._views(entry, raw, timed):
                reading = self._match(entry, pattern, view)
                if reading and (best is None or reading.rank > best.rank):
                    best = reading
        return best

    def _timed(self, words: Sequence[Word], *, waking: bool) -> View | None:
        key = (waking, *((word.start, word.plain) for word in words))
        if key not in self.times:
            found = moments.find(words, self.now, waking=waking)
            until = found is not None and any(word.plain == "ate" and word not in found[1] for word in words)
            self.times[key] = View(found[1], found[0], until) if found else None
        return self.times[key]

    def _views(self, entry: Entry, raw: View, timed: View | None) -> list[View]:
        wants_time = entry.time or entry.query_time
        if entry.waking:
            timed = self._timed(raw.words, waking=True) or timed
        if timed is None or entry.untimed:
            return [] if entry.requires_time or timed is not None else [raw]
        if not wants_time:
            return [raw]
        return [timed] if entry.requires_time or entry.intent in timing.REMINDING else [timed, raw]

    def _match(self, entry: Entry, pattern: Pattern, view: View) -> Reading | None:
        match, asks = pattern.regex.fullmatch(view.text), _asks(view.words)
        if match is None or (entry.asked and not asks) or (entry.acts and asks and pattern.source.startswith("{")):
            return None
        said, carried = self._captured(entry, pattern, view, match), entry.carried(self.before)
        if said is None or carried is None:
            return None
        when = timing.slots(entry, view.when, until_from=self.now if view.until else None)
        slots = {**entry.slots, **carried, **said.slots, **(when or {})}
        reading = None if when is None else self._aim(entry, said.target, slots)
        if reading is None:
            self.missed.extend(view.pointed(entry.acts, pattern, match, self.sentence))
            return None
        parts = tuple((name, match[name].strip()) for name in pattern.slots if match[name] is not None)
        weighed = self._weighed(reading, entry, pattern, view.when, said.free)
        return replace(weighed, own=entry.own, why=(entry, pattern, parts))

    def _captured(self, entry: Entry, pattern: Pattern, view: View, match: re.Match[str]) -> _Said | None:
        """Return what the slots of a sentence hold, or None where one of them holds nonsense."""
        slots: dict[str, Value] = {}
        target: Phrase | None = None
        free = 0
        for name in pattern.slots:
            if match[name] is None:
                continue
            start, end = view.at[match.start(name)], view.at[match.end(name)]
            words = view.words[start:end]
            if name == "alvo" or (name == "area" and "alvo" in pattern.slots and not entry.area_apart):
                said_there = self._listed(words)
                alone = pattern.source == "{alvo}" and not self._is_called(words, entry)
                if alone or said_there[-1] in _TIES:  # "o das nove" is no thing at nine degrees
                    return None
                before = target or ()
                target = (*said_there, *before) if name == "alvo" else (*before, "de", *said_there)
                continue
            said = self._slot(Captured(name, words, self.sentence, view.words[start - 1].plain if start else ""))
            if said is None:
                return None
            slots.update(said)
            if name in values.TEXTS:
                free += len(words)
                if any(word.plain in entry.but_not for word in words[:2]):
                    return None
        return _Said(slots, target, free)

    def _is_called(self, words: Sequence[Word], entry: Entry) -> bool:
        """Tell whether these words are a name of two words or more as it stands: nothing less acts without a verb."""
        said = tuple(word.plain for word in words)
        things = (one.thing for one in self.pointer.index.known if one.thing.domain in entry.wanted.domains)
        return len(said) > 1 and any(plain_words(name) == said for t in things for name in (t.name, *t.aliases))

    def _listed(self, words: Sequence[Word]) -> Phrase:
        """Return the words of a phrase, with `e` for the commas of a list."""
        listed: list[str] = []
        but = {phrase[0] for phrase in self.lexicon.but}
        for word, after in zip(words, [*words[1:], None], strict=True):
            listed.append(word.plain)
            if word.mark == "," and after is not None and after.plain not in {*but, "e"}:
                listed.append("e")
        return tuple(listed)

    def _slot(self, slot: Captured) -> Mapping[str, Value] | None:
        if slot.name == "area":
            area = self._area(slot.plain)
            return {"area": area} if area else None
        if slot.name == "pessoa":
            who = values.person(slot.plain, self.pointer.index.household.people, self.lexicon)
            return {"person": who} if who else None
        if slot.name == "desconhecido":
            stranger = values.stranger(slot, self.pointer.index.household.people, self.lexicon)
            return {"person": stranger, "unknown": True} if stranger else None
        return values.value(slot, self.lexicon)

    def _area(self, plain: Phrase) -> str | None:
        index = self.pointer.index
        spelled = index.spell(tuple(w for w in plain if w not in self.lexicon.little), self.lexicon)
        named = [name for name, phrase in index.areas if spelled and set(phrase) == set(spelled.words)]
        if named:
            return named[0]
        if tuple(plain[-1:]) in self.lexicon.house:
            return "casa"
        return self.pointer.speaker if plain in self.lexicon.here else None

    def _aim(self, entry: Entry, target: Phrase | None, slots: Mapping[str, Value]) -> Reading | None:
        if target is None and entry.own and (entry.named or entry.targets):
            return self._fixed(entry, slots)
        if target is None and entry.ask and not entry.default:
            return self._again(entry, slots)
        if target is None:
            return self._aimless(entry, slots)
        founds = self._find(target, entry)
        if not founds and entry.wanted.device_class == "temperature":  # "quantos graus no quarto" is its thermometer's
            founds = self._find(("temperatura", "de", *target), entry)
        if not founds:
            return None
        choosing = next((found for found in founds if found.choices), None)
        if choosing:
            pending = Intent(entry.intent, (), slots)
            question = asking.which_one(choosing.choices)
            return Reading((pending,), choosing.score, question=question, head=choosing.head, choices=choosing.choices)
        little = any(word.plain in self.lexicon.slightly for word in self.sentence.words)
        intents = tuple(_intent(entry, found, slots, little=little) for found in founds)
        assumed = tuple(found.assumed for found in founds if found.assumed)
        return Reading(intents, min(found.score for found in founds), assumed=assumed, head=founds[-1].head)

    def _fixed(self, entry: Entry, slots: Mapping[str, Value]) -> Reading | None:
        """Read a sentence of the house's own that always means the same things."""
        if entry.named:
            target = plain_words(entry.named)
            return self._aim(replace(entry, named=None, targets=()), target, slots)
        known = {one.thing.id for one in self.pointer.index.known}
        if not known.issuperset(entry.targets):
            return None
        return Reading((Intent(entry.intent, entry.targets, slots),), 1.0)

    def _find(self, target: Phrase, entry: Entry) -> tuple[Found, ...]:
        key = (target, entry.wanted)
        if key not in self.found:
            self.found[key] = self.pointer.find(target, entry.wanted)
        return self.found[key]

    def _again(self, entry: Entry, slots: Mapping[str, Value]) -> Reading | None:
        """Read a verb alone: what was just talked about, or a question back."""
        founds = () if entry.only_ask else self.pointer.find((), entry.wanted)
        if founds:
            return Reading(tuple(_intent(entry, f, slots, little=False) for f in founds), 0.9, head=self.pointer.head)
        return Reading((), 0.5, question=entry.ask)

    def _aimless(self, entry: Entry, slots: Mapping[str, Value]) -> Reading | None:
        """Read an intent that needs no thing, or means the one of its kind in the room."""
        if entry.default is None:
            return Reading((Intent(entry.intent, (), slots),), 1.0)
        if entry.default == "here":
            here = {"area": self.pointer.speaker} if self.pointer.speaker else {}
            return Reading((Intent(entry.intent, (), {**slots, **here}),), 0.95)
        if entry.default == "moving":
            moving = [
                one for found in self.pointer.find((), entry.wanted) for one in found.things if one.state in _MOVING
            ]
            return Reading((Intent(entry.intent, tuple(one.id for one in moving), slots),), 1.0) if moving else None
        if entry.default in {"luz", "casa"}:
            meant = ("a", "luz") if entry.default == "luz" else ("tudo", "da", "casa")
            return self._aim(entry, meant, slots) if self.pointer.speaker or entry.default == "casa" else None
        return self._of_kind(entry, slots)

    def _of_kind(self, entry: Entry, slots: Mapping[str, Value]) -> Reading | None:
        """Read an intent that means the thing of its kind in the room, or the only one in the house."""
        things = [one.thing for one in self.pointer.index.known if one.thing.domain in entry.wanted.domains]
        nearby = [thing for thing in things if thing.area == self.pointer.speaker]
        own = nearby if entry.default == "room" else nearby or things
        if entry.default == "media":
            playing = [thing for thing in own if thing.state == "playing"]
            own = playing if len(playing) == 1 else own
            return Reading((Intent(entry.intent, tuple(t.id for t in own) if len(own) == 1 else (), slots),), 0.9)
        if len(own) > 1:
            pending = Intent(entry.intent, (), slots)
            return Reading((pending,), 0.6, question=asking.which_one(own), choices=tuple(own))
        return Reading((Intent(entry.intent, (own[0].id,), {"name": own[0].name, **slots}),), 0.9) if own else None

    def _weighed(self, reading: Reading, entry: Entry, pattern: Pattern, when: When | None, free: int) -> Reading:
        asks = entry.query_time or entry.date  # about an hour as said, whichever it is of the day's two
        assumed = (*reading.assumed, *((when.assumed,) if when and when.assumed and not asks else ()))
        question = reading.question
        if when and when.past and not asks:
            question = asking.already_past(when.start, self.now)
        elif entry.intent == "CreateReminder" and question is None and (when is None or not timing.any_start(when)):
            question = asking.FOR_WHEN
        score = reading.score * entry.caution * (0.95 if assumed else 1.0)
        return replace(reading, score=score, free=free, assumed=assumed, question=question, literals=pattern.literals,
                       alone=entry.alone)  # fmt: skip


def _asks(words: Sequence[Word]) -> bool:
    """Tell a question by its mark. "Acende a luz?" is a polite command; "a luz acende?" is none."""
    return bool(words) and words[-1].mark == "?"


def _intent(entry: Entry, found: Found, slots: Mapping[str, Value], *, little: bool) -> Intent:
    level = values.stepped(slots, found.things[0].attributes, little=little) if len(found.things) == 1 else {}
    return Intent(entry.intent, tuple(thing.id for thing in found.things), {**dict(found.slots), **slots, **level})
