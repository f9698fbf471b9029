"""What Mordomo says: sentences from the language's `replies.yaml`, filled, bent to gender and number, and varied."""

import datetime as dt
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from daemon.language.lexicon import load_yaml
from daemon.language.pt_br import grammar, spoken_time
from daemon.language.pt_br.grammar import Form
from daemon.language.pt_br.number_words import cardinal
from daemon.language.words import fold

MOST_NAMED = 4
"""So many things are named one by one; of more, only how many."""
MOST_TOLD = 8
"""So many are told one by one of those that were asked about."""
_PERCENT = frozenset({"set_brightness", "set_position", "set_speed", "set_tilt", "set_volume", "set_humidity"})
_INTENDED: Mapping[str, str] = {
    "HassTurnOn": "turn_on", "HassTurnOff": "turn_off", "HassToggle": "toggle", "HassLightSet": "set_brightness",
    "HassSetPosition": "set_position", "HassFanSetSpeed": "set_speed", "HassClimateSetTemperature": "set_temperature",
    "ClimateSetMode": "set_mode", "HassSetVolume": "set_volume", "HassMediaPause": "pause", "HassVacuumStart": "start",
    "HassVacuumReturnToBase": "return_home",
}  # fmt: skip
_BENT = frozenset({"aceso", "aberto"})
_PLURAL_VERBS = {"está": "estão", "respondeu": "responderam", "obedeceu": "obedeceram"}


class _Bending(string.Formatter):
    """`{o:aceso}` bends a word to the form in hand; all else is filled in as it is."""

    def format_field(self, value: object, format_spec: str) -> str:
        if isinstance(value, Form):
            return grammar.bend(format_spec, value)
        return str(value)


_FILL = _Bending()


@dataclass(frozen=True, slots=True, eq=False)
class Replies:
    """The sentences of one language. `seed` takes turns among the ways of saying one thing, without chance."""

    said: Mapping[str, tuple[str, ...]]
    verbs: Mapping[str, tuple[str, str]]
    lit: Mapping[str, tuple[str, str]]
    lamps: frozenset[str]
    states: Mapping[str, str]
    lamp_states: Mapping[str, str]

    @staticmethod
    @lru_cache(maxsize=4)
    def load(language: str) -> "Replies":
        """Read the language's sentences. Raises KeyError where a section is missing."""
        rows = load_yaml(language, "replies.yaml")
        return Replies(
            said={key: (text,) if isinstance(text, str) else tuple(text) for key, text in rows["said"].items()},
            verbs={verb: (words[0], words[1]) for verb, words in rows["verbs"].items()},
            lit={verb: (words[0], words[1]) for verb, words in rows["lights"].items()},
            lamps=frozenset(fold(noun) for noun in rows["lamps"]),
            states=dict(rows["states"]),
            lamp_states=dict(rows["lamp_states"]),
        )

    def say(self, key: str, *, seed: int = 0, **slots: object) -> str:
        """Return the sentence of `key`; `x.other` serves for an unknown `x.y` where there is one.

        `name` gives `{the}`, `{of}`, `{at}` too (`article` overrules the guess). Raises KeyError for what is missing.
        """
        variants = self.said.get(key) or self.said[f"{key.split('.', maxsplit=1)[0]}.other"]
        name = slots.get("name")
        shape = _form(slots.get("article")) or grammar.form(str(name or ""))
        filled = _named(str(name), shape) | slots if name is not None else dict(slots)
        return _filled(variants[seed % len(variants)], filled, shape)

    def devices(  # one call tells a whole group
        self,
        kind: str,
        verb: str,
        names: Sequence[str],
        *,
        value: object = None,
        seed: int = 0,
        area: str | None = None,
    ) -> str:
        """Return how an order to `names` went: `kind` of daemon.devices' Outcome, or `cannot`, `unknown`.

        `value` is the level or temperature that was asked for; `area` is told where too many things are meant to name.
        """
        lamps = all(self.is_lamp(name) for name in names)
        infinitive, state = (self.lit if lamps and verb in self.lit else self.verbs)[verb]
        shape = _several(names, lamps=lamps)
        level = _level(verb, value)
        the = _listed(names, shape, area, lamps=lamps)
        if kind == "cannot" and len(names) > MOST_NAMED:
            the = the.partition(" ")[2]  # "com seis luzes": others could
        filled: dict[str, object] = {
            "the": the,
            "of": f"de {_listed(names, shape, area, lamps=lamps)}" if len(names) > 1 else grammar.of(names[0]),
            "do": infinitive,
            "state": grammar.bend(state, shape),
            "value": f"{value:g}" if isinstance(value, int | float) else value,
        }
        key = f"devices.{kind}"
        if kind == "confirmed":
            key = self._done_key(verb, value, lamps=lamps)
        elif kind == "already" and level:
            key, filled["value"] = "devices.already_at", level
        variants = self.said[key]
        return _filled(variants[seed % len(variants)], filled, shape)

    def intended(self, intent: str, names: Sequence[str], slots: Mapping[str, object]) -> str:
        """Return what an intent will do, as an infinitive: `apagar a luz da sala`, `abrir as persianas`."""
        verb = _INTENDED.get(intent)
        if not names or verb is None:
            return self.say("routine.step")
        told = str(slots.get("action") or "")
        verb = told if told in {"open", "close", "lock", "unlock"} else verb
        lamps = all(self.is_lamp(name) for name in names)
        infinitive = (self.lit if lamps and verb in self.lit else self.verbs)[verb][0]
        return f"{infinitive} {_listed(names, _several(names, lamps=lamps), None, lamps=lamps)}"

    def _done_key(self, verb: str, value: object, *, lamps: bool) -> str:
        if lamps and verb in self.lit:
            return f"lights.{verb.replace('turn', 'turned')}"
        key = "devices.set_gear" if verb == "set_speed" and isinstance(value, str) else f"devices.{verb}"
        return key if key in self.said and (value is not None or not verb.startswith("set_")) else "devices.done"

    def at(self, name: str) -> str:
        """Return where a room is, as an answer says it: `na cozinha`, `no quarto`."""
        return grammar.at(name)

    def is_lamp(self, name: str) -> bool:
        """Tell whether a name is that of a lamp, by its first word."""
        return fold(name).replace("-", " ").split(" ")[0] in self.lamps

    def state(self, name: str, state: str | None, *, asked: str | None = None, value: object = None) -> str:
        """Return how a thing is. `asked` (a state) makes it `sim` or `não`; `value` is a level or measure with unit."""
        if state is None or state in {"unknown", "unavailable"}:
            return self.say("devices.unavailable" if state == "unavailable" else "state.unknown", name=name)
        said = self.state_word(name, state)
        if asked is not None:
            return self.say("state.yes" if asked == state else "state.no", name=name, state=said)
        if value is not None:
            return self.say("state.at", name=name, value=value)
        return self.say("state.is", name=name, state=said)

    def state_word(self, name: str, state: str) -> str:
        """Return a state in Portuguese, bent to the name: `on` of a lamp is `acesa`."""
        words = self.lamp_states if self.is_lamp(name) and state in self.lamp_states else self.states
        said = words.get(state, state)
        return (
            grammar.agree(said, name) if said in _BENT or (said.endswith("do") and not said.endswith("ndo")) else said
        )

    def several_so(self, names: Sequence[str], *, feminine: bool | None = None) -> str:
        """Name the things that are as was asked, with their number: `Duas: a luz da sala e a luz da cozinha`.

        `feminine` is the gender of what was asked about; unset, the names' own.
        """
        count = cardinal(len(names), feminine=grammar.together(names).feminine if feminine is None else feminine)
        told = grammar.joined(names[:MOST_TOLD])
        if len(names) > MOST_TOLD:
            told = f"{told.replace(' e ', ', ')} e mais {cardinal(len(names) - MOST_TOLD, feminine=bool(feminine))}"
        return self.say("state.several", count=_sentence_case(count), the=told)

    def time(self, now: dt.datetime, *, seed: int = 0) -> str:
        """Return what time it is: `São dez e meia da manhã`."""
        return self.say("time.is", seed=seed, Clock=_sentence_case(spoken_time.is_clock(now)))

    def date(self, now: dt.date, *, seed: int = 0) -> str:
        """Return what day it is: `Hoje é sexta-feira, vinte de novembro de dois mil e vinte e seis`."""
        return self.say("date.is", seed=seed, date=spoken_time.spoken_date(now))

    def moment(self, when: dt.datetime | dt.date, now: dt.datetime) -> str:
        """Return a moment as said at `now`: `amanhã às sete da manhã`."""
        return spoken_time.spoken_moment(when, now)

    def reminders_cancelled(self, titles: Sequence[str], *, seed: int = 0) -> str:
        """Say what was cancelled: one by its title, more by their number."""
        if len(titles) == 1:
            return self.say("reminder.cancelled", seed=seed, title=titles[0])
        return self.say("reminder.cancelled_several", seed=seed, count=cardinal(len(titles)))

    def briefing(self, titles: Sequence[str], more: int = 0) -> str:
        """Tell late reminders at once; `more` are counted only."""
        key = "reminder.briefing_one" if len(titles) + more == 1 else "reminder.briefing"
        said = self.say(key, count=cardinal(len(titles) + more), listed="; ".join(titles))
        return f"{said} {self.say('reminder.more', count=cardinal(more))}" if more > 0 else said

    def deeds(self, deeds: Sequence[tuple[str, dt.datetime]], total: int, *, yesterday: bool = False) -> str:
        """Tell what was done, as (whole sentence, moment of the day); `total` may be more than are given."""
        told, clock = [], ""
        for sentence, at in deeds:
            before, clock = clock, spoken_time.at_clock(at)
            core = f"{sentence[:1].lower()}{sentence[1:].rstrip('.')}"
            told.append(core if clock == before else f"{clock}, {core}")
        listed = "; ".join(told)
        said = self.say("ledger.yesterday" if yesterday else "ledger.today", listed=listed)
        more = total - len(deeds)
        return f"{said} {self.say('ledger.more', count=cardinal(more, feminine=True))}" if more > 0 else said

    def stale_backup(self, days: int) -> str:
        """Say that the newest good backup is `days` (>= 1) old."""
        if days == 1:
            return self.say("backup.stale_one")
        return self.say("backup.stale", days=cardinal(days))

    def greeting(self, now: dt.datetime, *, seed: int = 0) -> str:
        """Greet by the hour."""
        part = "night" if now.hour < 5 or now.hour >= 18 else "morning" if now.hour < 12 else "afternoon"
        return self.say(f"talk.greeting.{part}", seed=seed)


def _form(article: object) -> Form | None:
    said = str(article or "")
    return Form(said.startswith("a"), said.endswith("s")) if said in {"o", "a", "os", "as"} else None


def _named(name: str, shape: Form) -> dict[str, object]:
    return {"the": f"{shape.article} {name}", "of": f"d{shape.article} {name}", "at": f"n{shape.article} {name}"}


def _filled(template: str, slots: Mapping[str, object], shape: Form) -> str:
    verbs = {one: (many if shape.plural else one) for one, many in _PLURAL_VERBS.items()}
    whole = {**verbs, "o": shape, **slots}
    capital = {key[0].upper() + key[1:]: _sentence_case(str(value)) for key, value in slots.items() if key}
    return _FILL.vformat(template, (), {**capital, **whole})


def _sentence_case(text: str) -> str:
    return text[:1].upper() + text[1:]


def _several(names: Sequence[str], *, lamps: bool) -> Form:
    shape = grammar.together(names)
    counted = len(names) > MOST_NAMED
    return Form(shape.feminine or (counted and lamps), shape.plural)


def _listed(names: Sequence[str], shape: Form, area: str | None, *, lamps: bool) -> str:
    """Name up to MOST_NAMED things; of more say how many, as lamps when they all are."""
    if len(names) <= MOST_NAMED:
        return grammar.joined(names)
    feminine = lamps or shape.feminine
    noun = "luzes" if lamps else "aparelhos"
    where = f" {grammar.of(area)}" if area else ""
    article = "as" if lamps else "os"
    return f"{article} {cardinal(len(names), feminine=lamps and feminine)} {noun}{where}"


def _level(verb: str, value: object) -> str | None:
    if not isinstance(value, int | float):
        return value if isinstance(value, str) else None
    if verb in _PERCENT:
        return f"{value:g}%"
    return f"{value:g} graus" if verb == "set_temperature" else None
