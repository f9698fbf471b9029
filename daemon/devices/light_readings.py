"""How a lamp's brightness, white and colour are read, in each of Home Assistant's schemas."""

from collections.abc import Mapping
from typing import Any

from daemon.devices import colors
from daemon.devices.colors import WHITE
from daemon.devices.components import COLOR_MODES, number
from daemon.devices.discovery import parse_json
from daemon.devices.entity import Condition, Entity, Report
from daemon.devices.order import Color
from daemon.devices.values import NONE, finite, percent, text, with_readings, with_state


def brightness(entity: Entity, _report: Report, condition: Condition, value: str) -> Condition:
    """Read how bright a lamp is, on its own scale."""
    # The template schema has no scale of its own.
    scale = 255 if entity.config.get("schema") == "template" else number(entity.config, "brightness_scale", 255)
    return with_readings(condition, brightness_pct=percent(finite(value), 0, scale))


def color_temp(entity: Entity, _report: Report, condition: Condition, value: object) -> Condition:
    """Read how warm a lamp is, in mired or kelvin, as announced."""
    if value == NONE:
        return condition
    in_kelvin = entity.config.get("color_temp_kelvin") is True
    return with_readings(
        condition, color_temp_kelvin=round(finite(value)) if in_kelvin else colors.kelvin(finite(value))
    )


def _as_color(kind: str, parts: list[float]) -> Color:
    """Return the colour of a device's numbers, told as `kind`. Raises ValueError."""
    if kind == "hs" and len(parts) >= 2:
        return colors.from_hs(parts[0], parts[1])
    if kind == "xy" and len(parts) == 2:
        return colors.from_xy(parts[0], parts[1])
    if kind.startswith("rgb") and len(parts) == len(kind):
        white = max(0.0, *parts[3:]) if len(parts) > 3 else 0.0
        red, green, blue = (min(255, max(0, round(part + white))) for part in parts[:3])
        return colors.full((red, green, blue))
    raise ValueError("not a colour")


def color(_entity: Entity, report: Report, condition: Condition, value: str) -> Condition:
    """Read a colour told in numbers with commas between them."""
    if value == NONE:
        return with_readings(condition, color=None)
    parts = [finite(part) for part in value.split(",")[:6]]
    return with_readings(condition, color=_as_color(report.aspect.removeprefix("color_"), parts))


def json_light(entity: Entity, report: Report, condition: Condition, value: str) -> Condition:
    """Read the object in which a lamp of the JSON schema tells all."""
    said: Any = parse_json(value)
    if not isinstance(said, dict):
        raise ValueError("a JSON light that says no object")  # noqa: TRY004 - it is the value that is wrong
    if "state" in said:
        state = {"ON": "on", "OFF": "off"}.get(str(said["state"]).upper())
        condition = with_state(condition, state)
    if said.get("brightness") is not None:
        condition = brightness(entity, report, condition, str(said["brightness"]))
    if isinstance(said.get("effect"), str):
        condition = with_readings(condition, effect=text(said["effect"]))
    color, mode = said.get("color"), said.get("color_mode")
    if isinstance(color, dict) and (mode is None or mode in COLOR_MODES):
        condition = with_readings(condition, color=_json_color(color))
    if said.get("color_temp") is not None and mode in (None, "color_temp"):
        condition = color_temp(entity, report, condition, said["color_temp"])
    return _in_mode(condition, mode)


def _in_mode(condition: Condition, mode: object) -> Condition:
    """Forget the colour of a lamp that is white now, and the white of one that is coloured."""
    if mode == "color_temp":
        return with_readings(condition, color=None)
    if mode == "white":  # a white light of its own, of one temperature
        return with_readings(condition, color=WHITE, color_temp_kelvin=None)
    return with_readings(condition, color_temp_kelvin=None) if mode in COLOR_MODES else condition


def color_mode(_entity: Entity, _report: Report, condition: Condition, value: str) -> Condition:
    """Read whether a lamp is coloured or white now."""
    return _in_mode(condition, value)


def _json_color(color: Mapping[str, object]) -> Color | None:
    for kind, keys in (("rgbww", "rgbcw"), ("rgbw", "rgbw"), ("rgb", "rgb"), ("hs", "hs"), ("xy", "xy")):
        if all(color.get(key) is not None for key in keys):
            return _as_color(kind, [finite(color[key]) for key in keys])
    return None
