"""Numbers, selects, texts, vacuums, mowers, alarms and players."""

import hmac
from collections.abc import Callable, Mapping

from daemon.devices.commands.ask import Ask, Made
from daemon.devices.components import number
from daemon.devices.order import Goal
from daemon.devices.traits import limits
from daemon.errors import CannotDo

REMOTE_CODES = frozenset({"REMOTE_CODE", "REMOTE_CODE_TEXT"})
"""What `code` says where the device itself checks the code."""


def _value(ask: Ask) -> Made:
    low, high = limits("number", ask.entity.config)["value"]
    unit = f" {ask.entity.unit}" if ask.entity.unit else ""
    wanted = ask.number("o valor", low, high, unit)
    step = number(ask.entity.config, "step", 1)
    if step > 0:
        wanted = round(min(high, low + round((wanted - low) / step) * step), 6)
    raw = int(wanted) if wanted == int(wanted) else wanted
    ask.send("command_topic", str(raw), "command_template", value=raw)
    return ask.goal("state", Goal(reading="value", value=float(raw), tolerance=max(step, 0) / 2)), str(raw)


def _option(ask: Ask) -> Made:
    option = ask.word("option", "a opção")
    ask.send("command_topic", option, "command_template")
    return ask.goal("state", Goal(frozenset({option}))), option


def _text(ask: Ask) -> Made:
    if not isinstance(ask.value, str):
        raise CannotDo(f"Para {ask.name}, preciso do texto.")
    low, high = number(ask.entity.config, "min", 0), number(ask.entity.config, "max", 255)
    if not low <= len(ask.value) <= high:
        raise CannotDo(f"Em {ask.name} cabem de {low:.0f} a {high:.0f} letras.")
    ask.send("command_topic", ask.value, "command_template")
    return ask.goal("state", Goal(frozenset({ask.value}))), ask.value


def _robot(word: str, default: str, feature: str, goal: Goal | None, assumed: str | None) -> Callable[[Ask], Made]:
    def make(ask: Ask) -> Made:
        announced = ask.entity.config.get("supported_features")
        if not isinstance(announced, list) or feature in announced:
            ask.send("command_topic", ask.text(word, default))
        return (ask.goal("state", goal) if goal is not None else None), assumed

    return make


def _suction(ask: Ask) -> Made:
    speed = ask.word("fan_speed", "a força")
    ask.send("set_fan_speed_topic", speed)
    goal = Goal(reading="fan_speed", value=speed)
    return ask.goal("state", goal), None


def _mower(key: str, default: str, goal: Goal, assumed: str) -> Callable[[Ask], Made]:
    def make(ask: Ask) -> Made:
        ask.send(f"{key}_command_topic", default, f"{key}_command_template")
        return ask.goal("state", goal), assumed

    return make


def _alarm(verb: str, payload: str, default: str, goal: Goal, assumed: str) -> Callable[[Ask], Made]:
    feature = verb

    def make(ask: Ask) -> Made:
        config = ask.entity.config
        announced = config.get("supported_features")
        if feature != "disarm" and isinstance(announced, list) and feature not in announced:
            return None, None
        word = ask.text(payload, default)
        code = _code(ask, "disarm" if verb == "disarm" else "trigger" if verb == "trigger" else "arm")
        template = config.get("command_template")
        text = (
            ask.rendered(template, {"value": word, "action": word, "code": code}) if isinstance(template, str) else word
        )
        ask.send("command_topic", text)
        return ask.goal("state", goal), assumed

    return make


def _code(ask: Ask, what: str) -> str | None:
    """Return the code for the device, which Mordomo checks itself where the maker announced it. Raises CannotDo."""
    config = ask.entity.config
    known = config.get("code")
    said = ask.value if isinstance(ask.value, str) else None
    if known is None or config.get(f"code_{what}_required", True) is False:
        return said
    if said is None:
        raise CannotDo(f"Para isso, {ask.name} pede a senha do alarme.")
    if str(known) not in REMOTE_CODES and not hmac.compare_digest(str(known).encode(), said.encode()):
        raise CannotDo(f"Essa não é a senha de {ask.name}.")
    return said


def _play(key: str, default: str, goal: Goal | None) -> Callable[[Ask], Made]:
    def make(ask: Ask) -> Made:
        ask.send(f"command_{key}_topic", ask.text(f"command_{key}_payload", default))
        return (ask.goal("state", goal) if goal is not None else None), None

    return make


def _volume(ask: Ask) -> Made:
    percent = ask.percent()
    ask.send("command_volume_topic", f"{percent / 100:.2f}".rstrip("0").rstrip("."))
    return ask.goal("volume", Goal(reading="volume_pct", value=percent, tolerance=2)), None


def _muted(word: str, *, mute: bool) -> Callable[[Ask], Made]:
    def make(ask: Ask) -> Made:
        ask.send("command_mute_topic", ask.text(f"command_{word}_payload", str(mute).lower()))
        return ask.goal("muted", Goal(reading="muted", value=float(mute), tolerance=0)), None

    return make


def _states(*states: str, moving: tuple[str, ...] = ()) -> Goal:
    return Goal(frozenset(states), frozenset(moving))


_CLEAN = _robot("payload_start", "start", "start", _states("cleaning"), "cleaning")
_DOCK = _robot("payload_return_to_base", "return_to_base", "return_home", _states("docked", "returning"), "returning")
_MOW = _mower("start_mowing", "start_mowing", _states("mowing"), "mowing")
_MOWED = _mower("dock", "dock", _states("docked", "returning"), "docked")
VERBS: Mapping[str, Mapping[str, Callable[[Ask], Made]]] = {
    "number": {"set_value": _value},
    "select": {"select_option": _option},
    "text": {"set_value": _text},
    "vacuum": {
        "start": _CLEAN,
        "turn_on": _CLEAN,
        "return_home": _DOCK,
        "turn_off": _DOCK,
        "stop": _robot("payload_stop", "stop", "stop", _states("idle", "docked", "paused"), "idle"),
        "pause": _robot("payload_pause", "pause", "pause", _states("paused", "idle"), "paused"),
        "locate": _robot("payload_locate", "locate", "locate", None, None),
        "clean_spot": _robot("payload_clean_spot", "clean_spot", "clean_spot", _states("cleaning"), "cleaning"),
        "set_preset": _suction,
    },
    "lawn_mower": {
        "start": _MOW,
        "turn_on": _MOW,
        "pause": _mower("pause", "pause", _states("paused"), "paused"),
        "return_home": _MOWED,
        "turn_off": _MOWED,
    },
    "alarm_control_panel": {
        **{
            f"arm_{mode}": _alarm(
                f"arm_{mode}", f"payload_arm_{mode}", f"ARM_{mode.upper()}",
                _states(f"armed_{mode}", moving=("arming", "pending")), f"armed_{mode}",
            )
            for mode in ("home", "away", "night", "vacation", "custom_bypass")
        },
        "disarm": _alarm("disarm", "payload_disarm", "DISARM", _states("disarmed"), "disarmed"),
        "trigger": _alarm("trigger", "payload_trigger", "TRIGGER", _states("triggered"), "triggered"),
    },
    "media_player": {
        "play": _play("play", "play", _states("playing")),
        "turn_on": _play("turn_on", "ON", None),
        "turn_off": _play("turn_off", "OFF", _states("off", "idle", "standby")),
        "pause": _play("pause", "pause", _states("paused", "idle")),
        "stop": _play("stop", "stop", _states("idle", "off", "stopped")),
        "play_pause": _play("playpause", "playpause", None),
        "next_track": _play("next", "next", None),
        "previous_track": _play("previous", "previous", None),
        "set_volume": _volume,
        "mute": _muted("mute", mute=True),
        "unmute": _muted("unmute", mute=False),
    },
}  # fmt: skip
