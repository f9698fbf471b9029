"""How each aspect of an entity is read from the text that its device sent.

Source: Home Assistant's MQTT components, one by one.
"""

from collections.abc import Callable, Mapping

from daemon.devices import light_readings
from daemon.devices.components import number
from daemon.devices.discovery import parse_json
from daemon.devices.entity import EXTRAS, Aspect, Condition, Entity, Report
from daemon.devices.naming import clean_name
from daemon.devices.values import MAX_TEXT, NONE, finite, json_object, percent, text, with_readings, with_state

_BY_WORD = frozenset({"light", "switch", "fan", "binary_sensor", "cover", "valve", "lock", "siren", "humidifier"})
_LOWERED = frozenset({"climate", "water_heater", "alarm_control_panel", "vacuum", "lawn_mower", "media_player"})


def read(entity: Entity, report: Report, condition: Condition, value: str) -> Condition:
    """Return the condition after `value`, what `report`'s topic told through its template. Raises ValueError."""
    return _READERS[report.aspect](entity, report, condition, value)


def _state(entity: Entity, _report: Report, condition: Condition, value: str) -> Condition:
    if value == NONE:
        return with_state(condition, None)
    if entity.component == "light" and entity.config.get("schema") == "template":
        return with_state(condition, {"on": "on", "off": "off"}.get(value.lower(), condition.state))
    if entity.component == "valve" and entity.config.get("reports_position") is True:
        return _valve(entity, condition, value)
    if entity.component in _BY_WORD:
        return _worded(entity, condition, value)
    if entity.component == "number":
        return with_state(with_readings(condition, value=finite(value)), value[:MAX_TEXT])
    return with_state(condition, clean_name((value.lower() if entity.component in _LOWERED else value)[:MAX_TEXT]))


def _worded(entity: Entity, condition: Condition, value: str) -> Condition:
    state = entity.words.get(value)
    if state is None:
        raise ValueError("a word that was not announced")
    if state == "stopped":
        # Who tells no position has stopped where it was going to, as in Home Assistant.
        position = condition.attributes.get("current_position")
        closed = position == 0 if position is not None else condition.state in {"closing", "closed"}
        state = "closed" if closed else "open"
    return with_state(condition, state)


def _valve(entity: Entity, condition: Condition, value: str) -> Condition:
    """Read a valve that tells a number, a word, or an object with one or both: `{"state":"opening","position":10}`."""
    said = json_object(value)
    word, raw = (said.get("state"), said.get("position")) if said is not None else (None, value)
    if said is None and value in entity.words:
        word, raw = value, None
    if raw is not None:
        condition = _positioned(entity, condition, finite(raw))
    moving = entity.words.get(str(word))
    return with_state(condition, moving) if moving in {"opening", "closing"} else condition


def _power(entity: Entity, _report: Report, condition: Condition, value: str) -> Condition:
    state = entity.words.get(value)
    return condition if state is None or entity.hears("state") else with_state(condition, state)


def _positioned(entity: Entity, condition: Condition, raw: float) -> Condition:
    closed, opened = number(entity.config, "position_closed", 0), number(entity.config, "position_open", 100)
    position = percent(raw, closed, opened)
    return with_state(with_readings(condition, current_position=position), "closed" if position == 0 else "open")


def _position(entity: Entity, _report: Report, condition: Condition, value: str) -> Condition:
    said = json_object(value)
    if said is not None and "tilt_position" in said:
        condition = _tilted(entity, condition, finite(said["tilt_position"]))
    after = _positioned(entity, condition, finite(said.get("position") if said is not None else value))
    return with_state(after, condition.state) if entity.hears("state") else after


def _tilted(entity: Entity, condition: Condition, raw: float) -> Condition:
    closed, opened = number(entity.config, "tilt_min", 0), number(entity.config, "tilt_max", 100)
    return with_readings(condition, current_tilt=percent(raw, closed, opened))


def _tilt(entity: Entity, _report: Report, condition: Condition, value: str) -> Condition:
    return _tilted(entity, condition, finite(value))


def _percentage(entity: Entity, _report: Report, condition: Condition, value: str) -> Condition:
    if value in {NONE, str(entity.config.get("payload_reset_percentage", NONE))}:
        return with_readings(condition, percentage=None)
    low, high = number(entity.config, "speed_range_min", 1), number(entity.config, "speed_range_max", 100)
    return with_readings(condition, percentage=percent(finite(value), low - 1, high))


def _temperature(entity: Entity, report: Report, condition: Condition, value: str) -> Condition:
    if value == NONE:
        return with_readings(condition, **{report.aspect: None})
    degrees = finite(value)
    if entity.config.get("temperature_unit") == "F":
        degrees = (degrees - 32) / 1.8
    return with_readings(condition, **{report.aspect: round(degrees, 1)})


def _measured(_entity: Entity, report: Report, condition: Condition, value: str) -> Condition:
    return with_readings(condition, **{report.aspect: None if value == NONE else round(finite(value), 1)})


def _worded_reading(_entity: Entity, report: Report, condition: Condition, value: str) -> Condition:
    return with_readings(condition, **{report.aspect: text(value)})


def _oscillating(entity: Entity, _report: Report, condition: Condition, value: str) -> Condition:
    on = str(entity.config.get("payload_oscillation_on", "oscillate_on"))
    off = str(entity.config.get("payload_oscillation_off", "oscillate_off"))
    if value not in {on, off}:
        raise ValueError("a word that was not announced")
    return with_readings(condition, oscillating=value == on)


def _json_siren(entity: Entity, report: Report, condition: Condition, value: str) -> Condition:
    said = json_object(value)
    if said is None:
        return _state(entity, report, condition, value)
    if "state" in said:
        condition = _worded(entity, condition, str(said["state"]))
    if said.get("volume_level") is not None:
        condition = with_readings(condition, volume_pct=round(100 * max(0.0, min(1.0, finite(said["volume_level"])))))
    return with_readings(condition, tone=text(said["tone"])) if "tone" in said else condition


def _json_vacuum(entity: Entity, report: Report, condition: Condition, value: str) -> Condition:
    said = json_object(value)
    if said is None:
        is_speed = report.topic == entity.config.get("fan_speed_topic")
        return with_readings(condition, fan_speed=text(value)) if is_speed else _state(entity, report, condition, value)
    if "state" in said:
        condition = with_state(condition, (text(said["state"]) or "").lower() or None)
    if said.get("battery_level") is not None:
        condition = with_readings(condition, battery=round(finite(said["battery_level"])))
    return with_readings(condition, fan_speed=text(said["fan_speed"])) if "fan_speed" in said else condition


def _json_event(_entity: Entity, _report: Report, condition: Condition, value: str) -> Condition:
    said = parse_json(value)
    if not isinstance(said, dict) or not isinstance(said.get("event_type"), str):
        raise ValueError("an event without its type")  # noqa: TRY004 - it is the value that is wrong
    return with_state(condition, text(said["event_type"]))


def _extras(_entity: Entity, _report: Report, condition: Condition, value: str) -> Condition:
    said = json_object(value)
    if said is None:
        raise ValueError("attributes that are no object")
    kept = {key: one for key in EXTRAS & said.keys() if (one := _extra(said[key])) is not None}
    return with_readings(condition, **kept)


def _extra(value: object) -> object:
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return finite(value)
    return text(value) if isinstance(value, str) else None


def _volume(_entity: Entity, _report: Report, condition: Condition, value: str) -> Condition:
    return with_readings(condition, volume_pct=round(100 * max(0.0, min(1.0, finite(value)))))


def _muted(_entity: Entity, _report: Report, condition: Condition, value: str) -> Condition:
    return with_readings(condition, muted=value.lower() in {"true", "on", "1", "mute", "muted"})


_READERS: Mapping[Aspect, Callable[[Entity, Report, Condition, str], Condition]] = {
    "state": _state,
    "power": _power,
    "position": _position,
    "tilt": _tilt,
    "percentage": _percentage,
    "oscillating": _oscillating,
    "brightness": light_readings.brightness,
    "color_temp": light_readings.color_temp,
    "color_mode": light_readings.color_mode,
    "volume": _volume,
    "muted": _muted,
    "json_light": light_readings.json_light,
    "json_siren": _json_siren,
    "json_vacuum": _json_vacuum,
    "json_event": _json_event,
    "extras": _extras,
    **dict.fromkeys(("color_rgb", "color_rgbw", "color_rgbww", "color_hs", "color_xy"), light_readings.color),
    **dict.fromkeys(("temperature", "temperature_low", "temperature_high", "current_temperature"), _temperature),
    **dict.fromkeys(("humidity", "current_humidity"), _measured),
    **dict.fromkeys(
        ("preset", "direction", "mode", "fan_mode", "swing", "swing_horizontal", "action", "effect", "title",
         "artist"), _worded_reading,
    ),
}  # fmt: skip
