"""What a device says on its topics, read into a Condition. Source: Home Assistant's MQTT components, one by one."""

import math
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from daemon.devices.discovery import number, parse_json
from daemon.devices.entity import Condition, Entity, Report
from daemon.devices.naming import clean_name
from daemon.devices.template import compiled

MAX_SENSOR = 255


@dataclass(slots=True)
class Said:
    """One payload, decoded once however many entities listen to its topic."""

    text: str
    variables: dict[str, object] = field(default_factory=dict)

    @classmethod
    def decoded(cls, payload: bytes) -> "Said":
        """Decode UTF-8. Raises ValueError for anything else."""
        text = payload.decode()
        return cls(text)

    def through(self, template: str | None) -> str:
        """Return the text, or what the template makes of it. Raises BadTemplate."""
        if template is None:
            return self.text
        if not self.variables:
            self.variables["value"] = self.text
            with suppress(ValueError):  # then `value_json` is undefined, as in Home Assistant
                self.variables["value_json"] = parse_json(self.text)
        return compiled(template)(self.variables)


def heard(entity: Entity, condition: Condition, topic: str, said: Said) -> Condition:
    """Return the condition after `said` on `topic`, without its times; the same one if nothing differs.

    Raises ValueError for a payload that says nothing this entity understands.
    """
    for report in entity.reports:
        if report.topic == topic:
            value = said.through(report.template)
            if value:
                condition = _ASPECTS[report.aspect](entity, report, condition, value)
    return condition


def reachable(entity: Entity, topic: str, said: Said) -> bool | None:
    """Return what `said` on `topic` tells of the entity's presence; None where it tells nothing."""
    for presence in entity.presences:
        if presence.topic == topic:
            value = said.through(presence.template)
            if value in {presence.available, presence.not_available}:
                return value == presence.available
    return None


def present(entity: Entity, known: Mapping[str, bool]) -> bool | None:
    """Return whether the entity can be reached; None where that is not known.

    `known` is what each of its presence topics said last, the latest at the end. Unlike in Home Assistant, silence is
    not absence: a device that never told is tried, and said to be silent if it is.
    """
    topics = {presence.topic for presence in entity.presences}
    said = [available for topic, available in known.items() if topic in topics]
    if not said:
        return None
    if entity.presence_mode == "any":
        return any(said) or (None if len(said) < len(topics) else False)
    return all(said) if entity.presence_mode == "all" else said[-1]


def words(entity: Entity) -> dict[str, str]:
    """Return what each of the device's own words for a state means in Home Assistant's."""
    config = entity.config
    if entity.component in {"cover", "valve"}:
        own = {f"state_{word}": word for word in ("open", "opening", "closed", "closing", "stopped")}
        return {str(config.get(key, word)): word for key, word in own.items()}
    if entity.component == "lock":
        own = {f"state_{word}": word for word in ("locked", "locking", "unlocked", "unlocking", "jammed")}
        return {str(config.get(key, word.upper())): word for key, word in own.items()}
    on, off = str(config.get("payload_on", "ON")), str(config.get("payload_off", "OFF"))
    if entity.component == "switch":
        return {str(config.get("state_on", on)): "on", str(config.get("state_off", off)): "off"}
    return {on: "on", off: "off"}


def _state(entity: Entity, _report: Report, condition: Condition, value: str) -> Condition:
    if value == "None":
        return replace(condition, state=None)
    if entity.component == "light" and entity.config.get("schema") == "template":
        return replace(condition, state={"on": "on", "off": "off"}.get(value.lower(), condition.state))
    if entity.component in {"light", "switch", "fan", "binary_sensor", "cover", "valve", "lock"}:
        state = words(entity).get(value)
        if state is None:
            raise ValueError("a word that was not announced")
        if state == "stopped":
            state = "closed" if condition.attributes.get("current_position") == 0 else "open"
        return replace(condition, state=state)
    if entity.component == "climate":
        value = value.lower()
    return replace(condition, state=clean_name(value[:MAX_SENSOR]))


def _power(entity: Entity, _report: Report, condition: Condition, value: str) -> Condition:
    state = words(entity).get(value)
    return condition if state is None or entity.hears("state") else replace(condition, state=state)


def _with(condition: Condition, **readings: object) -> Condition:
    return replace(condition, attributes={**condition.attributes, **readings})


def _finite(value: object) -> float:
    result = float(value) if isinstance(value, str | int | float) else math.nan
    if not math.isfinite(result):
        raise ValueError("not a number")
    return result


def percent(value: float, low: float, high: float) -> int:
    """Return where `value` lies between `low` (0) and `high` (100); only what is at or below `low` is 0."""
    if high == low:
        raise ValueError("an empty range")
    share = max(0.0, min(1.0, (value - low) / (high - low)))
    return max(1, round(100 * share)) if share > 0 else 0


def _brightness(entity: Entity, _report: Report, condition: Condition, value: str) -> Condition:
    return _with(condition, brightness_pct=percent(_finite(value), 0, number(entity.config, "brightness_scale", 255)))


def _position(entity: Entity, _report: Report, condition: Condition, value: str) -> Condition:
    said = parse_json(value) if value.startswith("{") else value
    raw = _finite(said.get("position") if isinstance(said, dict) else said)
    closed, opened = number(entity.config, "position_closed", 0), number(entity.config, "position_open", 100)
    position = percent(raw, closed, opened)
    condition = _with(condition, current_position=position)
    return condition if entity.hears("state") else replace(condition, state="closed" if position == 0 else "open")


def _percentage(entity: Entity, _report: Report, condition: Condition, value: str) -> Condition:
    low, high = number(entity.config, "speed_range_min", 1), number(entity.config, "speed_range_max", 100)
    return _with(condition, percentage=percent(_finite(value), low - 1, high))


def _celsius(entity: Entity, value: str) -> float:
    degrees = _finite(value)
    if entity.config.get("temperature_unit") == "F":
        degrees = (degrees - 32) / 1.8
    return round(degrees, 1)


def _temperature(entity: Entity, report: Report, condition: Condition, value: str) -> Condition:
    return _with(condition, **{report.aspect: _celsius(entity, value)})


def _color_temp(entity: Entity, _report: Report, condition: Condition, value: object) -> Condition:
    key = "color_temp_kelvin" if entity.config.get("color_temp_kelvin") is True else "color_temp"
    return _with(condition, **{key: round(_finite(value))})


def _color(_entity: Entity, _report: Report, condition: Condition, value: str) -> Condition:
    return _with(condition, color=tuple(_finite(part) for part in value.split(",")[:5]))


def _json_light(entity: Entity, report: Report, condition: Condition, value: str) -> Condition:
    said: Any = parse_json(value)
    if not isinstance(said, dict):
        raise ValueError("a JSON light that says no object")  # noqa: TRY004 - it is the value that is wrong
    if "state" in said:
        state = {"ON": "on", "OFF": "off"}.get(str(said["state"]).upper())
        condition = replace(condition, state=state)
    if said.get("brightness") is not None:
        condition = _brightness(entity, report, condition, str(said["brightness"]))
    if said.get("color_temp") is not None:
        condition = _color_temp(entity, report, condition, said["color_temp"])
    if isinstance(said.get("color"), dict):
        color = {key: _finite(part) for key, part in said["color"].items() if key in {*"rgbwchsxy"}}
        condition = _with(condition, color=color)
    return condition


_ASPECTS: Mapping[str, Callable[[Entity, Report, Condition, str], Condition]] = {
    "state": _state,
    "json_light": _json_light,
    "brightness": _brightness,
    "color": _color,
    "color_temp": _color_temp,
    "position": _position,
    "percentage": _percentage,
    "power": _power,
    "temperature": _temperature,
    "current_temperature": _temperature,
}

UNREADABLE = (ValueError, OverflowError)
"""What `heard` raises for a payload that cannot be understood; the state stays what it was."""
