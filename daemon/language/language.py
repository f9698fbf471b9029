"""Understanding: a sentence heard in a house becomes a Plan, by itself, in about a millisecond, without any effect."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import structlog

from daemon.language import book, clauses, corrections, frames, lexicon, names, own, planning, timing, words
from daemon.language.consent import CONFIRMED, LEAVE, consent, consented, filled, goes_on, leave
from daemon.language.following import missed, more
from daemon.language.found import Wanted
from daemon.language.meaning import Reading
from daemon.language.names import Index
from daemon.language.own import OwnSentence
from daemon.language.paraphrases import paraphrases, without_stutter
from daemon.language.plan import NOTHING, Heard, Household, Intent, Plan
from daemon.language.planning import Asking
from daemon.language.pt_br import moments
from daemon.language.reading import Reader
from daemon.language.targets import Pointer
from daemon.language.words import Sentence, Word

log = structlog.get_logger(__name__)

_TOLD = "RememberFact"
"""What is told to be kept in mind: nothing in it is done."""


@dataclass(frozen=True, slots=True)
class Way:
    """How a command was read: the file and the sentence in it, its intent, and the words behind each `{part}`."""

    file: str
    sentence: str
    intent: str
    parts: tuple[tuple[str, str], ...]


class Language:
    """Text to Plan in one language. Keeps nothing between sentences but prepared households."""

    def __init__(self, household: Callable[[], Household] | Household | None = None, name: str = "pt_br") -> None:
        """Read the language's files (about 0.2 s). `household` serves where `understand` is given none.

        Raises BadPattern where a sentence file cannot be read.
        """
        self._name = name
        self._household = household
        self._lexicon = lexicon.load(name)
        self._shipped = self._book = book.load(name)
        self._indexes: list[Index] = []

    def prepare(self, household: Household | None = None) -> None:
        """Make all patterns and the household ready, so that the first sentence takes no longer than any.

        About 1 s; safe in a thread.
        """
        self._book.prepare()
        clauses.prepare(self._name)
        self._index(household or self._own_household())

    def learn(self, sentences: Sequence[OwnSentence]) -> Mapping[str, str]:
        """Know these sentences of the household's from now on, and no others of its own.

        Return by key, in Portuguese, why some are not used: these change nothing. Takes about 1 ms a sentence.
        """
        self._book, faults = own.joined(self._shipped, sentences, self._lexicon)
        return faults

    def understand(self, heard: Heard, household: Household | None = None) -> Plan:
        """Return what the sentence means in this house. Pure; never raises: what cannot be read is for the LLM."""
        try:
            return self._understand(heard, household or self._own_household())
        except Exception:
            log.exception("sentence_not_read", characters=len(heard.text))
            return Plan("llm", confidence=0.0)

    def why(self, heard: Heard, household: Household | None = None) -> tuple[Way, ...]:
        """Tell how a sentence is read: by which sentence of which file, and what each part of it stood for.

        Empty where no sentence of the book was needed: noise, an answer to a question, talk for the language model.
        """
        sentence = words.read(heard.text)
        house = household or self._own_household()
        if len(heard.text) > words.LONGEST_SENTENCE or clauses.is_silence(sentence.words, heard.text, self._lexicon):
            return ()
        readings = self._read(sentence.words, self._reader(sentence, heard, house))
        return tuple(
            Way(entry.origin, pattern.source, entry.intent, parts)
            for entry, pattern, parts in (reading.why for reading in readings if reading.why)
        )

    def pointer(self, household: Household, area: str | None) -> Pointer:
        """Return what finds things by a phrase alone ("a luz da sala"), as in a command said in `area`."""
        return Pointer(self._index(household), self._lexicon, area)

    def _own_household(self) -> Household:
        given = self._household
        return given() if callable(given) else given or Household()

    def _understand(self, heard: Heard, household: Household) -> Plan:
        if len(heard.text) > words.LONGEST_SENTENCE:
            return Plan("llm" if any(c.isalpha() for c in heard.text) else "none", confidence=0.9)
        sentence = words.read(heard.text)
        if clauses.is_silence(sentence.words, heard.text, self._lexicon):
            answered = self._answer(sentence, heard, household) if sentence.words else None
            return answered or NOTHING
        return self._answer(sentence, heard, household) or self._commands(sentence, heard, household)

    def _reader(self, sentence: Sentence, heard: Heard, household: Household) -> Reader:
        before = heard.previous.intents if heard.previous else ()
        ids = tuple(target for intent in before for target in intent.targets)
        index = self._index(household)
        pointer = Pointer(index, self._lexicon, heard.area, _head_of(ids, index), ids)
        now = heard.now if heard.now.tzinfo else heard.now.replace(tzinfo=UTC)
        return Reader(self._book, self._lexicon, pointer, sentence, now.astimezone(_zone(household.timezone)), before)

    def _index(self, household: Household) -> Index:
        """Return the household prepared; the last few are kept, known by identity."""
        for kept in self._indexes:
            if kept.household is household:
                return kept
        made = names.refreshed(self._indexes[0], household) if self._indexes else None
        made = made or names.index(household, self._lexicon)
        self._indexes = [made, *self._indexes[:3]]
        return made

    def _commands(self, sentence: Sentence, heard: Heard, household: Household) -> Plan:
        reader = self._reader(sentence, heard, household)
        readings = () if clauses.is_quotation(heard.text) else self._read(sentence.words, reader)
        refused = sentence.words[-1].plain == "nao" and not all(map(planning.is_alone, readings))
        if not readings or refused:  # "acende a luz não"
            return missed(reader)
        return planning.planned(readings)

    def _read(self, said: tuple[Word, ...], reader: Reader) -> tuple[Reading, ...]:
        """Read a whole sentence: corrections first, then several commands, then one."""
        said = without_stutter(said, self._lexicon)
        parted = corrections.corrected(said, self._lexicon)
        if parted:
            mended = self._mended(*parted, reader)
            if mended:
                return mended
        for way in (said, *paraphrases(said, self._lexicon)):
            read = self._as_it_stands(way, reader)
            if read:
                return read
        framed = self._framed(said, reader)
        return (framed,) if framed else ()

    def _framed(self, said: tuple[Word, ...], reader: Reader) -> Reading | None:
        """Read a command by its parts, where no sentence fits."""
        for way in (said, *paraphrases(said, self._lexicon)):
            for command in clauses.bare(way, self._lexicon, self._name):
                reading = frames.read(command, reader)
                if reading:
                    return reading
        return None

    def _as_it_stands(self, said: tuple[Word, ...], reader: Reader) -> tuple[Reading, ...]:
        for command in clauses.bare(said, self._lexicon, self._name):
            one = reader.read(command)
            if one and any(intent.name == _TOLD for intent in one.intents):
                return (one,)  # "lembra que o timer da piscina é de duas horas" starts none
            several = self._several(command, reader, infinitives=one is None or one.free == 0)
            if several and (one is None or one.free > 0 or len(several) > len(one.intents)):
                return several
            if one:
                return (one,)
        return ()

    def _several(self, said: tuple[Word, ...], reader: Reader, *, infinitives: bool) -> tuple[Reading, ...]:
        for pieces in clauses.cuts(said, self._lexicon, reader.now, infinitives=infinitives):
            readings = self._one_by_one(pieces, reader)
            if readings:
                return planning.without_remarks(readings)
        return ()

    def _one_by_one(self, pieces: list[tuple[Word, ...]], reader: Reader) -> list[Reading]:
        """Read pieces as commands, each after those before; a hint ("tá escuro no corredor") is the reason of the next.

        Empty where one of them is no command.
        """
        readings: list[Reading] = []
        for piece in pieces:
            reading = self._first(piece, reader)
            if reading is None or reading.question == "":
                return []
            hint = reading.alone and piece is not pieces[-1]
            if not hint and planning.is_alone(reading):
                return []
            readings += [] if hint else [reading]
            reader = reader.after(reading)
        timed = clauses.begins_with_time(pieces[0], self._lexicon, reader.now)
        return planning.at_one_time(readings) if timed else readings

    def _first(self, said: tuple[Word, ...], reader: Reader) -> Reading | None:
        for way in (said, *paraphrases(said, self._lexicon)):
            for command in clauses.bare(way, self._lexicon, self._name):
                reading = reader.read(command)
                if reading:
                    return reading
        return self._framed(said, reader)

    def _mended(self, first: tuple[Word, ...], meant: tuple[Word, ...], reader: Reader) -> tuple[Reading, ...]:
        """Read a corrected sentence: what was meant alone, or in place of the last words of what was said first."""
        whole = self._first(meant, reader)
        if whole and whole.intents and not whole.choices:
            return (whole,)
        known = self._first(first, reader) if corrections.narrows(meant) else None
        near = reader.inside(known) if known else reader
        for way in corrections.joined(first, meant, self._lexicon):
            reading = self._first(way, near)
            if reading and reading.intents and reading.question is None:
                return (reading,)
        return ()

    def _answer(self, sentence: Sentence, heard: Heard, household: Household) -> Plan | None:
        """Complete the question that the plan before asked, where this sentence answers it."""
        asked = heard.previous
        if asked is None or asked.question is None:
            return more(sentence, asked)
        if asked.awaits is not None:
            return self._awaited(sentence, heard, household, asked, asked.awaits)
        if isinstance(asked, Asking) and asked.pending:
            return self._chosen(sentence, household, asked, asked.pending)
        open_reminder = next((i for i in asked.intents if i.name == "CreateReminder"), None)
        if open_reminder is None:
            return None
        reader = self._reader(sentence, heard, household)
        for lead in ("", *_LEADS):  # to "para quando?" a mere "nove" is an hour, and "dez minutos" a wait
            for command in clauses.bare(words.read(lead + heard.text).words, self._lexicon, self._name):
                found = moments.find(command, reader.now, waking=open_reminder.slots.get("kind") == "alarm")
                if found and all(word.plain in _TO for word in found[1]):
                    timed = timing.timed(open_reminder, found[0], asked)
                    if timed:
                        return timed
        return None

    def _awaited(self, sentence: Sentence, heard: Heard, household: Household, asked: Plan, slot: str) -> Plan | None:
        plain = tuple(word.plain for word in sentence.words)
        anew = self._commands(sentence, heard, household)
        if any(intent.name == "RepeatReply" for intent in anew.intents):
            return None  # "não entendi" is no no
        if any(intent.name == LEAVE for intent in asked.intents):
            given = leave(plain, asked, self._lexicon)
            return None if given is None else consented(asked, yes=given)
        yes = consent(plain, self._lexicon)
        if yes is False and not goes_on(plain, self._lexicon):
            return consented(asked, yes=False)
        if slot == CONFIRMED and yes is not False:
            return consented(asked, yes=True) if yes else None
        is_command = anew.route == "skill" and anew.question is None and anew.confidence > planning.UNSURE
        if is_command and not (yes is False and any(intent.name == "HassNevermind" for intent in anew.intents)):
            return None
        return consented(asked, yes=False) if yes is False else filled(asked, slot, heard.text.strip())

    def _chosen(self, sentence: Sentence, household: Household, asked: Asking, pending: Intent) -> Plan | None:
        narrowed = replace(household, things=asked.choices)
        index = names.index(narrowed, self._lexicon)
        head = _head_of(tuple(thing.id for thing in asked.choices[:1]), index)
        pointer = Pointer(index, self._lexicon, None, head)
        wanted = Wanted(frozenset(thing.domain for thing in asked.choices), head=head)
        for command in clauses.bare(sentence.words, self._lexicon, self._name):
            said = clauses.plain_of(command)
            founds = pointer.find(said, wanted) or pointer.find(("a", "de", *said), wanted)
            things = tuple({thing.id: thing for found in founds for thing in found.things}.values())
            if things and not any(found.choices for found in founds):
                slots = {**({"name": things[0].name} if len(things) == 1 else {}), **pending.slots}
                return Plan("skill", (Intent(pending.name, tuple(t.id for t in things), slots),), 0.95)
        return None


_LEADS = ("às ", "daqui a ")
_TO = frozenset({"e", "pra", "para", "pro", "o", "a", "as", "isso", "me", "lembra", "lembre", "mim", "la"})


def _head_of(ids: tuple[str, ...], index: Index) -> str | None:
    """Return the noun of what was talked about: "a da cozinha" after the lamp of the room is a lamp."""
    for one in index.known:
        if ids and one.thing.id == ids[-1]:
            heads = [name[0] for name in one.names if name]
            return next((h for h in heads if h in one.kinds), heads[0] if heads else None)
    return None


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("America/Sao_Paulo")
