"""Jinja2 templates from devices: rendered in a sandbox, bounded in size and time.

Whoever may publish on the broker writes these, so they are hostile until proven small. What bounds them:

- the source is 4 kB, 400 nodes and 20 levels at most (Jinja compiles in cubic time of the depth), the value that it
  reads 256 kB, and what it gives 16 kB;
- only the kinds of node in `ALLOWED` pass: no loops, macros, imports, blocks, powers and no call of anything but the
  methods in `METHODS`, so each node runs once and time is linear in the size of the template;
- nothing can double itself: a `set` that builds a text or a container may not use a name that was set before it,
  and a template puts at most 32 names into texts and containers;
- `*`, `+` and `%` work on numbers below 1e300 only; `replace`, `format` and `tojson` refuse what grows too long;
- the environment is Jinja's immutable sandbox, without globals, with Home Assistant's filters that devices use.

Source of the vocabulary: Home Assistant's templating documentation (`value`, `value_json`, `is_defined`, …).
"""

import json
import math
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from jinja2 import Environment, TemplateError, Undefined, nodes
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment

MAX_SOURCE = 4096
MAX_NODES = 400
MAX_DEPTH = 20
MAX_BUILT_FROM = 32
MAX_RESULT = 16_384
MAX_NUMBER = 1e300
BAD_VALUE = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""What a template that meets a value it was not written for may raise, beside Jinja's own errors."""

ALLOWED = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Const, nodes.Getattr,
    nodes.Getitem, nodes.Slice, nodes.Filter, nodes.Test, nodes.If, nodes.CondExpr, nodes.Compare, nodes.Operand,
    nodes.And, nodes.Or, nodes.Not, nodes.Add, nodes.Sub, nodes.Mul, nodes.Div, nodes.FloorDiv, nodes.Mod, nodes.Neg,
    nodes.Pos, nodes.Concat, nodes.List, nodes.Tuple, nodes.Dict, nodes.Pair, nodes.Keyword, nodes.Assign, nodes.Call,
)  # fmt: skip
GROWING = (nodes.Concat, nodes.Add, nodes.Mul, nodes.List, nodes.Tuple, nodes.Dict)
METHODS: Mapping[type, frozenset[str]] = {
    str: frozenset(
        {"split", "lower", "upper", "strip", "lstrip", "rstrip", "startswith", "endswith", "title", "capitalize"}
    ),
    dict: frozenset({"get", "keys", "values", "items"}),
}
_FORMAT = re.compile(r"(?:[^%]|%%|%[-+ 0#]{0,3}\d{0,2}(?:\.\d{0,2})?[dfgsxXi])*")


class BadTemplate(ValueError):  # noqa: N818 - it says what the template is
    """A template that is refused, or that could not be rendered from this value."""


class _Sandbox(ImmutableSandboxedEnvironment):
    """Jinja's immutable sandbox with arithmetic on numbers only and a short list of methods."""

    intercepted_binops = frozenset({"+", "*", "%"})

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Calculate, when both sides are numbers."""
        for side in (left, right):
            if not isinstance(side, int | float) or abs(side) > MAX_NUMBER:
                raise SecurityError(f"{operator} only takes numbers")
        return super().call_binop(context, operator, left, right)

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Prefer what a device sent to the methods of a mapping: a device may well report `update` or `items`."""
        if isinstance(obj, dict) and attribute in obj:
            return obj[attribute]
        return super().getattr(obj, attribute)

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:  # noqa: ARG002
        """Only the few methods that cannot make a text grow."""
        return attr in METHODS.get(type(obj), ())

    def is_safe_callable(self, obj: Any) -> bool:
        """Only bound methods of texts and mappings can be reached, so only they can be called."""
        return getattr(obj, "__name__", "") in METHODS.get(type(getattr(obj, "__self__", None)), ())


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
    text, old, new = str(value), str(old), str(new)
    if len(text) + text.count(old) * len(new) > MAX_RESULT:
        raise SecurityError("replace would grow too long")
    return text.replace(old, new)


def _format(value: Any, *arguments: Any) -> str:
    if not _FORMAT.fullmatch(str(value)):
        raise SecurityError("format is not a plain one")
    return _short(str(value) % arguments)


def _short(text: str) -> str:
    if len(text) > MAX_RESULT:
        raise SecurityError("too long")
    return text


def _is_defined(value: Any) -> Any:
    if isinstance(value, Undefined):
        raise BadTemplate("value is not defined")
    return value


def _to_json(value: Any) -> str:
    return _short(json.dumps(value, ensure_ascii=False))


def _iif(value: Any, true: Any = True, false: Any = False, none: Any = None) -> Any:
    return none if value is None and none is not None else (true if value else false)


def _multiply(value: Any, by: Any, default: Any = None) -> Any:
    try:
        return float(value) * float(by)
    except (TypeError, ValueError):
        return default


def _environment() -> Environment:
    environment = _Sandbox(autoescape=False, cache_size=0)
    kept = ("abs", "default", "d", "first", "last", "length", "count", "lower", "upper", "trim", "title", "capitalize",
            "string", "min", "max")  # fmt: skip
    own: dict[str, Callable[..., Any]] = {
        "float": _float, "int": _int, "round": _round, "replace": _replace, "format": _format,
        "is_defined": _is_defined, "tojson": _to_json, "to_json": _to_json, "iif": _iif, "multiply": _multiply,
        "bool": bool, "bitwise_and": lambda value, mask: int(value) & int(mask),
    }  # fmt: skip
    environment.filters = {name: environment.filters[name] for name in kept} | own
    environment.globals = {}
    return environment


_ENVIRONMENT = _environment()


def _check(tree: nodes.Template) -> None:
    assigned: set[str] = set()
    every = _walk(tree)
    built_from = sum(1 for node in every if isinstance(node, GROWING) for _ in node.find_all(nodes.Name))
    if len(every) > MAX_NODES or built_from > MAX_BUILT_FROM:
        raise BadTemplate("too many parts")
    for node in every:
        if not isinstance(node, ALLOWED):
            raise BadTemplate(f"{type(node).__name__} is not allowed")
        if isinstance(node, nodes.Call) and not isinstance(node.node, nodes.Getattr):
            raise BadTemplate("only methods may be called")
        if isinstance(node, nodes.Assign):
            grows = next(node.node.find_all(GROWING), None) is not None or isinstance(node.node, GROWING)
            used = {name.name for name in _walk(node.node) if isinstance(name, nodes.Name)}
            if grows and used & assigned:
                raise BadTemplate("a name may not be built from itself")
            assigned |= {name.name for name in _walk(node.target) if isinstance(name, nodes.Name)}


def _walk(root: nodes.Node) -> list[nodes.Node]:
    found, rest = [], [(root, 0)]
    while rest:
        node, depth = rest.pop()
        if depth > MAX_DEPTH:
            raise BadTemplate("nested too deep")
        found.append(node)
        rest.extend((child, depth + 1) for child in reversed(list(node.iter_child_nodes())))
    return found


@lru_cache(maxsize=4096)
def compiled(source: str) -> Callable[[Mapping[str, object]], str]:
    """Return what renders `source` from its variables to stripped text. Raises BadTemplate, here or when rendering."""
    if len(source) > MAX_SOURCE:
        raise BadTemplate(f"longer than {MAX_SOURCE} characters")
    try:
        _check(_ENVIRONMENT.parse(source))
        template = _ENVIRONMENT.from_string(source)
    except (TemplateError, RecursionError, SyntaxError, MemoryError) as problem:
        raise BadTemplate(type(problem).__name__) from None

    def render(variables: Mapping[str, object]) -> str:
        pieces: list[str] = []
        room = MAX_RESULT
        try:
            for piece in template.generate(variables):
                pieces.append(piece)
                room -= len(piece)
                if room < 0:
                    raise BadTemplate(f"gives more than {MAX_RESULT} characters")
        except (TemplateError, *BAD_VALUE) as problem:
            raise BadTemplate(str(problem)[:200]) from None
        return "".join(pieces).strip()

    return render
