"""From what was done to a device to the intent that puts it back as it was before."""

from collections.abc import Mapping, Sequence
from typing import Any

from daemon.language.plan import Intent, Thing, Value
from db.causes import Deed

LEVELS: Mapping[str, tuple[str, str, str]] = {
    "set_brightness": ("HassLightSet", "brightness", "brightness_pct"),
    "set_position": ("HassSetPosition", "position", "current_position"),
    "set_speed": ("HassFanSetSpeed", "percentage", "percentage"),
    "set_temperature": ("HassClimateSetTemperature", "temperature", "temperature"),
    "open": ("HassSetPosition", "position", "current_position"),
    "close": ("HassSetPosition", "position", "current_position"),
    "set_volume": ("HassSetVolume", "volume_level", "volume_pct"),
}
"""By verb: the intent that sets the level again, its slot, and the reading that told how it was."""
FULLY = 100
"""Percent at which a cover is simply open."""
OFF = frozenset({"off", "closed", "standby", "docked"})
LOCKS: Mapping[str, str] = {"locked": "HassTurnOn", "unlocked": "HassTurnOff"}
PRESSED = frozenset({"scene", "script", "button", "vacuum", "lawn_mower"})
"""What was pressed or sent out cannot be pressed back."""
SILENCED: Mapping[str, str] = {"mute": "HassMediaPlayerUnmute", "unmute": "HassMediaPlayerMute"}
PLAYING: Mapping[str, str] = {"playing": "HassMediaUnpause", "paused": "HassMediaPause"}


def first_of(deeds: Sequence[Deed]) -> list[Deed]:
    """Return the deeds whose undoing puts everything back: of what was off before, only that it was off."""
    kept: dict[str, list[Deed]] = {}
    for deed in deeds:
        kept.setdefault(str(deed.parameters.get("entity_id")), []).append(deed)
    off = {entity: [one for one in several if _before(one) in OFF][:1] for entity, several in kept.items()}
    return [deed for entity, several in kept.items() for deed in off[entity] or several]


def _before(deed: Deed) -> object:
    return ((deed.result or {}).get("previous") or {}).get("state")


def opposite(thing: Thing, deed: Deed) -> Intent | None:
    """Return the intent that undoes `deed`, from what the device told before it; None where nobody can tell."""
    previous: Mapping[str, Any] = (deed.result or {}).get("previous") or {}
    before = previous.get("state")
    if thing.domain in PRESSED:
        return None
    if thing.domain == "lock" or deed.verb in SILENCED:
        return _to(thing, SILENCED.get(deed.verb, LOCKS.get(str(before))))
    if before is None or before in OFF:
        return _to(thing, None if before is None else "HassTurnOff")
    if deed.verb in {"set_color", "set_color_temp", "set_effect"}:
        return _white_again(thing, previous)
    return _level_again(thing, deed.verb, previous) or _state_again(thing, deed.verb, str(before))


def _level_again(thing: Thing, verb: str, previous: Mapping[str, Any]) -> Intent | None:
    name, slot, reading = LEVELS.get(verb, ("", "", ""))
    level = previous.get(reading)
    if slot == "position" and level == FULLY:
        return _to(thing, "HassTurnOn")
    return _to(thing, name, **{slot: level}) if isinstance(level, int | float) else None


def _state_again(thing: Thing, verb: str, before: str) -> Intent | None:
    if thing.domain == "climate" and verb in {"set_mode", "turn_on", "turn_off"}:
        return _to(thing, "ClimateSetMode", hvac_mode=before)
    return _to(thing, PLAYING.get(before, "HassTurnOn") if thing.domain == "media_player" else "HassTurnOn")


def _white_again(thing: Thing, previous: Mapping[str, Any]) -> Intent | None:
    """Return the intent for the colour that a lamp told before; None where it told none."""
    kelvin = previous.get("color_temp_kelvin")
    if isinstance(kelvin, int | float):
        return _to(thing, "HassLightSet", color_temperature=kelvin)
    color = previous.get("color")
    if isinstance(color, list | tuple) and len(color) == 3:
        return _to(thing, "HassLightSet", rgb=tuple(str(round(float(part))) for part in color))
    return None


def _to(thing: Thing, name: str | None, **slots: Value) -> Intent | None:
    return None if name is None else Intent(name, (thing.id,), slots)
