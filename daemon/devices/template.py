"""Jinja2 templates from devices: rendered in a sandbox, bounded in size and time.

Whoever may publish on the broker writes these, so they are hostile until proven small. What bounds them:

- the source is 4 kB, 500 nodes and 20 levels at most (Jinja compiles in cubic time of the depth), the value that it
  reads 256 kB, and what it gives 16 kB;
- only the kinds of node in `ALLOWED` pass: no macros, imports, blocks or powers, and no call of anything but the
  methods in `METHODS` and the functions in `template_words`;
- loops share one allowance of rounds, the smaller the longer the template, and of milliseconds;
- whatever builds a text or a container (`~`, `+`, a list, a filter) measures it first, with all that it holds, so that
  nothing can double itself; `*`, `+` and `%` work on numbers below 1e300, `+` on short lists and texts too;
- a pattern may not repeat a group, and repeats little on a long text;
- the environment is Jinja's immutable sandbox, with Home Assistant's words that devices use and no others.

Source of the vocabulary: Home Assistant's templating documentation (`value`, `value_json`, `is_defined`, …).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from time import monotonic
from typing import Any

from jinja2 import Environment, TemplateError, Undefined, nodes
from jinja2.exceptions import SecurityError
from jinja2.runtime import Context, LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Namespace

from daemon.devices import template_time as times
from daemon.devices import template_words as words

MAX_SOURCE = 4096
MAX_NODES = 500
MAX_DEPTH = 20
MAX_RESULT = words.MAX_RESULT
MAX_NUMBER = 1e300
MAX_ROUNDS = 50_000
"""How often nodes may run in loops, all together."""
MAX_LOOP_S = 0.05
BAD_VALUE = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""What a template that meets a value it was not written for may raise, beside Jinja's own errors."""

ALLOWED = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Const, nodes.Getattr,
    nodes.Getitem, nodes.Slice, nodes.Filter, nodes.Test, nodes.If, nodes.CondExpr, nodes.Compare, nodes.Operand,
    nodes.And, nodes.Or, nodes.Not, nodes.Add, nodes.Sub, nodes.Mul, nodes.Div, nodes.FloorDiv, nodes.Mod, nodes.Neg,
    nodes.Pos, nodes.Concat, nodes.List, nodes.Tuple, nodes.Dict, nodes.Pair, nodes.Keyword, nodes.Assign, nodes.Call,
    nodes.For, nodes.Continue, nodes.Break, nodes.NSRef,
)  # fmt: skip
METHODS: Mapping[type, frozenset[str]] = {
    str: frozenset(
        {"split", "rsplit", "lower", "upper", "strip", "lstrip", "rstrip", "startswith", "endswith", "title",
         "capitalize", "find", "isdigit", "isnumeric", "removeprefix", "removesuffix"}
    ),
    dict: frozenset({"get", "keys", "values", "items"}),
    list: frozenset({"index", "count"}),
    words.Dict: frozenset({"from_keys"}),
    **times.METHODS,
}  # fmt: skip
FUNCTIONS: Mapping[str, Any] = {**words.FUNCTIONS, **times.FUNCTIONS}
CALLABLE = words.CALLABLE | times.FUNCTIONS.keys()
_LOOP = frozenset({"index", "index0", "first", "last", "length", "revindex", "revindex0"})
_CALLABLE = tuple(FUNCTIONS[name] for name in CALLABLE)
_OF_DICT = frozenset(dir(dict))
_SHOWN = (str, int, float, dict, list, tuple, Undefined, *times.TIMES)


class BadTemplate(ValueError):  # noqa: N818 - it says what the template is
    """A template that is refused, or that could not be rendered from this value."""


class _Allowance:
    """The rounds and the time that all loops of one rendering share."""

    def __init__(self, rounds: int) -> None:
        self._rounds = rounds
        self._until_s = monotonic() + MAX_LOOP_S

    def rounds(self, values: Iterable[Any]) -> Iterator[Any]:
        for value in values:
            self._rounds -= 1
            if self._rounds < 0 or monotonic() > self._until_s:
                raise SecurityError("loops for too long")
            yield value


class _Sandbox(ImmutableSandboxedEnvironment):
    """Jinja's immutable sandbox with bounded arithmetic and a short list of methods."""

    intercepted_binops = frozenset({"+", "*", "%"})

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Calculate, when both sides are numbers, or join two texts or lists."""
        if operator == "+" and isinstance(left, str) and isinstance(right, str):
            return words.short(left + right)
        if operator == "+" and isinstance(left, list) and isinstance(right, list):
            return words.measured(left + right)
        if operator == "+" and isinstance(left, times.TIMES) and isinstance(right, times.TIMES):
            return super().call_binop(context, operator, left, right)
        for side in (left, right):
            if not isinstance(side, int | float) or abs(side) > MAX_NUMBER:
                raise SecurityError(f"{operator} only takes numbers")
        return super().call_binop(context, operator, left, right)

    def call(__self, __context: Context, __obj: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N805 - as Jinja has it
        """Call what is safe; the form of a time is a short one."""
        if getattr(__obj, "__name__", "") == "strftime" and any(
            len(str(one)) > times.MAX_TOLD for one in (*args, *kwargs.values())
        ):
            raise SecurityError("form is too long")
        return super().call(__context, __obj, *args, **kwargs)

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Prefer what a device sent to the methods of a mapping: a device may well report `update` or `items`."""
        if isinstance(obj, dict) and attribute in obj:
            return obj[attribute]
        return super().getattr(obj, attribute)

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:  # noqa: ARG002
        """Only the few methods that cannot make a text grow, and what a template put into its own namespace."""
        if isinstance(obj, Namespace):
            return not attr.startswith("_")
        if isinstance(obj, LoopContext):
            return attr in _LOOP
        return attr in METHODS.get(type(obj), ())

    def is_safe_callable(self, obj: Any) -> bool:
        """Only our functions, and bound methods of texts and mappings, can be reached, so only they can be called."""
        if any(obj is function for function in _CALLABLE):
            return True
        return getattr(obj, "__name__", "") in METHODS.get(type(getattr(obj, "__self__", None)), ())


def _environment() -> Environment:
    environment = _Sandbox(autoescape=False, cache_size=0, extensions=["jinja2.ext.loopcontrols"], finalize=_finalized)
    bounded = {"_concatenated": words.concatenated, "_measured": words.measured, "_rounds": _rounds}
    own_filters = {name: environment.filters[name] for name in words.KEPT}
    own_tests = {name: environment.tests[name] for name in words.TESTS}
    environment.filters = own_filters | dict(words.FILTERS) | dict(times.FILTERS) | bounded
    environment.tests = own_tests | dict(words.OWN_TESTS)
    environment.globals = dict(FUNCTIONS)
    return environment


def _finalized(value: Any) -> Any:
    """Return what may be shown: a value, never a thing of the template's own, nor more than it may build."""
    if value is not None and not isinstance(value, _SHOWN):
        raise SecurityError("not a value")
    return words.measured(value) if isinstance(value, dict | list | tuple) else value


def _rounds(values: Any, allowance: _Allowance) -> Iterator[Any]:
    return allowance.rounds(values)


_ENVIRONMENT = _environment()


def _check(tree: nodes.Template) -> int:
    """Raise BadTemplate for what may not be; return how many nodes there are."""
    every = _walk(tree)
    if len(every) > MAX_NODES:
        raise BadTemplate("too many parts")
    for node in every:
        if not isinstance(node, ALLOWED):
            raise BadTemplate(f"{type(node).__name__} is not allowed")
        if isinstance(node, nodes.Name | nodes.NSRef) and node.name.startswith("_"):
            raise BadTemplate("a name may not start with _")
        if isinstance(node, nodes.Filter | nodes.Test) and node.name.startswith("_"):
            raise BadTemplate(f"{node.name} is not allowed")
        if isinstance(node, nodes.For) and node.recursive:
            raise BadTemplate("a loop may not call itself")
        if isinstance(node, nodes.Call):
            named = isinstance(node.node, nodes.Name) and node.node.name in CALLABLE
            if not named and not isinstance(node.node, nodes.Getattr):
                raise BadTemplate("only methods may be called")
    return len(every)


def _walk(root: nodes.Node) -> list[nodes.Node]:
    found, rest = [], [(root, 0)]
    while rest:
        node, depth = rest.pop()
        if depth > MAX_DEPTH:
            raise BadTemplate("nested too deep")
        found.append(node)
        rest.extend((child, depth + 1) for child in reversed(list(node.iter_child_nodes())))
    return found


def _bounded(tree: nodes.Template) -> nodes.Template:
    """Put the bounds into the template itself: on what it loops over, joins and builds."""
    for node in _walk(tree):
        for name, child in list(node.iter_fields()):
            if isinstance(child, nodes.Node):
                setattr(node, name, _guarded(node, name, child))
            elif isinstance(child, list):
                setattr(node, name, [_guarded(node, name, one) if isinstance(one, nodes.Node) else one
                                     for one in child])  # fmt: skip
    return tree


def _guarded(parent: nodes.Node, name: str, node: nodes.Node) -> nodes.Node:
    if isinstance(parent, nodes.For) and name == "iter":
        allowance = nodes.Name("_allowance", "load", lineno=node.lineno)
        return _filter("_rounds", node, [allowance])
    if isinstance(node, nodes.Concat):
        return _filter("_concatenated", nodes.List(node.nodes, lineno=node.lineno), [])
    is_target = isinstance(node, nodes.Tuple) and node.ctx == "store"
    if isinstance(node, nodes.List | nodes.Tuple | nodes.Dict) and not is_target:
        return _filter("_measured", node, [])
    return node


def _filter(name: str, node: nodes.Node, arguments: list[nodes.Node]) -> nodes.Filter:
    return nodes.Filter(node, name, arguments, [], None, None, lineno=node.lineno)


Render = Callable[[Mapping[str, object]], str]


@lru_cache(maxsize=4096)
def compiled(source: str) -> Render:
    """Return what renders `source` from its variables to stripped text. Raises BadTemplate, here or when rendering.

    `value` and `value_json` are a device's payload; `_now` is the moment, in the household's zone.
    """
    if len(source) > MAX_SOURCE:
        raise BadTemplate(f"longer than {MAX_SOURCE} characters")
    try:
        tree = _ENVIRONMENT.parse(source)
        rounds = MAX_ROUNDS // _check(tree)
        path = _path(tree)
        whole = _whole(_ENVIRONMENT.from_string(_bounded(tree)).root_render_func, rounds)
    except (TemplateError, RecursionError, SyntaxError, MemoryError) as problem:
        raise BadTemplate(type(problem).__name__) from None
    return whole if path is None else _direct(path, whole)


def _whole(render: Callable[[Context], Iterable[str]], rounds: int) -> Render:
    def rendered(variables: Mapping[str, object]) -> str:
        pieces: list[str] = []
        room = MAX_RESULT
        # A plain mapping: what Jinja makes by itself for each rendering takes longer than most templates do.
        known = {**FUNCTIONS, **variables, "_allowance": _Allowance(rounds)}
        try:
            for piece in render(Context(_ENVIRONMENT, known, None, {})):
                pieces.append(piece)
                room -= len(piece)
                if room < 0:
                    raise BadTemplate(f"gives more than {MAX_RESULT} characters")
        except (TemplateError, *BAD_VALUE) as problem:
            raise BadTemplate(str(problem)[:200]) from None
        return "".join(pieces).strip()

    return rendered


def _path(tree: nodes.Template) -> tuple[str, ...] | None:
    """Return where `{{ value_json.a['b'] }}`, as most templates are, finds what it gives; None for any other."""
    parts = [part for node in tree.body if isinstance(node, nodes.Output) for part in node.nodes]
    given = [part for part in parts if not (isinstance(part, nodes.TemplateData) and not part.data.strip())]
    if len(given) != 1 or not all(isinstance(node, nodes.Output) for node in tree.body):
        return None
    node, path = given[0], list[str]()
    while isinstance(node, nodes.Getattr | nodes.Getitem):
        key = node.attr if isinstance(node, nodes.Getattr) else getattr(node.arg, "value", None)
        if not isinstance(key, str) or key in _OF_DICT:
            return None
        path.insert(0, key)
        node = node.node
    return tuple(path) if path and isinstance(node, nodes.Name) and node.name == "value_json" else None


def _direct(path: tuple[str, ...], whole: Render) -> Render:
    """Return what takes a text or a number out of objects at once, and leaves all else to the template as a whole."""

    def rendered(variables: Mapping[str, object]) -> str:
        value = variables.get("value_json")
        for key in path:
            if type(value) is not dict or key not in value:
                return whole(variables)
            value = value[key]
        kind = type(value)
        if kind is float or kind is int or kind is bool or (kind is str and len(value) <= MAX_RESULT):  # type: ignore[arg-type]
            return str(value).strip()
        return whole(variables)

    return rendered
