"""What a device's entity is: what was announced of it, and what is known of it now."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Literal

Aspect = Literal[
    "state", "json_light", "brightness", "color", "color_temp", "position", "percentage", "power", "temperature",
    "current_temperature",
]  # fmt: skip
"""What a topic tells of an entity. `json_light` is a light's JSON schema: state, brightness and colour in one."""

NOTHING_KNOWN: Mapping[str, object] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Report:
    """A topic on which a device tells one aspect of an entity; `template` (Jinja2) takes the value out of it."""

    topic: str
    aspect: Aspect
    template: str | None = None


@dataclass(frozen=True, slots=True)
class Presence:
    """A topic that tells whether the entity can be reached, and its two words."""

    topic: str
    available: str = "online"
    not_available: str = "offline"
    template: str | None = None


@dataclass(frozen=True, slots=True)
class Entity:
    """One thing that a device announced. Immutable: an update makes a new one.

    `id` is `component.slug`; `source` is the discovery topic (and the key among a device's components); `name` is its
    own and `device_name` its device's, either may lack; `area` is what the maker or the household suggested; `category`
    is None for what a person would name, else "config" or "diagnostic". `config` holds the announced keys, unabridged,
    as seen. `origin` names the software that announced it. `problems` tells which of its templates were refused.
    """

    id: str
    component: str
    source: str
    name: str | None
    device_name: str | None
    area: str | None
    device_class: str | None
    unit: str | None
    category: str | None
    origin: str | None
    config: Mapping[str, object] = field(compare=False, repr=False)
    reports: tuple[Report, ...] = ()
    presences: tuple[Presence, ...] = ()
    presence_mode: str = "latest"
    abilities: frozenset[str] = frozenset()
    problems: tuple[str, ...] = ()

    def hears(self, aspect: Aspect) -> bool:
        """Tell whether some topic reports this aspect; where none does, the entity is optimistic."""
        return any(report.aspect == aspect for report in self.reports)

    @property
    def topics(self) -> frozenset[str]:
        """All topics on which something of this entity is told."""
        return frozenset(report.topic for report in self.reports) | {presence.topic for presence in self.presences}


@dataclass(frozen=True, slots=True)
class Condition:
    """What is known of an entity now.

    `state` is Home Assistant's word (on, off, open, closed, opening, locked, cool, 26.4…) or None where unknown.
    `attributes` holds readings: `brightness_pct`, `current_position`, `percentage` in percent, `temperature` (the
    target) and `current_temperature` in °C, `color_temp` in mired or `color_temp_kelvin`, `color` as reported.
    `assumed` is true while no device said so; `fresh` is false for what was heard before the link was last lost.
    `changed_at` is when the state or a reading last differed, in UTC.
    """

    state: str | None = None
    attributes: Mapping[str, object] = field(default_factory=lambda: NOTHING_KNOWN)
    available: bool | None = None
    changed_at: datetime | None = None
    heard_at: datetime | None = None
    assumed: bool = False
    fresh: bool = False


UNKNOWN = Condition()
