"""What the language makes of a sentence, and what it knows of the house. Pure data, no effects."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

Value = str | int | float | bool | None | Sequence[str]
"""A slot's value. Moments are ISO 8601 with offset, days `YYYY-MM-DD`, durations in seconds, levels in percent."""

Route = Literal["skill", "llm", "none"]


@dataclass(frozen=True, slots=True)
class Area:
    """A room of the house, what else it is called, and the floor that it is on (None in a house of one)."""

    name: str
    aliases: tuple[str, ...] = ()
    floor: str | None = None


@dataclass(frozen=True, slots=True)
class Thing:
    """A device's entity as the language sees it: names, where it is, what it can do.

    `domain` is Home Assistant's (light, switch, cover…), `attributes` tells abilities (`brightness`, `color`) and
    readings, `state` is the last one known or None.
    """

    id: str
    domain: str
    name: str
    aliases: tuple[str, ...] = ()
    area: str | None = None
    device_class: str | None = None
    state: str | None = None
    attributes: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Household:
    """All that may be named in a sentence. `timezone` is an IANA zone."""

    things: tuple[Thing, ...] = ()
    areas: tuple[Area, ...] = ()
    people: tuple[str, ...] = ()
    timezone: str = "America/Sao_Paulo"


@dataclass(frozen=True, slots=True)
class Heard:
    """A sentence and where it was said. `area` is the room of the sound source, `previous` the plan before this one."""

    text: str
    now: datetime
    area: str | None = None
    person: str | None = None
    previous: "Plan | None" = None


@dataclass(frozen=True, slots=True)
class Intent:
    """One thing to do: Home Assistant's intent names (HassTurnOn…) and ours (CreateReminder…)."""

    name: str
    targets: tuple[str, ...] = ()
    slots: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Plan:
    """What was understood: intents to carry out, or "ask the LLM", or nothing.

    `question` is spoken instead of acting when the sentence has two equally good readings or lacks a needed part;
    `awaits` names the slot of `intents` that the answer fills: `confirmed` takes a yes or a no, any other the words
    said, unless they are a command of their own. `assumed` says in Portuguese what was taken for granted ("amanhã às
    7h"); `confidence` is 0 to 1. `unknown` is what a command pointed at, as it was said, and the house does not have;
    `cannot` is the name of a thing that it has, and that does not do that.
    """

    route: Route
    intents: tuple[Intent, ...] = ()
    confidence: float = 0.0
    assumed: tuple[str, ...] = ()
    question: str | None = None
    awaits: str | None = None
    unknown: str | None = None
    cannot: str | None = None


NOTHING = Plan("none", confidence=1.0)
