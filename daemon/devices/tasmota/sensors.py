"""What a Tasmota measures, as it says in `tasmota/discovery/<MAC>/sensors`."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from daemon.devices.naming import slug
from daemon.devices.tasmota.description import MAX_WORD, Announced, Description, quoted, told_words

IGNORED = frozenset({"Time", "PN532", "RDM6300"})
MAX_SENSORS = 200
UNITLESS = frozenset({"AS3935", "LD2410"})
"""Sensors whose `Energy` is none that is paid for."""


def sensors(told: Description, measured: Mapping[str, Any]) -> Announced:
    """Return what is measured, each as a component."""
    found: Announced = {}
    readings = [one for one, _ in zip(_readings(measured), range(MAX_SENSORS), strict=False)]
    named = Counter(_quantity(path) for path in readings)
    for path in readings:
        quantity = _quantity(path)
        known: Mapping[str, Any] = told_words()["quantities"].get(quantity, {})
        own = " ".join(str(part + 1) if isinstance(part, int) else part for part in path)
        name = str(known["name"]) if known else own
        config = {
            "platform": "sensor", "state_topic": told.tele("SENSOR"), "value_template": _template(path),
            "name": f"{name} {_place(path)}" if known and named[quantity] > 1 else name,
            "device_class": known.get("class"), "unit_of_measurement": _unit(known, measured),
            "entity_category": "diagnostic" if known.get("aside") else None,
        }  # fmt: skip
        found[slug(own) or f"reading_{len(found) + 1}"] = {
            key: value for key, value in config.items() if value is not None
        }
    return found


def _readings(measured: Mapping[str, Any]) -> Iterable[tuple[str | int, ...]]:
    for sensor, told in measured.items():
        if sensor in IGNORED or not isinstance(told, dict) or len(sensor) > MAX_WORD or sensor.startswith("Shutter"):
            continue
        for key, value in told.items():
            if isinstance(value, dict):
                yield from ((sensor, key, inner) for inner in value)
            elif isinstance(value, list):
                yield from ((sensor, key, place) for place in range(len(value)))
            else:
                yield sensor, key


def _quantity(path: tuple[str | int, ...]) -> str:
    """Return which quantity a reading is of: the last word that is one, without the number of its pin."""
    words = [part for part in path[1:] if isinstance(part, str)]
    if path[0] in UNITLESS and words[-1] == "Energy":
        return ""
    quantities = told_words()["quantities"]
    for word in reversed(words):
        plain = re.sub(r"\d+$", "", word) if path[0] == "ANALOG" and word not in quantities else word
        if plain in quantities:
            return str(plain)
    return words[-1]


def _place(path: tuple[str | int, ...]) -> str:
    """Return what tells one reading from another of the same quantity: its sensor, or its place in a list."""
    last = path[-1]
    if isinstance(last, int):
        return str(last + 1)
    number = re.search(r"\d+$", last)
    return number.group() if number and path[0] == "ANALOG" else str(path[0] if len(path) == 2 else last)


def _unit(known: Mapping[str, Any], measured: Mapping[str, Any]) -> str | None:
    told = measured.get(known["unit_of"]) if "unit_of" in known else known.get("unit")
    if not isinstance(told, str):
        return None
    return str(told_words()["units"].get(told, told)) if "unit_of" in known else told


def _template(path: tuple[str | int, ...]) -> str:
    """Return what takes a reading out; nothing where a message leaves its sensor out, as most do at times."""
    *to, last = path
    said = "(value_json.StatusSNS | default(value_json))"
    steps = []
    for part in to:
        steps.append(f"{{% set said = {said}[{quoted(str(part))}] %}}{{% if said is defined %}}")
        said = "said"
    if isinstance(last, int):  # announced for each phase, and told of one alone as it is
        given = f"said[{last}] if said is list else said" if last == 0 else f"said[{last}] if said is list else ''"
    else:
        given = f"said[{quoted(last)}]"
    return f"{''.join(steps)}{{{{ {given} }}}}{'{% endif %}' * len(to)}"
