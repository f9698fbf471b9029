"""What each component tells on which topic, what can be wanted of it, and within which bounds.

Source: Home Assistant's documentation of its MQTT components, one page each; `media_player` has no page there and
follows what community players announce (`state_*_topic`, `command_*_topic`).
"""

import math
from collections.abc import Iterable, Mapping
from typing import Any

from daemon.devices.entity import Aspect, Report

COLOR_MODES = frozenset({"hs", "xy", "rgb", "rgbw", "rgbww"})
COLORS = ("rgb", "rgbw", "rgbww", "hs", "xy")
"""Ways to tell a colour, the preferred first where a lamp takes several."""
MIREDS = (153.0, 500.0)
KELVINS = (2000.0, 6535.0)

_Told = tuple[Aspect, str, tuple[str, ...]]
_STATE: _Told = ("state", "state_topic", ("value_template",))
_STATE_VALUE: _Told = ("state", "state_topic", ("state_value_template", "value_template"))


def _told(aspect: Aspect, stem: str, *, template: str = "state", value_template: bool = False) -> _Told:
    keys = (f"{stem}_{template}_template", *(("value_template",) if value_template else ()))
    return aspect, f"{stem}_state_topic", keys


def _heating(aspect: Aspect, stem: str) -> _Told:
    return _told(aspect, stem, value_template=True)


def _current(what: Aspect) -> _Told:
    return what, f"{what}_topic", (f"{what}_template", "value_template")


_MODE_AND_HEAT = (
    _heating("state", "mode"),
    _heating("temperature", "temperature"),
    _current("current_temperature"),
    _heating("power", "power"),
)
REPORTS: Mapping[str, tuple[_Told, ...]] = {
    "light": (
        _STATE_VALUE,
        _told("brightness", "brightness", template="value"),
        _told("color_temp", "color_temp", template="value"),
        _told("effect", "effect", template="value"),
        _told("color_rgb", "rgb", template="value"),
        _told("color_rgbw", "rgbw", template="value"),
        _told("color_rgbww", "rgbww", template="value"),
        _told("color_hs", "hs", template="value"),
        _told("color_xy", "xy", template="value"),
        _told("color_mode", "color_mode", template="value"),
    ),
    "light.json": (("json_light", "state_topic", ()),),
    "light.template": (
        ("state", "state_topic", ("state_template",)),
        ("brightness", "state_topic", ("brightness_template",)),
        ("color_temp", "state_topic", ("color_temp_template",)),
        ("effect", "state_topic", ("effect_template",)),
        # Beyond Home Assistant's keys, for Tasmota, which tells a hue, and whether it is white now.
        ("color_hs", "state_topic", ("hs_template",)),
        ("color_mode", "state_topic", ("color_mode_template",)),
    ),
    "cover": (
        ("position", "position_topic", ("position_template", "value_template")),
        _STATE,
        ("tilt", "tilt_status_topic", ("tilt_status_template",)),
    ),
    # ESPHome announces a valve's position as a cover's, on topics of its own.
    "valve": (("position", "position_topic", ("position_template", "value_template")), _STATE),
    "fan": (
        _STATE_VALUE,
        _told("percentage", "percentage", template="value"),
        _told("preset", "preset_mode", template="value"),
        _told("oscillating", "oscillation", template="value"),
        _told("direction", "direction", template="value"),
    ),
    "climate": (
        *_MODE_AND_HEAT,
        _heating("temperature_low", "temperature_low"),
        _heating("temperature_high", "temperature_high"),
        _heating("fan_mode", "fan_mode"),
        _heating("swing", "swing_mode"),
        _heating("swing_horizontal", "swing_horizontal_mode"),
        _told("preset", "preset_mode", template="value", value_template=True),
        _heating("humidity", "target_humidity"),
        _current("current_humidity"),
        ("action", "action_topic", ("action_template", "value_template")),
    ),
    "water_heater": _MODE_AND_HEAT,
    "humidifier": (
        _STATE_VALUE,
        _told("humidity", "target_humidity"),
        _told("mode", "mode"),
        ("current_humidity", "current_humidity_topic", ("current_humidity_template",)),
        ("action", "action_topic", ("action_template",)),
    ),
    "siren": (("json_siren", "state_topic", ("state_value_template", "value_template")),),
    "vacuum": (
        ("json_vacuum", "state_topic", ("value_template",)),
        ("json_vacuum", "fan_speed_topic", ("fan_speed_template",)),
    ),
    "lawn_mower": (("state", "activity_state_topic", ("activity_value_template",)),),
    "event": (("json_event", "state_topic", ("value_template",)),),
    "media_player": (
        _STATE,
        ("state", "state_state_topic", ("state_state_template",)),
        ("volume", "state_volume_topic", ("state_volume_template",)),
        ("muted", "state_mute_topic", ("state_mute_template",)),
        ("title", "state_title_topic", ("state_title_template",)),
        ("artist", "state_artist_topic", ("state_artist_template",)),
    ),
}
"""For each component (and light schema): what is told, on the topic of which key, read with which template's key.

What is told later sees what was told before, so that a cover that stopped knows where.
"""

_ABILITIES: Mapping[str, Mapping[str, str]] = {
    "cover": {"set_position_topic": "position", "tilt_command_topic": "tilt"},
    "valve": {"set_position_topic": "position", "reports_position": "position"},
    "fan": {
        "percentage_command_topic": "percentage", "preset_mode_command_topic": "preset",
        "oscillation_command_topic": "oscillation", "direction_command_topic": "direction",
    },
    "climate": {
        "temperature_command_topic": "temperature", "temperature_low_command_topic": "temperature_range",
        "fan_mode_command_topic": "fan_mode", "preset_mode_command_topic": "preset",
        "swing_mode_command_topic": "swing", "swing_horizontal_mode_command_topic": "swing_horizontal",
        "target_humidity_command_topic": "humidity",
        "mode_command_topic": "mode", "power_command_topic": "power",
    },
    "water_heater": {
        "temperature_command_topic": "temperature", "mode_command_topic": "mode", "power_command_topic": "power",
    },
    "humidifier": {"target_humidity_command_topic": "humidity", "mode_command_topic": "mode"},
    "siren": {"available_tones": "tone", "support_volume_set": "volume", "support_duration": "duration"},
    "vacuum": {"set_fan_speed_topic": "fan_speed", "send_command_topic": "send_command"},
    "lock": {"payload_open": "unlatch"},
    "media_player": {
        "command_volume_topic": "volume", "command_play_topic": "play", "command_pause_topic": "pause",
        "command_next_topic": "next_track", "command_previous_topic": "previous_track", "command_mute_topic": "mute",
    },
}  # fmt: skip


def table(component: str, config: Mapping[str, Any]) -> str:
    """Return the name under which REPORTS has this component: a light's depends on its schema."""
    schema = config.get("schema", "basic")
    return f"light.{schema}" if component == "light" and schema in ("json", "template") else component


def words(component: str, config: Mapping[str, Any]) -> Mapping[str, str]:
    """Return what each of the device's own words for a state means in Home Assistant's."""
    if component in {"cover", "valve"}:
        own = {f"state_{word}": word for word in ("open", "opening", "closed", "closing", "stopped")}
        return {str(config.get(key, word)): word for key, word in own.items()}
    if component == "lock":
        own = {f"state_{word}": word for word in ("locked", "locking", "unlocked", "unlocking", "jammed")}
        return {str(config.get(key, word.upper())): word for key, word in own.items()}
    on, off = str(config.get("payload_on", "ON")), str(config.get("payload_off", "OFF"))
    if component in {"switch", "siren"}:
        return {str(config.get("state_on", on)): "on", str(config.get("state_off", off)): "off"}
    return {on: "on", off: "off"}


def reports(component: str, config: Mapping[str, Any]) -> Iterable[Report]:
    """Yield what is told of an entity, on which topics."""
    name = table(component, config)
    for aspect, topic_key, template_keys in REPORTS.get(name, (_STATE,)):
        if isinstance(topic := config.get(topic_key), str):
            template = next((config[key] for key in template_keys if isinstance(config.get(key), str)), None)
            if name != "light.template" or template is not None:
                yield Report(topic, aspect, template)
    parts = [config.get(f"{part}_template") for part in ("red", "green", "blue")]
    if name == "light.template" and isinstance(topic := config.get("state_topic"), str):
        colors = [part for part in parts if isinstance(part, str)]
        if len(colors) == 3:
            yield Report(topic, "color_rgb", ",".join(colors))
    # Of a device with a dozen entities only those that somebody names: each reads the whole message once more.
    if isinstance(topic := config.get("json_attributes_topic"), str) and config.get("entity_category") is None:
        template = config.get("json_attributes_template")
        yield Report(topic, "extras", template if isinstance(template, str) else None)


def abilities(component: str, config: Mapping[str, Any]) -> frozenset[str]:
    """Return what may be set of an entity beyond on and off, open and closed."""
    if component == "light":
        return frozenset(_light_abilities(config))
    named = _ABILITIES.get(component, {})
    return frozenset(ability for key, ability in named.items() if config.get(key) not in (None, False, []))


def color_modes(config: Mapping[str, Any]) -> frozenset[str]:
    """Return a light's `supported_color_modes`, as announced."""
    raw = config.get("supported_color_modes")
    return frozenset(mode for mode in raw if isinstance(mode, str)) if isinstance(raw, list) else frozenset()


def _light_abilities(config: Mapping[str, Any]) -> Iterable[str]:
    modes = color_modes(config)
    schema = table("light", config)
    is_json, is_template = schema == "light.json", schema == "light.template"
    if (
        ("brightness_template" if is_template else "brightness_command_topic") in config
        or (is_json and (config.get("brightness") is True or modes - {"onoff"}))
        or (schema == "light" and any(f"{color}_command_topic" in config for color in ("rgb", "rgbw", "rgbww")))
    ):
        yield "brightness"
    if (
        any(f"{color}_command_topic" in config or (is_json and config.get(color) is True) for color in COLORS)
        or (is_json and modes & COLOR_MODES)
        or (is_template and all(f"{part}_template" in config for part in ("red", "green", "blue")))
        or (is_template and "hs_template" in config)
    ):
        yield "color"
    if (
        "color_temp_command_topic" in config
        or (is_json and ("color_temp" in modes or config.get("color_temp") is True))
        or (is_template and "color_temp_template" in config)
    ):
        yield "color_temp"
    if "effect_command_topic" in config or (is_json and config.get("effect") is True) or "effect_template" in config:
        yield "effect"


def number(config: Mapping[str, Any], key: str, default: float) -> float:
    """Return a finite number from an announcement, or `default`; a text that reads as one is taken for it."""
    try:
        value = float(config.get(key, default))
    except (TypeError, ValueError, OverflowError):
        return default
    return value if math.isfinite(value) else default
