"""The words of Home Assistant's templates that devices use: filters, tests and functions, each of them bounded.

Source of the vocabulary: Home Assistant's templating documentation.
"""

import base64
import binascii
import json
import math
import re
import statistics
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from jinja2 import Undefined
from jinja2.exceptions import SecurityError
from jinja2.utils import Namespace

from daemon.devices.naming import slug

MAX_RESULT = 16_384
MAX_PARTS = 2000
MAX_BUILT = 300_000
"""Most that a text or container which a template builds may hold: characters, with ten for each part."""
MAX_STEPS = 1_000_000
MAX_PATTERN = 500
_FORMAT = re.compile(r"(?:[^%]|%%|%[-+ 0#]{0,3}\d{0,2}(?:\.\d{0,2})?[dfgsxXi])*")
_UNBOUNDED = re.compile(r"[*+]|\{\d*,\d*\}")


class Bounded(SecurityError):  # noqa: N818 - it says what the template is
    """A template that would build more than it may."""


def measured(value: Any) -> Any:
    """Return `value`, a container, if all that it holds, each time that it holds it, is within bounds."""
    room, parts, rest = MAX_BUILT, 0, [value]
    while rest:
        one = rest.pop()
        parts += 1
        room -= len(one) if isinstance(one, str) else 10
        if room < 0 or parts > MAX_PARTS:
            raise Bounded("builds too much")
        if isinstance(one, dict):
            rest.extend(one.keys())
            rest.extend(one.values())
        elif isinstance(one, list | tuple):
            if len(one) > MAX_PARTS:
                raise Bounded("builds too much")
            rest.extend(one)
    return value


def as_text(value: Any) -> str:
    """Return `value` as text, if it is short enough."""
    return short(value if isinstance(value, str) else str(measured(value)))


def short(text: str) -> str:
    """Return `text` if a template may build it."""
    if len(text) > MAX_BUILT:
        raise Bounded("too long")
    return text


def concatenated(parts: Iterable[Any]) -> str:
    """Join parts into one text: what `~` means."""
    return short("".join(as_text(part) for part in parts))


def items(values: Any) -> list[Any]:
    """Return `values` as a list, if they are not too many."""
    found = []
    for value in values:
        found.append(value)
        if len(found) > MAX_PARTS:
            raise Bounded("too many values")
    return found


def _float(value: Any, default: Any = 0.0) -> Any:
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return default


def _int(value: Any, default: Any = 0, base: int = 10) -> Any:
    try:
        return int(value[:64], base) if isinstance(value, str) and base != 10 else int(float(value))
    except (TypeError, ValueError, OverflowError):
        return default


def _round(value: Any, precision: int = 0, method: str = "common", default: Any = None) -> Any:
    turn: Mapping[str, Callable[[float], float]] = {"floor": math.floor, "ceil": math.ceil, "half": round}
    try:
        scale = 2.0 if method == "half" else 10.0 ** max(-12, min(12, precision))
        number = float(value)
        result = turn[method](number * scale) / scale if method in turn else round(number, precision)
    except (TypeError, ValueError, OverflowError):
        return default
    return int(result) if precision == 0 and method != "half" else result


def _replace(value: Any, old: Any, new: Any) -> str:
    text, old, new = as_text(value), as_text(old), as_text(new)
    if len(text) + text.count(old) * len(new) > MAX_BUILT:
        raise Bounded("replace would grow too long")
    return text.replace(old, new)


def _format(value: Any, *arguments: Any) -> str:
    if not _FORMAT.fullmatch(as_text(value)):
        raise SecurityError("format is not a plain one")
    return short(str(value) % tuple(measured(argument) for argument in arguments))


def _truncate(value: Any, length: int = 255, killwords: Any = False, end: str = "...", leeway: int = 5) -> str:
    text = as_text(value)
    if len(text) <= length + max(0, leeway):
        return text
    kept = text[: max(0, length - len(end))]
    return (kept if killwords else kept.rsplit(" ", 1)[0]) + end


def _is_defined(value: Any) -> Any:
    if isinstance(value, Undefined):
        raise SecurityError("value is not defined")
    return value


def _to_json(value: Any) -> str:
    if isinstance(value, str | dict | list | tuple | int | float | bool | None):
        return short(json.dumps(measured(value), ensure_ascii=False, separators=(",", ":")))
    return short(json.dumps(measured(items(value)), ensure_ascii=False, separators=(",", ":")))


def _from_json(value: Any, default: Any = None) -> Any:
    try:
        return json.loads(as_text(value))
    except ValueError:
        return default


def _iif(value: Any, true: Any = True, false: Any = False, none: Any = None) -> Any:
    return none if value is None and none is not None else (true if value else false)


def _bool(value: Any, default: Any = None) -> Any:
    word = str(value).strip().lower()
    if word in {"1", "true", "yes", "on", "enable"}:
        return True
    return False if word in {"0", "false", "no", "off", "disable"} else default


def _multiply(value: Any, by: Any, default: Any = None) -> Any:
    try:
        return float(value) * float(by)
    except (TypeError, ValueError):
        return default


def _add(value: Any, more: Any, default: Any = None) -> Any:
    try:
        return float(value) + float(more)
    except (TypeError, ValueError):
        return default


def _number_of(function: Callable[..., float]) -> Callable[..., Any]:
    def calculate(value: Any, *arguments: Any) -> Any:
        try:
            return function(float(value), *(float(argument) for argument in arguments))
        except (TypeError, ValueError, OverflowError, ZeroDivisionError):
            return None

    return calculate


def is_number(value: Any) -> bool:
    """Tell whether `value` is, or reads as, a finite number."""
    try:
        return math.isfinite(float(value))
    except (TypeError, ValueError, OverflowError):
        return False


def _pattern(text: str, pattern: Any, *, ignore_case: Any) -> re.Pattern[str]:
    """Compile a pattern that cannot take long on `text`: no repeated groups, few repetitions, no references."""
    source = as_text(pattern)
    repeats = len(_UNBOUNDED.findall(source))
    if len(source) > MAX_PATTERN or re.search(r"\)[*+{]|\\[1-9]|\(\?P=", source) or len(text) ** repeats > MAX_STEPS:
        raise Bounded("pattern might take too long")
    try:
        return re.compile(source, re.IGNORECASE if ignore_case else 0)
    except (re.error, OverflowError, RecursionError):
        raise SecurityError("pattern is not one") from None


def _matches(value: Any, find: Any = "", ignorecase: Any = False) -> bool:
    text = as_text(value)
    return _pattern(text, find, ignore_case=ignorecase).match(text) is not None


def _searches(value: Any, find: Any = "", ignorecase: Any = False) -> bool:
    text = as_text(value)
    return _pattern(text, find, ignore_case=ignorecase).search(text) is not None


def _regex_replace(value: Any, find: Any = "", replace: Any = "", ignorecase: Any = False) -> str:
    text, by = as_text(value), as_text(replace)
    if (len(text) + 1) * (len(by) + 1) > MAX_BUILT:
        raise Bounded("regex_replace would grow too long")
    return short(_pattern(text, find, ignore_case=ignorecase).sub(by, text))


def _find_all(value: Any, find: Any = "", ignorecase: Any = False) -> list[Any]:
    text = as_text(value)
    return items(_pattern(text, find, ignore_case=ignorecase).findall(text))


def _find_one(value: Any, find: Any = "", index: int = 0, ignorecase: Any = False) -> Any:
    return _find_all(value, find, ignorecase)[index]


def _join(values: Any, between: Any = "", attribute: Any = None) -> str:
    parts = items(values)
    if attribute is not None:
        parts = [part[attribute] for part in parts]
    return short(as_text(between).join(as_text(part) for part in parts))


def _base64_decode(value: Any) -> str:
    try:
        return base64.b64decode(as_text(value), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise SecurityError("not base64 text") from None


def _sum(values: Any, attribute: Any = None, start: float = 0) -> float:
    found = items(values)
    return sum((float(one[attribute] if attribute is not None else one) for one in found), start=float(start))


class Dict:
    """Home Assistant's `dict`, of which devices use `from_keys`."""

    def from_keys(self, pairs: Any) -> dict[Any, Any]:
        """Return the mapping of these pairs."""
        return dict(measured(items(pairs)))


def zipped(*values: Any) -> list[tuple[Any, ...]]:
    """Return the values side by side."""
    found: list[tuple[Any, ...]] = measured(list(zip(*map(items, values), strict=False)))
    return found


def _range(*bounds: Any) -> list[int]:
    found = range(*(int(bound) for bound in bounds))
    if len(found) > MAX_PARTS:
        raise Bounded("range is too long")
    return list(found)


KEPT = ("abs", "default", "d", "first", "last", "length", "count", "lower", "upper", "trim", "title", "capitalize",
        "min", "max", "select", "reject", "selectattr", "rejectattr", "map", "sort", "unique", "reverse",
        "dictsort", "items", "wordcount")  # fmt: skip
"""Jinja's own filters that only choose or measure."""
TESTS = ("defined", "undefined", "none", "number", "string", "boolean", "integer", "float", "mapping", "iterable",
         "sequence", "true", "false", "odd", "even", "divisibleby", "in", "eq", "equalto", "ne", "gt", "greaterthan",
         "ge", "lt", "lessthan", "le", "sameas", "==", "!=", ">", ">=", "<", "<=", "lower", "upper")  # fmt: skip
FILTERS: Mapping[str, Callable[..., Any]] = {
    "float": _float, "int": _int, "round": _round, "replace": _replace, "format": _format, "truncate": _truncate,
    "is_defined": _is_defined, "tojson": _to_json, "to_json": _to_json, "from_json": _from_json, "iif": _iif,
    "multiply": _multiply, "add": _add, "bool": _bool, "is_number": is_number, "string": as_text, "join": _join,
    "list": items, "sum": _sum, "slugify": lambda value: slug(as_text(value)),
    "bitwise_and": lambda value, mask: int(value) & int(mask), "bitwise_or": lambda value, mask: int(value) | int(mask),
    "bitwise_xor": lambda value, mask: int(value) ^ int(mask), "ord": ord,
    "regex_match": _matches, "regex_search": _searches, "regex_replace": _regex_replace, "regex_findall": _find_all,
    "regex_findall_index": _find_one, "base64_decode": _base64_decode,
    "base64_encode": lambda value: base64.b64encode(as_text(value).encode()).decode(),
    "average": lambda values: statistics.fmean(items(values)),
    "median": lambda values: statistics.median(items(values)),
    "log": _number_of(math.log), "sqrt": _number_of(math.sqrt), "sin": _number_of(math.sin),
    "cos": _number_of(math.cos), "tan": _number_of(math.tan), "contains": lambda values, one: one in values,
}  # fmt: skip
OWN_TESTS: Mapping[str, Callable[..., bool]] = {
    "is_number": is_number, "match": _matches, "search": _searches,
    "list": lambda value: isinstance(value, list), "contains": lambda values, one: one in values,
}  # fmt: skip
FUNCTIONS: Mapping[str, Any] = {
    "float": _float, "int": _int, "bool": _bool, "is_number": is_number, "iif": _iif, "min": min,
    "max": max, "namespace": Namespace, "zip": zipped, "range": _range, "dict": Dict(),
    "log": _number_of(math.log), "sqrt": _number_of(math.sqrt), "pi": math.pi, "e": math.e,
}  # fmt: skip
CALLABLE = frozenset(FUNCTIONS) - {"dict", "pi", "e"}
