"""What is wanted of a device, what it takes, and how it went."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from daemon.devices.entity import Condition

Verb = Literal[
    "turn_on", "turn_off", "toggle", "set_brightness", "set_color", "set_color_temp", "set_effect",
    "open", "close", "stop", "set_position", "open_tilt", "close_tilt", "stop_tilt", "set_tilt",
    "lock", "unlock", "unlatch", "press",
    "set_speed", "set_preset", "set_oscillation", "set_direction",
    "set_temperature", "set_temperature_low", "set_temperature_high", "set_humidity", "set_mode", "set_fan_mode",
    "set_swing", "set_swing_horizontal",
    "set_value", "select_option", "set_volume", "set_tone",
    "start", "pause", "return_home", "locate", "clean_spot",
    "arm_home", "arm_away", "arm_night", "arm_vacation", "arm_custom_bypass", "disarm", "trigger",
    "play", "play_pause", "next_track", "previous_track", "mute", "unmute",
]  # fmt: skip
"""What may be wanted of an entity; which component has which verb: daemon/devices/commands/."""

Color = tuple[int, int, int]
"""Red, green and blue, 0 to 255 each, at full brightness: how bright a lamp is, is told apart."""
Value = float | str | Color


@dataclass(frozen=True, slots=True)
class Order:
    """What is wanted of one entity.

    `value` is a number: percent (brightness, position, tilt, speed, volume, humidity; 0 to 100), °C, kelvin
    (`set_color_temp`), 1 or 0 (`set_oscillation`) or an entity's own unit (`set_value`); a text: an effect, mode,
    preset, option, tone, direction, a lock's or alarm's code; or a Color. `action_id` is the row of `actions` that it
    carries out, the cause of what the device says next.
    """

    entity_id: str
    verb: Verb
    value: Value | None = None
    action_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Goal:
    """What the device will say when it has obeyed: one of `states`, and `reading` at or near `value`.

    `moving` are states that show it is on its way there. Where `reading_counts` is false, the reading only shows the
    way, and arriving is told by the state. `tolerance` is in the reading's own unit; for a Color, in the largest
    difference of one of its parts; a text is the same or it is not, letter case aside.
    """

    states: frozenset[str] = frozenset()
    moving: frozenset[str] = frozenset()
    reading: str | None = None
    value: Value = 0.0
    tolerance: float = 0.5
    not_states: frozenset[str] = frozenset()
    reading_counts: bool = True

    def reached(self, condition: Condition) -> bool:
        """Tell whether the entity is where it was ordered to be."""
        if self.states and condition.state not in self.states:
            return False
        if self.not_states and (condition.state is None or condition.state in self.not_states):
            return False
        return self.reading is None or not self.reading_counts or self._distance(condition) <= self.tolerance

    def obeyed(self, condition: Condition, before: Condition) -> bool:
        """Tell whether the entity is there or, for what takes its time, visibly on its way since `before`."""
        if self.reached(condition) or condition.state in self.moving:
            return True
        return bool(self.moving) and self.reading is not None and self._distance(condition) < self._distance(before)

    def _distance(self, condition: Condition) -> float:
        said, wanted = condition.attributes.get(self.reading or ""), self.value
        if isinstance(wanted, str):
            return 0.0 if isinstance(said, str) and said.casefold() == wanted.casefold() else math.inf
        if isinstance(wanted, tuple):
            if not isinstance(said, tuple) or len(said) != len(wanted):
                return math.inf
            return float(max(abs(a - b) for a, b in zip(said, wanted, strict=True)))
        return abs(float(said) - wanted) if isinstance(said, int | float) else math.inf


@dataclass(frozen=True, slots=True)
class Command:
    """Messages to publish in their order, as (topic, payload), and the goal.

    `goal` is None where no topic would tell that it is reached: then nobody waits. `assumed` is the state an optimistic
    entity is taken to have afterwards.
    """

    messages: tuple[tuple[str, bytes], ...]
    goal: Goal | None
    assumed: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an order went.

    - `confirmed`: the device's own state said so, or that it is on its way (`state` tells: opening, closing);
    - `already`: it was so before, and nothing was published;
    - `sent`: published to a device that never tells its state;
    - `silent`: the broker has it, but the device did not say in time that it obeyed (`state` is what it says instead);
    - `unavailable`: the device said that it is off line, and nothing was published.

    `previous` is what was known before: `state` and readings, enough to undo. `ms` counts from publishing.
    """

    kind: Literal["confirmed", "already", "sent", "silent", "unavailable"]
    state: str | None
    previous: Mapping[str, object]
    ms: float = 0.0


@dataclass(frozen=True, slots=True)
class ConfirmedLate:
    """For observers: a device obeyed after its order had been given up as silent. `late_ms` counts from publishing."""

    order: Order
    state: str | None
    late_ms: float
