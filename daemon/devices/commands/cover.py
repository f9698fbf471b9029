"""Covers and valves: they open, close and stop, and some go to a position and incline their slats."""

from collections.abc import Callable, Mapping
from typing import Literal

from daemon.devices.commands.ask import Ask, Made
from daemon.devices.commands.switch import toggled
from daemon.devices.components import number
from daemon.devices.order import Goal

MOVING = frozenset({"opening", "closing"})


def _open(ask: Ask) -> Made:
    return _move(ask, "open", "opening", 100)


def _close(ask: Ask) -> Made:
    return _move(ask, "close", "closing", 0)


def _move(ask: Ask, word: Literal["open", "close"], moving: str, percent: int) -> Made:
    if (
        _takes_numbers(ask)
        or ask.entity.config.get(f"payload_{word}", "") is None
        or not ask.send("command_topic", ask.text(f"payload_{word}", word.upper()), "command_template")
    ):
        _position(ask, percent)
    state = "open" if word == "open" else "closed"
    reading = "current_position" if ask.entity.hears("position") else None
    goal = Goal(frozenset({state}), frozenset({moving}), reading, percent, reading_counts=False)
    return ask.goal("state", goal), state


def _stop(ask: Ask) -> Made:
    # A valve stops only where its maker announced the word; a cover unless its maker said that it cannot.
    default = None if ask.entity.component == "valve" else "STOP"
    word = ask.entity.config.get("payload_stop", default)
    if word is not None:
        ask.send("command_topic", str(word), "command_template")
    return ask.goal("state", Goal(not_states=MOVING)), None


def _set_position(ask: Ask) -> Made:
    percent = ask.percent()
    if "position" not in ask.entity.abilities:
        if percent in {0, 100}:
            return _open(ask) if percent else _close(ask)
        return None, None
    _position(ask, percent)
    goal = Goal(moving=MOVING, reading="current_position", value=percent, tolerance=2)
    told = ask.entity.hears("position") or (_takes_numbers(ask) and ask.entity.hears("state"))
    optimistic = ask.entity.config.get("optimistic") is True
    return (goal if told and not optimistic else None), "open" if percent else "closed"


def _takes_numbers(ask: Ask) -> bool:
    return ask.entity.component == "valve" and ask.entity.config.get("reports_position") is True


def _position(ask: Ask, percent: float) -> None:
    closed, opened = number(ask.entity.config, "position_closed", 0), number(ask.entity.config, "position_open", 100)
    raw = round(closed + (opened - closed) * percent / 100)
    if _takes_numbers(ask):
        ask.send("command_topic", str(raw), "command_template", value=raw)
        return
    ask.send("set_position_topic", str(raw), "set_position_template", value=raw, position=round(percent),
             position_open=round(opened), position_closed=round(closed), **_tilt_bounds(ask))  # fmt: skip


def _tilt_bounds(ask: Ask) -> dict[str, int]:
    return {
        key: round(number(ask.entity.config, key, default)) for key, default in (("tilt_min", 0), ("tilt_max", 100))
    }


def _set_tilt(ask: Ask) -> Made:
    percent = ask.percent()
    bounds = _tilt_bounds(ask)
    return _incline(ask, round(bounds["tilt_min"] + (bounds["tilt_max"] - bounds["tilt_min"]) * percent / 100), percent)


def _open_tilt(ask: Ask) -> Made:
    raw = round(number(ask.entity.config, "tilt_opened_value", 100))
    return _incline(ask, raw, _tilt_share(ask, raw))


def _close_tilt(ask: Ask) -> Made:
    raw = round(number(ask.entity.config, "tilt_closed_value", 0))
    return _incline(ask, raw, _tilt_share(ask, raw))


def _tilt_share(ask: Ask, raw: int) -> float:
    bounds = _tilt_bounds(ask)
    width = bounds["tilt_max"] - bounds["tilt_min"]
    return 100 * (raw - bounds["tilt_min"]) / width if width else 0.0


def _incline(ask: Ask, raw: int, percent: float) -> Made:
    config = ask.entity.config
    ask.send("tilt_command_topic", str(raw), "tilt_command_template", value=raw, tilt_position=raw,
             position_open=round(number(config, "position_open", 100)),
             position_closed=round(number(config, "position_closed", 0)), **_tilt_bounds(ask))  # fmt: skip
    goal = Goal(reading="current_tilt", value=percent, tolerance=2)
    return (None if config.get("tilt_optimistic") is True else ask.goal("tilt", goal)), None


def _stop_tilt(ask: Ask) -> Made:
    if "tilt" in ask.entity.abilities and ask.entity.config.get("payload_stop_tilt", "") is not None:
        ask.send("command_topic", ask.text("payload_stop_tilt", "STOP"))
    return None, None


_COVER: Mapping[str, Callable[[Ask], Made]] = {
    "open": _open,
    "turn_on": _open,
    "close": _close,
    "turn_off": _close,
    "toggle": toggled(_open, _close),
    "stop": _stop,
    "set_position": _set_position,
}
VERBS: Mapping[str, Mapping[str, Callable[[Ask], Made]]] = {
    "cover": {
        **_COVER,
        "set_tilt": _set_tilt,
        "open_tilt": _open_tilt,
        "close_tilt": _close_tilt,
        "stop_tilt": _stop_tilt,
    },
    "valve": _COVER,
}
