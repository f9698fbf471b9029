"""What may be set of an entity: which words it takes, and between which bounds its numbers are."""

from collections.abc import Mapping
from typing import Any

from daemon.devices.components import KELVINS, MIREDS, abilities, number

_CHOICES: Mapping[str, Mapping[str, str]] = {
    "light": {"effect": "effect_list"},
    "fan": {"preset": "preset_modes"},
    "climate": {"mode": "modes", "fan_mode": "fan_modes", "preset": "preset_modes", "swing": "swing_modes",
                "swing_horizontal": "swing_horizontal_modes"},
    "water_heater": {"mode": "modes"},
    "humidifier": {"mode": "modes"},
    "select": {"option": "options"},
    "siren": {"tone": "available_tones"},
    "vacuum": {"fan_speed": "fan_speed_list"},
    "event": {"event": "event_types"},
}  # fmt: skip
_DEFAULT_CHOICES: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("climate", "mode"): ("auto", "off", "cool", "heat", "dry", "fan_only"),
    ("climate", "fan_mode"): ("auto", "low", "medium", "high"),
    ("climate", "swing"): ("on", "off"),
    ("climate", "swing_horizontal"): ("on", "off"),
    ("water_heater", "mode"): ("off", "eco", "electric", "gas", "heat_pump", "high_demand", "performance"),
}
MAX_CHOICES = 200
_LISTS: Mapping[tuple[str, str], str] = {
    ("light", "effect"): "effect_list", ("siren", "tone"): "available_tones", ("select", "option"): "options",
    ("climate", "mode"): "hvac_modes", ("water_heater", "mode"): "operation_list",
    ("humidifier", "mode"): "available_modes", ("vacuum", "fan_speed"): "fan_speed_list",
}  # fmt: skip
"""How Home Assistant calls the words for an ability, where that is not the ability with `_modes`."""
_BOUNDS: Mapping[str, tuple[str, str]] = {
    "temperature": ("min_temp", "max_temp"),
    "humidity": ("min_humidity", "max_humidity"),
    "value": ("min", "max"),
    "color_temp": ("min_color_temp_kelvin", "max_color_temp_kelvin"),
}
_STEPS: Mapping[str, tuple[str, str, float]] = {
    "climate": ("target_temp_step", "temp_step", 1),
    "number": ("step", "step", 1),
}


def choices(component: str, config: Mapping[str, Any]) -> Mapping[str, tuple[str, ...]]:
    """Return the words that an entity takes for each ability that wants one; empty where any word may do."""
    found = {}
    for ability, key in _CHOICES.get(component, {}).items():
        raw = config.get(key)
        told = tuple(word for word in raw[:MAX_CHOICES] if isinstance(word, str)) if isinstance(raw, list) else ()
        if words := told or _DEFAULT_CHOICES.get((component, ability), ()):
            found[ability] = words
    return found


def limits(component: str, config: Mapping[str, Any]) -> Mapping[str, tuple[float, float]]:
    """Return the least and the most of what is set by number: °C, %, kelvin, or the entity's own unit."""
    able = abilities(component, config)
    found: dict[str, tuple[float, float]] = {}
    if component in {"climate", "water_heater"} and able & {"temperature", "temperature_range"}:
        found["temperature"] = celsius_limits(component, config)
    if "humidity" in able:
        low, high = (30.0, 99.0) if component == "climate" else (0.0, 100.0)
        found["humidity"] = (number(config, "min_humidity", low), number(config, "max_humidity", high))
    if component == "number":
        found["value"] = (number(config, "min", 1), number(config, "max", 100))
    if "color_temp" in able:
        found["color_temp"] = kelvin_limits(config)
    return found


def celsius_limits(component: str, config: Mapping[str, Any]) -> tuple[float, float]:
    """Return the lowest and the highest target, in °C whatever the device's unit."""
    fahrenheit = config.get("temperature_unit") == "F"
    default = {"climate": ((7, 35), (45, 95)), "water_heater": ((43.3, 60), (110, 140))}[component][fahrenheit]
    low, high = number(config, "min_temp", default[0]), number(config, "max_temp", default[1])
    return ((low - 32) / 1.8, (high - 32) / 1.8) if fahrenheit else (low, high)


def kelvin_limits(config: Mapping[str, Any]) -> tuple[float, float]:
    """Return the warmest and the coldest white, in kelvin."""
    coldest = number(config, "min_mireds", MIREDS[0]) if "min_mireds" in config else None
    warmest = number(config, "max_mireds", MIREDS[1]) if "max_mireds" in config else None
    low = 1e6 / warmest if warmest else KELVINS[0]
    high = 1e6 / coldest if coldest else KELVINS[1]
    return number(config, "min_kelvin", low), number(config, "max_kelvin", high)


def traits(component: str, config: Mapping[str, Any]) -> Mapping[str, object]:
    """Return what may be set of an entity, by the names that Home Assistant has for it: words, bounds and steps."""
    able = abilities(component, config)
    found: dict[str, object] = {}
    for ability, words in choices(component, config).items():
        if component in {"select", "humidifier"} or ability in able:
            name = _LISTS.get((component, ability)) or f"{ability.removesuffix('_mode')}_modes"
            found[name] = words
    for what, (low, high) in limits(component, config).items():
        found |= dict(zip(_BOUNDS[what], (round(low, 1), round(high, 1)), strict=True))
    if component in _STEPS:
        name, key, default = _STEPS[component]
        found[name] = number(config, key, default)
    if component == "fan" and "percentage" in able:
        low, high = number(config, "speed_range_min", 1), number(config, "speed_range_max", 100)
        found["percentage_step"] = round(100 / max(1.0, high - low + 1), 1)
    return found
