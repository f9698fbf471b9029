"""What readings are made of: numbers, texts and objects that a device sent, taken with care."""

import math
from typing import Any

from daemon.devices.discovery import parse_json
from daemon.devices.entity import Condition
from daemon.devices.naming import clean_name

MAX_TEXT = 255
NONE = "None"
"""What a device (or its template) says where it does not know."""


def percent(value: float, low: float, high: float) -> int:
    """Return where `value` lies between `low` (0) and `high` (100); only what is at or below `low` is 0."""
    if high == low:
        raise ValueError("an empty range")
    share = max(0.0, min(1.0, (value - low) / (high - low)))
    return max(1, round(100 * share)) if share > 0 else 0


def with_state(condition: Condition, state: str | None) -> Condition:
    """Return the condition with this state; the same one where it is in it already."""
    return condition if condition.state == state else condition.told(state, condition.attributes)


def with_readings(condition: Condition, **readings: object) -> Condition:
    """Return the condition with these readings; one that is None is known no more."""
    known = condition.attributes
    if all(known.get(key) == value for key, value in readings.items()):
        return condition
    attributes = {key: value for key, value in {**known, **readings}.items() if value is not None}
    return condition.told(condition.state, attributes)


def finite(value: object) -> float:
    """Return a finite number. Raises ValueError."""
    result = float(value) if isinstance(value, str | int | float) else math.nan
    if not math.isfinite(result):
        raise ValueError("not a number")
    return result


def text(value: object) -> str | None:
    """Return what a device said as one clean line; None where it says that it does not know."""
    return None if value in (None, NONE) else clean_name(str(value)[:MAX_TEXT])


def json_object(value: str) -> dict[str, Any] | None:
    """Return the JSON object that `value` is, or None where it is plain text."""
    if not value.startswith("{"):
        return None
    said = parse_json(value)
    return said if isinstance(said, dict) else None
