"""What a sentence follows on where no pattern reads it: a step once more, or a thing that was pointed at in vain."""

from dataclasses import replace

from daemon.language import words
from daemon.language.found import Wanted
from daemon.language.plan import Plan
from daemon.language.reading import Reader
from daemon.language.words import Sentence

_UNREAD = Plan("llm", confidence=0.7)
_NO_THINGS = frozenset(
    "lista lembrete lembretes alarme alarmes timer rotina musica receita historia piada conta".split()
)
"""What "faz uma lista" points at is no appliance, whether the house has one or not."""


_NO_HOURS = frozenset({"anoitecer", "amanhecer", "escurecer", "sol"})


def missed(reader: Reader) -> Plan:
    """Return the plan for what could not be read: with what it pointed at, unknown, or known and unable to do that."""
    if not reader.missed:
        return _UNREAD
    said = min(reader.missed)[1]
    plain = words.plain_words(said)
    if not _NO_THINGS.isdisjoint(plain[:2]) or not _NO_HOURS.isdisjoint(plain):
        return _UNREAD
    everything = Wanted(frozenset(one.thing.domain for one in reader.pointer.index.known))
    named = [thing for found in reader.pointer.find(plain, everything) if not found.choices for thing in found.things]
    if len(named) == 1:
        return replace(_UNREAD, cannot=named[0].name)
    return replace(_UNREAD, unknown=said)


_MORE = frozenset(
    words.plain_words(phrase)
    for phrase in (
        "mais", "mais um pouco", "mais um pouquinho", "um pouco mais", "um pouquinho mais", "só mais um pouco",
        "mais um tiquinho", "mais um tantinho", "ainda mais", "mais ainda", "bem mais", "põe mais um pouco",
    )
)  # fmt: skip
_UP = {"brightness": "brightness_step", "percentage": "percentage_step"}
_LEVELLED = frozenset({"HassLightSet", "HassFanSetSpeed"})
_LEVELS = frozenset({"brightness", "temperature", "percentage", "volume_level"})


def more(sentence: Sentence, before: Plan | None) -> Plan | None:
    """Return the step before once more, where that is all that is said: "mais um pouco". From where it is by now."""
    said = tuple(word.plain for word in sentence.words)
    if before is None or before.question is not None or said not in _MORE or len(before.intents) != 1:
        return None
    step = before.intents[0]
    set_to = next((_UP[slot] for slot in step.slots if slot in _UP and step.name in _LEVELLED), None)
    slots = {slot: value for slot, value in step.slots.items() if slot not in _LEVELS}
    if not step.targets or not (set_to or any("step" in slot for slot in slots)):
        return None
    if not any("step" in slot for slot in slots):
        slots = {**slots, str(set_to): "up"}  # "põe em 30", and then "mais um pouco"
    return Plan("skill", (replace(step, slots=slots),), 0.95)
