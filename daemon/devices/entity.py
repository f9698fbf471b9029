"""What a device's entity is: what was announced of it, and what is known of it now."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Literal
from uuid import UUID

Aspect = Literal[
    "state", "power", "position", "tilt", "percentage", "preset", "oscillating", "direction", "mode", "fan_mode",
    "swing", "swing_horizontal", "action", "effect", "brightness", "color_temp", "color_mode",
    "color_rgb", "color_rgbw", "color_rgbww", "color_hs", "color_xy",
    "temperature", "temperature_low", "temperature_high", "current_temperature", "humidity", "current_humidity",
    "volume", "muted", "title", "artist", "json_light", "json_siren", "json_vacuum", "json_event", "extras",
]  # fmt: skip
"""What a topic tells of an entity. Those with `json` tell several things in one object (or only the state, plainly).

`extras` are what `json_attributes_topic` tells beside all that: of it, only what is in EXTRAS is kept.
"""
EXTRAS = frozenset({"battery", "battery_low", "linkquality", "rssi"})
"""Readings about the device itself. They change with every message, so they make no history of their own."""

MAX_IDENTIFIER = 512
NOTHING_KNOWN: Mapping[str, object] = MappingProxyType({})
NO_WORDS: Mapping[str, str] = MappingProxyType({})


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
    `words` are the device's own words for its states, in Home Assistant's; `traits` what may be set and within which
    bounds, by Home Assistant's names (`options`, `min`, `effect_list`). It is off again `off_delay_s` after it said on,
    and counts as away `expire_s` after it said anything. `asks` are messages (topic, payload) that have the
    device tell its state, for one that leaves nothing with the broker.
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
    words: Mapping[str, str] = field(default_factory=lambda: NO_WORDS, compare=False, repr=False)
    traits: Mapping[str, object] = field(default_factory=lambda: NOTHING_KNOWN, compare=False, repr=False)
    off_delay_s: float | None = None
    expire_s: float | None = None
    asks: tuple[tuple[str, str], ...] = ()

    def hears(self, aspect: Aspect) -> bool:
        """Tell whether some topic reports this aspect; where none does, the entity is optimistic."""
        return any(report.aspect == aspect for report in self.reports)

    @property
    def device_identifier(self) -> str | None:
        """The first identifier that its device tells of itself, or of its connections; None for one without."""
        device = self.config.get("device")
        if not isinstance(device, dict):
            return None
        told = device.get("identifiers")
        first = told[0] if isinstance(told, list) and told else told
        connections = device.get("connections")
        if not isinstance(first, str) and isinstance(connections, list) and connections:
            first = ":".join(map(str, connections[0])) if isinstance(connections[0], list) else None
        return first[:MAX_IDENTIFIER] if isinstance(first, str) and first else None

    @property
    def topics(self) -> frozenset[str]:
        """All topics on which something of this entity is told."""
        return frozenset(report.topic for report in self.reports) | {presence.topic for presence in self.presences}


@dataclass(frozen=True, slots=True)
class Condition:
    """What is known of an entity now.

    `state` is Home Assistant's word (on, off, open, closed, opening, locked, cool, 26.4…) or None where unknown.
    `attributes` holds readings: `brightness_pct`, `current_position`, `current_tilt`, `percentage`, `volume_pct`,
    `humidity` (the target) and `current_humidity` in percent, `temperature` (the target; also `_low` and `_high`) and
    `current_temperature` in °C, `color_temp_kelvin`, `color` as (red, green, blue), `oscillating` and `muted` as bool,
    and the words `effect`, `mode`, `preset`, `fan_mode`, `swing`, `action`, `direction`, `tone`, `fan_speed`, `title`;
    also EXTRAS, where the device tells them.
    `assumed` is true while no device said so; `fresh` is false for what was heard before the link was last lost.
    `changed_at` is when the state or a reading last differed, in UTC; `cause` and `action_id` tell why it did: by the
    action of ours, by something else in the `house`, or `unknown` for what was so already when we came.
    """

    state: str | None = None
    attributes: Mapping[str, object] = field(default_factory=lambda: NOTHING_KNOWN)
    available: bool | None = None
    changed_at: datetime | None = None
    heard_at: datetime | None = None
    assumed: bool = False
    fresh: bool = False
    cause: Literal["mordomo", "house", "unknown"] = "unknown"
    action_id: UUID | None = None

    def told(self, state: str | None, attributes: Mapping[str, object]) -> "Condition":
        """Return the condition with what was told. On the way of every message: `replace` takes three times as long."""
        return Condition(state, attributes, self.available, self.changed_at, self.heard_at, self.assumed, self.fresh,
                         self.cause, self.action_id)  # fmt: skip


UNKNOWN = Condition()
