"""Switches, fans, sirens, locks, buttons and scenes: a word on a topic, or a template's."""

import json
import math
from collections.abc import Callable, Mapping
from typing import Literal

from daemon.devices.commands.ask import Ask, Made
from daemon.devices.components import number
from daemon.devices.order import Goal
from daemon.errors import CannotDo


def on_off(ask: Ask, state: Literal["on", "off"]) -> Made:
    """Send the entity's word for on or off."""
    ask.send("command_topic", ask.text(f"payload_{state}", state.upper()), "command_template")
    return ask.goal("state", Goal(frozenset({state}))), state


def toggled(on: Callable[[Ask], Made], off: Callable[[Ask], Made]) -> Callable[[Ask], Made]:
    """Return what makes the one or the other, whichever it is not now."""
    return lambda ask: (off if ask.condition.state in {"on", "open", "opening"} else on)(ask)


def _turn_on(ask: Ask) -> Made:
    return on_off(ask, "on")


def _turn_off(ask: Ask) -> Made:
    return on_off(ask, "off")


def _speed(ask: Ask) -> Made:
    percent = ask.percent()
    if percent == 0:
        return _turn_off(ask)
    low, high = number(ask.entity.config, "speed_range_min", 1), number(ask.entity.config, "speed_range_max", 100)
    raw = math.ceil((high - low + 1) * percent / 100 + low - 1)
    ask.send("percentage_command_topic", str(raw), "percentage_command_template", value=raw)
    step = 100 / max(1.0, high - low + 1)
    states = frozenset({"on"}) if ask.entity.hears("state") else frozenset()
    reached = step * (raw - low + 1)  # of three speeds, 60% is the second, which the fan calls 67%
    goal = Goal(states, reading="percentage", value=reached, tolerance=max(1.0, step / 2))
    return ask.goal("percentage", goal), "on"


def _preset(ask: Ask) -> Made:
    preset = ask.word("preset", "o programa")
    ask.send("preset_mode_command_topic", preset, "preset_mode_command_template")
    return ask.goal("preset", Goal(reading="preset", value=preset)), None


def _oscillation(ask: Ask) -> Made:
    swings = bool(ask.value)
    word = (
        ask.text("payload_oscillation_on", "oscillate_on")
        if swings
        else ask.text("payload_oscillation_off", "oscillate_off")
    )
    ask.send("oscillation_command_topic", word, "oscillation_command_template")
    return ask.goal("oscillating", Goal(reading="oscillating", value=float(swings), tolerance=0)), None


def _direction(ask: Ask) -> Made:
    if ask.value not in {"forward", "reverse"}:
        raise CannotDo(f"Em {ask.name}, o sentido é para a frente ou invertido.")
    ask.send("direction_command_topic", str(ask.value), "direction_command_template")
    return ask.goal("direction", Goal(reading="direction", value=str(ask.value))), None


def _siren(ask: Ask, state: Literal["on", "off"], **wanted: object) -> Made:
    """Send what a siren takes: its template's text, or an object, as Home Assistant does."""
    word = ask.text(f"payload_{state}", state.upper())
    config = ask.entity.config
    template = config.get("command_template")
    if state == "off":
        template = config.get("command_off_template", template)
    said = {"state": word, **wanted}
    payload = (
        ask.rendered(template, {"value": word, **said})
        if isinstance(template, str)
        else json.dumps(said, ensure_ascii=False, separators=(",", ":"))
    )
    ask.send("command_topic", payload)
    return ask.goal("state", Goal(frozenset({state}))), state


def _siren_on(ask: Ask) -> Made:
    return _siren(ask, "on")


def _siren_off(ask: Ask) -> Made:
    return _siren(ask, "off")


def _siren_volume(ask: Ask) -> Made:
    percent = ask.percent()
    if "volume" not in ask.entity.abilities:
        return None, None
    return _siren(ask, "on", volume_level=percent / 100)


def _siren_tone(ask: Ask) -> Made:
    if "tone" not in ask.entity.abilities:
        return None, None
    return _siren(ask, "on", tone=ask.word("tone", "o toque"))


def _bolt(word: str, default: str, goal: str) -> Callable[[Ask], Made]:
    def make(ask: Ask) -> Made:
        code = {"code": ask.value} if isinstance(ask.value, str) else {"code": None}
        ask.send("command_topic", ask.text(word, default), "command_template", **code)
        return ask.goal("state", Goal(frozenset({goal}))), goal

    return make


def _unlatch(ask: Ask) -> Made:
    if "unlatch" in ask.entity.abilities:
        code = {"code": ask.value} if isinstance(ask.value, str) else {"code": None}
        ask.send("command_topic", ask.text("payload_open", "OPEN"), "command_template", **code)
    return None, None


def _press(ask: Ask) -> Made:
    ask.send("command_topic", ask.text("payload_press", "PRESS"), "command_template")
    return None, None


def _scene(ask: Ask) -> Made:
    ask.send("command_topic", ask.text("payload_on", "ON"), "command_template")
    return None, None


_ON_OFF: Mapping[str, Callable[[Ask], Made]] = {
    "turn_on": _turn_on,
    "turn_off": _turn_off,
    "toggle": toggled(_turn_on, _turn_off),
}
ON_OFF = _ON_OFF
VERBS: Mapping[str, Mapping[str, Callable[[Ask], Made]]] = {
    "switch": _ON_OFF,
    "fan": {
        **_ON_OFF,
        "set_speed": _speed,
        "set_preset": _preset,
        "set_oscillation": _oscillation,
        "set_direction": _direction,
    },
    "siren": {
        "turn_on": _siren_on,
        "turn_off": _siren_off,
        "toggle": toggled(_siren_on, _siren_off),
        "set_volume": _siren_volume,
        "set_tone": _siren_tone,
    },
    "lock": {
        "lock": _bolt("payload_lock", "LOCK", "locked"),
        "unlock": _bolt("payload_unlock", "UNLOCK", "unlocked"),
        "unlatch": _unlatch,
    },
    "button": {"press": _press, "turn_on": _press},
    "scene": {"press": _scene, "turn_on": _scene},
}
