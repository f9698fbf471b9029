"""From what was read to a Plan: what is done, what is asked back, and what is left to the language model."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from daemon.language import timing
from daemon.language.meaning import Reading
from daemon.language.plan import Intent, Plan, Thing, Value

UNSURE = 0.55
"""Below this confidence nothing is done."""
_FULL_MATCH = frozenset({"HassNevermind", "HassRespond"})


@dataclass(frozen=True, slots=True)
class Asking(Plan):
    """A plan that asks which of `choices` was meant; the answer completes `pending`."""

    pending: Intent | None = None
    choices: tuple[Thing, ...] = ()


def planned(readings: tuple[Reading, ...]) -> Plan:
    """Return the plan of the commands of one sentence: one thing to ask holds all of them back."""
    assumed = tuple(dict.fromkeys(text for reading in readings for text in reading.assumed))
    confidence = round(min(reading.score for reading in readings), 3)
    choosing = next((reading for reading in readings if reading.choices), None)
    if choosing:
        pending = choosing.intents[0] if len(readings) == 1 else None
        return Asking("skill", (), confidence, assumed, choosing.question, pending=pending, choices=choosing.choices)
    question = next((reading.question for reading in readings if reading.question), None)
    intents = tuple(intent for reading in readings for intent in reading.intents)
    if confidence < UNSURE and question is None:
        return Plan("llm", confidence=confidence)
    return Plan("skill", intents, confidence, assumed, question)


def without_remarks(readings: list[Reading]) -> tuple[Reading, ...]:
    """Leave out the state of a thing that is ordered in the same breath: "esqueci a luz acesa, apaga lá"."""
    moved = {reading.targets for reading in readings if reading.targets and reading.intents[0].name != "HassGetState"}
    return tuple(reading for reading in readings if not (_tells_how(reading) and reading.targets in moved))


def at_one_time(readings: list[Reading]) -> list[Reading]:
    """Return the commands, the later ones at the time of the first where they have none of their own.

    "Amanhã às sete liga a cafeteira e abre a cortina" opens nothing now.
    """
    first = readings[0].intents[0].slots if readings and readings[0].intents else {}
    time = {slot: value for slot, value in first.items() if slot in timing.OF_TIME}
    return [readings[0], *(_timed(reading, time) for reading in readings[1:])] if time else readings


def _timed(reading: Reading, time: Mapping[str, Value]) -> Reading:
    moves = all(intent.name.startswith(timing.MOVING) for intent in reading.intents)
    if not moves or any(timing.OF_TIME & intent.slots.keys() for intent in reading.intents):
        return reading
    return replace(reading, intents=tuple(replace(one, slots={**one.slots, **time}) for one in reading.intents))


def _tells_how(reading: Reading) -> bool:
    """Tell whether this is how a thing is, and not a question of who, why or when."""
    return any(intent.name == "HassGetState" and "asked" not in intent.slots for intent in reading.intents[:1])


def is_alone(reading: Reading) -> bool:
    """Tell whether this is said by itself only: a hint ("tá frio aqui") before an order is only its reason."""
    return reading.alone or any(intent.name in _FULL_MATCH for intent in reading.intents)
