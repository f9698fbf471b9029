"""From what was read to a Plan: what is done, what is asked back, and what is left to the language model."""

from dataclasses import dataclass

from daemon.language.meaning import Reading
from daemon.language.plan import Intent, Plan, Thing

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


def _tells_how(reading: Reading) -> bool:
    """Tell whether this is how a thing is, and not a question of who, why or when."""
    return any(intent.name == "HassGetState" and "asked" not in intent.slots for intent in reading.intents[:1])


def is_alone(reading: Reading) -> bool:
    """Tell whether this is said by itself only: a hint ("tá frio aqui") before an order is only its reason."""
    return reading.alone or any(intent.name in _FULL_MATCH for intent in reading.intents)
