"""What a Tasmota does, as it says in `tasmota/discovery/<MAC>/config`: relays, lamps, shutters, a fan, switches."""

from collections.abc import Mapping
from typing import Any

from daemon.devices.naming import clean_name
from daemon.devices.tasmota.description import Announced, Description, nth, power, quoted, told_words

RELAY, LIGHT, SHUTTER = 1, 2, 3
"""What a relay is used for, in `rl`."""
DIMMER, COLD_WARM, RGB, RGBW, RGBCW = 1, 2, 3, 4, 5
"""Channels of a lamp, in `lt_st`."""
MAX_SHUTTERS = 16
FOLLOWING = frozenset({1, 2, 3, 4, 5, 6, 9, 10, 13, 14, 15, 16})
"""Modes of a switch, in `swc`, that tell whether it is on; the others only that it was pushed."""
SHORT, DOUBLE, LONG = "single", "double", "hold"
TOGGLING = frozenset({0, 3, 4, 5, 6, 7, 8, 11, 12})
"""Modes of a switch that tell of a push with TOGGLE (with SetOption114)…"""
HOLDING = {5: LONG, 6: LONG, 8: DOUBLE, 9: DOUBLE, 10: DOUBLE}
"""…and those that tell of another with HOLD."""
PULSES = frozenset({13, 14})
"""Those that tell only when it goes on; off is a second later."""


def components(told: Description) -> Announced:
    """Return what a device's `config` announces, by the key of each component.

    Keys are those of the ids that the firmware gave while it announced itself in Home Assistant's way: names and rooms
    that were set by hand hang on them.
    """
    found: Announced = {}
    shutters = _shutters(told)
    for number, kind in enumerate(told.numbers("rl")):
        if kind == LIGHT and not (told.flag("if") and number == 0):
            found[f"LI_{number + 1}"] = _light(told, number)
        elif kind == LIGHT or (kind == RELAY and told.option("30")):
            found[f"LI_{number + 1}"] = _relay(told, number, "light")
        elif kind == RELAY:
            found[f"RL_{number + 1}"] = _relay(told, number, "switch")
    for number, relay in enumerate(shutters):
        found[f"SHT_{number + 1}"] = _shutter(told, number, _name(told, relay) if len(shutters) > 1 else None)
    if told.flag("if"):
        found["fan"] = _fan(told)
    for number, mode in enumerate(told.numbers("swc")):
        if mode in FOLLOWING:
            found[f"SW_{number + 1}"] = _switch(told, number, mode)
    found |= _pushes(told)
    if told.flag("bat"):
        found["battery"] = {
            "platform": "sensor", "name": "bateria", "device_class": "battery", "unit_of_measurement": "%",
            "entity_category": "diagnostic", "state_topic": told.tele("STATE"),
            "value_template": "{{ value_json.BatteryPercentage }}",
        }  # fmt: skip
    return found


def effects() -> list[str]:
    """Return the names of a lamp's schemes, in their order."""
    return list(told_words()["effects"])


def _name(told: Description, number: int) -> str | None:
    """Return the friendly name of a relay; None where it goes by the device's."""
    names = told.texts("fn")
    name = names[number] if number < len(names) else None
    if not name:
        return None if number == 0 else f"{told.name} {number + 1}"
    return None if number == 0 and name == told.name else name


def _relay(told: Description, number: int, platform: str) -> dict[str, Any]:
    return {
        "platform": platform, "name": _name(told, number), "command_topic": told.command(f"Power{number + 1}"),
        "payload_on": told.on, "payload_off": told.off, "state_topic": told.tele("STATE"),
        "value_template": f"{{{{ {power(number)} }}}}",
    }  # fmt: skip


def _light(told: Description, number: int) -> dict[str, Any]:
    channels, dimmer, level = told.number("lt_st"), "Dimmer", "Dimmer"
    if told.flag("ty"):
        dimmer = "Dimmer3"
    if told.option("68"):
        channels, dimmer = DIMMER, f"Channel{number + 1}"
        level = dimmer
    elif not told.flag("lk") and channels >= RGBW:
        is_first = number == told.numbers("rl").index(LIGHT)
        white = DIMMER if channels == RGBW else COLD_WARM
        channels, dimmer = (RGB, "Dimmer1") if is_first else (white, "Dimmer2")
        level = dimmer
    switched = f"Power{number + 1} "
    said = f"{{% set said = {power(number)} %}}"
    return {
        "platform": "light", "schema": "template", "name": _name(told, number),
        "command_topic": told.command("Backlog"),
        "command_on_template": _lit(channels, switched + told.on, dimmer, unlinked=told.option("20")),
        "command_off_template": f"NoDelay;{switched}{told.off}",
        "state_topic": told.tele("STATE"),
        "state_template": f"{said}{{{{ {{{quoted(told.on)}: 'on', {quoted(told.off)}: 'off'}}.get(said, '') }}}}",
        **_looks(told, channels, level),
    }  # fmt: skip


def _looks(told: Description, channels: int, level: str) -> dict[str, Any]:
    """Return how a lamp with so many channels tells what it looks like."""
    found: dict[str, Any] = {}
    if channels:
        found["brightness_template"] = _if_told(level, f"(value_json.{level} * 2.55) | round")
    if channels in (COLD_WARM, RGBCW):
        coldest, warmest = (200, 380) if told.option("82") else (153, 500)
        found |= {"color_temp_template": "{{ value_json.CT }}", "min_mireds": coldest, "max_mireds": warmest}
    if channels in (RGB, RGBW, RGBCW):
        found |= {
            "hs_template": _if_told("HSBColor", "value_json.HSBColor.split(',')[:2] | join(',')"),
            "effect_template": _if_told("Scheme", f"{effects()}[value_json.Scheme]"),
            "effect_list": effects(),
        }
    if channels in (RGBW, RGBCW):
        white = "white" if channels == RGBW else "color_temp"
        found["color_mode_template"] = _if_told("White", f"'{white}' if value_json.White else 'hs'")
        found["white"] = channels == RGBW
    return found


def _if_told(key: str, expression: str) -> str:
    return f"{{% if value_json.{key} is defined %}}{{{{ {expression} }}}}{{% endif %}}"


def _lit(channels: int, switched_on: str, dimmer: str, *, unlinked: bool) -> str:
    """Return the template of what turns a lamp on, in the order in which hatasmota says it."""
    after = f";NoDelay;{switched_on}" if unlinked else ""
    white = ";NoDelay;White {{ (white / 2.55) | round }}" if channels == RGBW else ""
    return (
        f"NoDelay;{{% if brightness is defined %}}{dimmer} {{{{ (brightness / 2.55) | round }}}}"
        f"{{% else %}}{switched_on}{{% endif %}}"
        "{% if hue is defined %};NoDelay;HsbColor1 {{ hue | round }};NoDelay;HsbColor2 {{ sat | round }}{% endif %}"
        "{% if color_temp is defined %};NoDelay;CT {{ color_temp }}{% endif %}"
        f"{{% if effect is defined %}};NoDelay;Scheme {{{{ {effects()}.index(effect) }}}}{{% endif %}}"
        f"{{% if white is defined %}}{white}{{% endif %}}{{% if brightness is defined %}}{after}{{% endif %}}"
    )


def _shutters(told: Description) -> list[int]:
    """Return the first relay of each shutter: each has two that follow each other, or the description is wrong."""
    relays, found, number = told.numbers("rl"), list[int](), 0
    while number < len(relays):
        if relays[number] == SHUTTER:
            if number + 1 == len(relays) or relays[number + 1] != SHUTTER:
                return []
            found.append(number)
            number += 1
        number += 1
    return found[:MAX_SHUTTERS]


def _shutter(told: Description, number: int, name: str | None) -> dict[str, Any]:
    is_inverted = bool(nth(told.numbers("sho"), number, 0) & 1)
    which = f"Shutter{number + 1}"
    said = f"{{% set said = (value_json.StatusSNS | default(value_json)).{which} %}}{{% if said is defined %}}"
    up, down = ("closing", "opening") if is_inverted else ("opening", "closing")
    found = {
        "platform": "cover", "name": name, "command_topic": told.command("Backlog"),
        "payload_open": f"ShutterOpen{number + 1}", "payload_close": f"ShutterClose{number + 1}",
        "payload_stop": f"ShutterStop{number + 1}",
        "state_topic": told.tele("SENSOR"), "position_topic": told.tele("SENSOR"),
        "value_template": f"{said}{{{{ {{1: '{up}', -1: '{down}', 0: 'stopped'}}.get(said.Direction, '') }}}}"
                          "{% endif %}",
        "position_template": f"{said}{{{{ said.Position }}}}{{% endif %}}",
        "set_position_topic": told.command(f"ShutterPosition{number + 1}"),
        "position_open": 0 if is_inverted else 100, "position_closed": 100 if is_inverted else 0,
    }  # fmt: skip
    tilts = told.raw("sht")
    tilt = nth(tilts, number, None) if isinstance(tilts, list) else None
    if isinstance(tilt, list) and len(tilt) == 3 and all(isinstance(one, int) for one in tilt):
        low, high, lasts = tilt
        if lasts and low != high:
            found |= {
                "tilt_command_topic": told.command(f"ShutterTilt{number + 1}"), "tilt_min": low, "tilt_max": high,
                "tilt_opened_value": high, "tilt_closed_value": low, "payload_stop_tilt": None,
                "tilt_status_topic": told.tele("SENSOR"),
                "tilt_status_template": f"{said}{{{{ said.Tilt }}}}{{% endif %}}",
            }  # fmt: skip
    return found


def _fan(told: Description) -> dict[str, Any]:
    speed = "value_json.FanSpeed"
    return {
        "platform": "fan", "name": None, "state_topic": told.tele("STATE"),
        "command_topic": told.command("FanSpeed"), "payload_on": "2", "payload_off": "0",
        "state_value_template": _if_told("FanSpeed", f"'2' if {speed} else '0'"),
        "percentage_command_topic": told.command("FanSpeed"), "percentage_state_topic": told.tele("STATE"),
        "percentage_value_template": f"{{{{ {speed} }}}}", "speed_range_min": 1, "speed_range_max": 3,
    }  # fmt: skip


def _switch(told: Description, number: int, mode: int) -> dict[str, Any]:
    name = nth(told.texts("swn"), number, None) or f"Switch{number + 1}"
    return {
        "platform": "binary_sensor", "name": clean_name(name), "payload_on": told.on, "payload_off": told.off,
        "state_topic": told.result(f"SWITCH{number + 1}") if mode in PULSES else told.tele("SENSOR"),
        "value_template": f"{{% set said = (value_json.StatusSNS | default(value_json))[{quoted(name)}] %}}"
                          "{% set said = said.Action if said is mapping else said %}"
                          f"{{{{ said if said in [{quoted(told.on)}, {quoted(told.off)}] else '' }}}}",
        **({"off_delay": 1} if mode in PULSES else {}),
    }  # fmt: skip


def _pushes(told: Description) -> Announced:
    """Return the events of what can be pushed: buttons with SetOption73, switches with SetOption114."""
    found: Announced = {}
    for number, mode in enumerate(told.numbers("swc") if told.option("114") else ()):
        meant = {"TOGGLE": SHORT} if mode in TOGGLING else {}
        meant |= {"HOLD": HOLDING[mode]} if mode in HOLDING else {}
        if meant:
            name = nth(told.texts("swn"), number, None) or f"Switch{number + 1}"
            found[f"SW_{number + 1}_PUSH"] = _pushed(told, name, clean_name(name), f"SWITCH{number + 1}", meant)
    for number, used in enumerate(told.numbers("btn") if told.option("73") else ()):
        if used:
            key = f"Button{number + 1}"
            found[f"BTN_{number + 1}"] = _pushed(told, key, f"botão {number + 1}", key.upper(), _presses(told))
    return found


def _presses(told: Description) -> Mapping[str, str]:
    """Return what a button's words mean (with SetOption73): SetOption13 has it tell one press only, 11 swaps two."""
    if told.option("13"):
        return {"SINGLE": SHORT}
    swapped = told.option("11")
    return {"SINGLE": DOUBLE if swapped else SHORT, "DOUBLE": SHORT if swapped else DOUBLE, "TRIPLE": "triple",
            "QUAD": "quadruple", "PENTA": "quintuple", "HOLD": LONG}  # fmt: skip


def _pushed(told: Description, key: str, name: str | None, answer: str, meant: Mapping[str, str]) -> dict[str, Any]:
    """Return the event of a button or switch that tells that it was pushed, by these words."""
    said = f"{{% set said = {dict(meant)}.get((value_json[{quoted(key)}] | default({{}})).Action) %}}"
    return {
        "platform": "event", "name": name, "state_topic": told.result(answer),
        "event_types": list(dict.fromkeys(meant.values())),
        "value_template": f"{said}{{% if said %}}{{{{ {{'event_type': said}} | tojson }}}}{{% endif %}}",
    }  # fmt: skip
