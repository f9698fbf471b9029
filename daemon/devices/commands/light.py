"""Lamps, in Home Assistant's three schemas: topics of their own (default), one JSON object, or a template's text.

In the default schema the order of messages matters: with `on_command_type` `first` the switch comes first, with `last`
(the default) it comes last, and with `brightness` a brightness stands for it.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from daemon.devices import colors
from daemon.devices.commands.ask import Ask, Made
from daemon.devices.commands.switch import toggled
from daemon.devices.components import COLORS, color_modes, number, table
from daemon.devices.entity import Aspect
from daemon.devices.order import Color, Goal
from daemon.devices.traits import kelvin_limits
from daemon.devices.values import percent as as_percent

COLOR_TOLERANCE = 24
"""How far a part of a colour may be off: lamps tell it back through other colour spaces and their own gamut."""
KELVIN_TOLERANCE = 0.06
_COLORS_TOLD: tuple[Aspect, ...] = ("color_rgb", "color_rgbw", "color_rgbww", "color_hs", "color_xy")


@dataclass(frozen=True, slots=True)
class _Look:
    """What a lamp that is turned on shall look like; None is as it was. `level` is on the lamp's own scale.

    `white` is how bright a white light of its own shall be, on the scale of that.
    """

    level: int | None = None
    white: int | None = None
    color: Color | None = None
    kelvin: float | None = None
    effect: str | None = None


def _on(ask: Ask) -> Made:
    _lit(ask, _Look())
    return ask.goal("state", Goal(frozenset({"on"}))), "on"


def _off(ask: Ask) -> Made:
    schema = ask.entity.config.get("schema")
    if schema == "json":
        ask.send("command_topic", '{"state":"OFF"}')
    elif schema == "template":
        _templated(ask, "off", {"state": False})
    else:
        ask.send("command_topic", ask.text("payload_off", "OFF"))
    return ask.goal("state", Goal(frozenset({"off"}))), "off"


def _brightness(ask: Ask) -> Made:
    percent = ask.percent()
    if "brightness" not in ask.entity.abilities:
        return None, None
    if percent == 0:
        return _off(ask)
    scale = _scale(ask)
    level = max(1, min(round(scale), round(percent * scale / 100)))
    _lit(ask, _Look(level=level))
    # Near is not there: what a lamp was at before, a hundredth away, must not pass for having obeyed. Only a scale
    # finer than percent may come back one off.
    exact = as_percent(level, 0, scale)
    goal = Goal(frozenset({"on"}), reading="brightness_pct", value=exact, tolerance=0.5 if scale <= 100 else 1.0)
    return _told(ask, "brightness", goal), "on"


def _color(ask: Ask) -> Made:
    color = ask.color()
    if "color" not in ask.entity.abilities:
        return None, None
    white = _white(ask) if color == colors.WHITE else None
    _lit(ask, _Look(color=color if white is None else None, white=white))
    if white is not None and not (ask.entity.hears("color_mode") or ask.entity.hears("json_light")):
        return None, "on"  # nobody would tell that it is white now
    goal = Goal(frozenset({"on"}), reading="color", value=color, tolerance=COLOR_TOLERANCE)
    return next((found for aspect in _COLORS_TOLD if (found := _told(ask, aspect, goal)) is not None), None), "on"


def _white(ask: Ask) -> int | None:
    """Return how bright a lamp's white light shall be, as bright as it was; None for one that has none of its own."""
    config = ask.entity.config
    schema = table("light", config)
    has_one = {"light": "white_command_topic" in config, "light.json": "white" in color_modes(config)}
    if not has_one.get(schema, config.get("white") is True):
        return None
    known = ask.condition.attributes.get("brightness_pct")
    share = known / 100 if isinstance(known, int) and known > 0 else 1.0
    return max(1, round(share * (255 if schema == "light.template" else number(config, "white_scale", 255))))


def _color_temp(ask: Ask) -> Made:
    if "color_temp" not in ask.entity.abilities:
        return None, None
    low, high = kelvin_limits(ask.entity.config)
    kelvin = ask.number("a temperatura da luz", int(low), int(high) + 1, " kelvin")
    _lit(ask, _Look(kelvin=kelvin))
    goal = Goal(frozenset({"on"}), reading="color_temp_kelvin", value=kelvin, tolerance=kelvin * KELVIN_TOLERANCE)
    return _told(ask, "color_temp", goal), "on"


def _effect(ask: Ask) -> Made:
    if "effect" not in ask.entity.abilities:
        return None, None
    effect = ask.word("effect", "o efeito")
    _lit(ask, _Look(effect=effect))
    # In the JSON schema few lamps tell their effect (and one that blinks is soon done): then nobody waits for it.
    is_told = ask.entity.hears("effect") or "effect" in ask.condition.attributes
    return (_told(ask, "effect", Goal(frozenset({"on"}), reading="effect", value=effect)) if is_told else None), "on"


def _told(ask: Ask, aspect: Aspect, goal: Goal) -> Goal | None:
    """Return the goal where the lamp tells both this and whether it is on, else None: that it is on proves nothing."""
    if ask.goal("state", goal) is None:
        return None
    return ask.goal(aspect, goal)


def _scale(ask: Ask) -> float:
    return 255 if ask.entity.config.get("schema") == "template" else number(ask.entity.config, "brightness_scale", 255)


def _lit(ask: Ask, look: _Look) -> None:
    """Send what turns the lamp on, looking so."""
    schema = ask.entity.config.get("schema")
    make = {"json": _json_on, "template": _template_on}.get(str(schema), _basic_on)
    make(ask, look)


def _json_on(ask: Ask, look: _Look) -> None:
    said: dict[str, object] = {"state": "ON"}
    if look.color is not None:
        said["color"] = _json_color(ask, look.color)
    if look.level is not None:
        said["brightness"] = look.level
    if look.white is not None:
        said["white"] = look.white
    if look.kelvin is not None:
        said["color_temp"] = _device_temp(ask, look.kelvin)
    if look.effect is not None:
        said["effect"] = look.effect
    ask.send("command_topic", json.dumps(said, ensure_ascii=False, separators=(",", ":")))


def _json_color(ask: Ask, color: Color) -> dict[str, float]:
    modes = color_modes(ask.entity.config)
    wanted = next((kind for kind in COLORS if kind in modes), None)
    if wanted is not None:
        return _parts(wanted, color)
    # Before there were colour modes, a lamp announced each way that it takes, and got all of them.
    said: dict[str, float] = {}
    for kind in ("rgb", "xy", "hs"):
        if ask.entity.config.get(kind) is True:
            said |= _parts(kind, color)
    return said


def _parts(kind: str, color: Color) -> dict[str, float]:
    names = {"rgb": "rgb", "rgbw": "rgbw", "rgbww": "rgbcw", "hs": "hs", "xy": "xy"}[kind]
    return dict(zip(names, _numbers(kind, color), strict=True))


def _numbers(kind: str, color: Color) -> tuple[float, ...]:
    if kind == "hs":
        return colors.to_hs(color)
    if kind == "xy":
        return colors.to_xy(color)
    if kind == "rgb":
        return color
    *mixed, white = colors.with_white(color)
    return (*mixed, white) if kind == "rgbw" else (*mixed, white, white)


def _device_temp(ask: Ask, kelvin: float) -> int:
    return round(kelvin) if ask.entity.config.get("color_temp_kelvin") is True else colors.mired(kelvin)


def _template_on(ask: Ask, look: _Look) -> None:
    said: dict[str, object] = {"state": True}
    if look.level is not None:
        said["brightness"] = look.level
    if look.kelvin is not None:
        said["color_temp"] = _device_temp(ask, look.kelvin)
    if look.color is not None:
        said |= dict(zip(("red", "green", "blue"), look.color, strict=True))
        said |= dict(zip(("hue", "sat"), colors.to_hs(look.color), strict=True))
    if look.white is not None:
        said["white"] = look.white
    if look.effect is not None:
        said["effect"] = look.effect
    _templated(ask, "on", said)


def _templated(ask: Ask, state: Literal["on", "off"], said: dict[str, object]) -> None:
    template = ask.entity.config.get(f"command_{state}_template")
    if isinstance(template, str):
        ask.send("command_topic", ask.rendered(template, said))


def _basic_on(ask: Ask, look: _Look) -> None:
    kind = ask.entity.config.get("on_command_type", "last")
    level = look.level
    if kind == "brightness" and level is None:
        level = _known_level(ask)
    if kind == "first":
        ask.send("command_topic", ask.text("payload_on", "ON"))
    if look.color is not None:
        _basic_color(ask, look.color)
    if look.white is not None:
        ask.send("white_command_topic", str(look.white))
    if level is not None and not ask.send(
        "brightness_command_topic", str(level), "brightness_command_template", value=level
    ):
        _as_bright(ask, level)
    if look.kelvin is not None:
        raw = _device_temp(ask, look.kelvin)
        ask.send("color_temp_command_topic", str(raw), "color_temp_command_template", value=raw)
    if look.effect is not None:
        ask.send("effect_command_topic", look.effect, "effect_command_template")
    if kind not in {"first", "brightness"}:
        ask.send("command_topic", ask.text("payload_on", "ON"))


def _known_level(ask: Ask) -> int:
    """Return how bright the lamp was, for one that a brightness turns on; full where nobody knows."""
    scale = _scale(ask)
    known = ask.condition.attributes.get("brightness_pct")
    return max(1, round(known * scale / 100)) if isinstance(known, int) and known > 0 else round(scale)


_VARIABLES = {"rgb": ("red", "green", "blue"), "rgbw": ("red", "green", "blue", "white"), "hs": ("hue", "sat"),
              "rgbww": ("red", "green", "blue", "cold_white", "warm_white"), "xy": ("x", "y")}  # fmt: skip


def _basic_color(ask: Ask, color: Color, share: float = 1.0) -> None:
    kind = next((kind for kind in COLORS if f"{kind}_command_topic" in ask.entity.config), None)
    if kind is not None:
        numbers = _numbers(kind, color)
        if kind.startswith("rgb"):
            numbers = tuple(round(number * share) for number in numbers)
        ask.send(f"{kind}_command_topic", ",".join(map(str, numbers)), f"{kind}_command_template",
                 **dict(zip(_VARIABLES[kind], numbers, strict=True)))  # fmt: skip


def _as_bright(ask: Ask, level: int) -> None:
    """Tell a lamp that has no brightness of its own a darker or brighter form of its colour."""
    known = ask.condition.attributes.get("color")
    color = known if isinstance(known, tuple) and len(known) == 3 else (255, 255, 255)
    _basic_color(ask, color, level / _scale(ask))


VERBS: Mapping[str, Mapping[str, Callable[[Ask], Made]]] = {
    "light": {
        "turn_on": _on,
        "turn_off": _off,
        "toggle": toggled(_on, _off),
        "set_brightness": _brightness,
        "set_color": _color,
        "set_color_temp": _color_temp,
        "set_effect": _effect,
    }
}
