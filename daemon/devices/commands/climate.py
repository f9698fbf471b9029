"""Climates, water heaters and humidifiers: power, modes and targets. Degrees are °C here and the device's there."""

from collections.abc import Callable, Mapping

from daemon.devices.commands.ask import Ask, Made
from daemon.devices.commands.switch import ON_OFF
from daemon.devices.entity import Aspect
from daemon.devices.order import Goal
from daemon.devices.traits import celsius_limits, choices, limits

_PREFERRED = ("cool", "auto", "heat_cool", "heat")
"""In Brazil who turns the air conditioner on wants it cool."""


def _on(ask: Ask) -> Made:
    if not ask.send("power_command_topic", ask.text("payload_on", "ON"), "power_command_template"):
        offered = [mode for mode in _modes(ask) if mode != "off"]
        known = ask.condition.attributes.get("mode")
        first = (known, *_PREFERRED, *offered)
        mode = next((mode for mode in first if mode in offered), None)
        if mode is not None:
            ask.send("mode_command_topic", str(mode), "mode_command_template")
    return ask.goal("state", Goal(not_states=frozenset({"off"}))), "on"


def _off(ask: Ask) -> Made:
    if not ask.send("power_command_topic", ask.text("payload_off", "OFF"), "power_command_template") and (
        "off" in _modes(ask)
    ):
        ask.send("mode_command_topic", "off", "mode_command_template")
    return ask.goal("state", Goal(frozenset({"off"}))), "off"


def _modes(ask: Ask) -> tuple[str, ...]:
    return choices(ask.entity.component, ask.entity.config).get("mode", ())


def _mode(ask: Ask) -> Made:
    mode = ask.word("mode", "o modo")
    ask.send("mode_command_topic", mode, "mode_command_template")
    return ask.goal("state", Goal(frozenset({mode.lower()}))), mode.lower()


def _degrees(aspect: Aspect) -> Callable[[Ask], Made]:
    def make(ask: Ask) -> Made:
        low, high = celsius_limits(ask.entity.component, ask.entity.config)
        degrees = ask.number("a temperatura", low, high, " graus")
        fahrenheit = ask.entity.config.get("temperature_unit") == "F"
        raw = round(degrees * 1.8 + 32, 1) if fahrenheit else float(degrees)
        ask.send(f"{aspect}_command_topic", str(raw), f"{aspect}_command_template", value=raw)
        return ask.goal(aspect, Goal(reading=aspect, value=degrees, tolerance=0.3)), None

    return make


def _chosen(aspect: Aspect, stem: str, what: str) -> Callable[[Ask], Made]:
    def make(ask: Ask) -> Made:
        none = aspect == "preset" and ask.value == "none"  # every device with programs can leave them
        word = "none" if none else ask.word(aspect, what)
        ask.send(f"{stem}_command_topic", word, f"{stem}_command_template")
        return ask.goal(aspect, Goal(reading=aspect, value=word)), None

    return make


def _humidity(ask: Ask) -> Made:
    bounds = limits(ask.entity.component, ask.entity.config).get("humidity")
    if bounds is None:
        return None, None
    target = round(ask.number("a umidade", *bounds, " por cento"))
    ask.send("target_humidity_command_topic", str(target), "target_humidity_command_template", value=target)
    return ask.goal("humidity", Goal(reading="humidity", value=target, tolerance=1)), None


_HEAT: Mapping[str, Callable[[Ask], Made]] = {
    "turn_on": _on,
    "turn_off": _off,
    "set_mode": _mode,
    "set_temperature": _degrees("temperature"),
}
VERBS: Mapping[str, Mapping[str, Callable[[Ask], Made]]] = {
    "climate": {
        **_HEAT,
        "set_temperature_low": _degrees("temperature_low"),
        "set_temperature_high": _degrees("temperature_high"),
        "set_fan_mode": _chosen("fan_mode", "fan_mode", "a ventilação"),
        "set_swing": _chosen("swing", "swing_mode", "a direção do vento"),
        "set_swing_horizontal": _chosen("swing_horizontal", "swing_horizontal_mode", "a direção do vento"),
        "set_preset": _chosen("preset", "preset_mode", "o programa"),
        "set_humidity": _humidity,
    },
    "water_heater": _HEAT,
    "humidifier": {
        **ON_OFF,
        "set_humidity": _humidity,
        "set_mode": _chosen("mode", "mode", "o modo"),
    },
}
