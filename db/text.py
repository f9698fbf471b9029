"""Values from outside as the database holds them: text of a bounded length, and JSON made of anything."""

import math
from collections.abc import Mapping
from datetime import date

from db.database import storable

Json = str | int | float | bool | None | list["Json"] | dict[str, "Json"]

DEEPEST = 32


def clipped(text: str, most: int) -> str:
    """Return `storable(text)`, cut to `most` characters with an ellipsis where it was longer."""
    whole = storable(text)
    return whole if len(whole) <= most else whole[: most - 1] + "…"


def storable_json(value: object, depth: int = 0) -> Json:
    """Return `value` as what JSON and `jsonb` hold: keys and texts mended, NaN and infinity null, moments ISO 8601.

    What has no JSON form is written as its `str`; what lies deeper than DEEPEST levels is left out (null).
    """
    if depth > DEEPEST or (isinstance(value, float) and not math.isfinite(value)):
        return None
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Mapping):
        return {storable(str(key)): storable_json(inner, depth + 1) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [storable_json(inner, depth + 1) for inner in value]
    return storable(value.isoformat() if isinstance(value, date) else str(value))
