"""Sentence patterns: `<ligar> [bem] {alvo} (em|pra) {brilho}` becomes one regular expression over plain words.

Words are matched with a space after each, so that every repetition is over whole words and stays linear.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from daemon.language.words import fold

_TOKEN = re.compile(r"[\[\]()|]|<\w+>|\{\w+\}|[\w%]+")
_FREE = r"(?:\S+ )+?"


class BadPattern(ValueError):  # noqa: N818 - says what it is
    """A sentence in a YAML file that cannot be read; the message tells which and why."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """A compiled sentence. `anchors`: one of these words must be in a text that matches (empty: no such demand)."""

    source: str
    regex: re.Pattern[str]
    anchors: frozenset[str]
    slots: tuple[str, ...]
    literals: int


@dataclass(slots=True)
class _Node:
    """Part of a regular expression with the words of which one must be there (None when none must)."""

    regex: str
    anchors: frozenset[str] | None
    literals: int = 0


def compile_pattern(source: str, pieces: Mapping[str, str], vocabularies: Mapping[str, str]) -> Pattern:
    """Compile a sentence. `pieces` are the texts behind `<name>`, `vocabularies` limit what a `{slot}` may hold.

    Raises BadPattern for brackets that do not match and names that do not exist.
    """
    reader = _Reader(source, pieces, vocabularies)
    node = reader.sequence(_tokens(source))
    if node is None or reader.rest:
        raise BadPattern(f"brackets do not match in {source!r}")
    return Pattern(source, re.compile(node.regex), node.anchors or frozenset(), tuple(reader.slots), node.literals)


def _tokens(source: str) -> list[str]:
    left = _TOKEN.sub("", source).strip()
    if left:
        raise BadPattern(f"{left!r} is not understood in {source!r}")
    return _TOKEN.findall(source)


class _Reader:
    """Recursive descent over the tokens of one sentence."""

    def __init__(self, source: str, pieces: Mapping[str, str], vocabularies: Mapping[str, str]) -> None:
        self.source = source
        self.pieces = pieces
        self.vocabularies = vocabularies
        self.slots: list[str] = []
        self.rest: list[str] = []

    def sequence(self, tokens: list[str]) -> _Node | None:
        """Read alternatives until a closing bracket or the end; what is left over stays in `rest`."""
        choices: list[_Node] = [_Node("", None)]
        while tokens and tokens[0] not in {"]", ")"}:
            part = tokens.pop(0)
            if part == "|":
                choices.append(_Node("", None))
                continue
            node = self._item(part, tokens)
            last = choices[-1]
            last.regex += node.regex
            last.literals += node.literals
            if node.anchors is not None and (last.anchors is None or len(node.anchors) < len(last.anchors)):
                last.anchors = node.anchors
        self.rest = tokens
        return _either(choices)

    def _item(self, part: str, tokens: list[str]) -> _Node:
        if part in {"[", "("}:
            inner = self.sequence(tokens)
            closing = "]" if part == "[" else ")"
            if inner is None or not tokens or tokens.pop(0) != closing:
                raise BadPattern(f"brackets do not match in {self.source!r}")
            return _Node(f"(?:{inner.regex})?", None) if part == "[" else inner
        if part.startswith("<"):
            return self._piece(part[1:-1])
        if part.startswith("{"):
            return self._slot(part[1:-1])
        word = fold(part)
        return _Node(re.escape(word) + " ", frozenset({word}), 1)

    def _piece(self, name: str) -> _Node:
        if name not in self.pieces:
            raise BadPattern(f"<{name}> does not exist, in {self.source!r}")
        node = self.sequence(_tokens(self.pieces[name]))
        if node is None:
            raise BadPattern(f"brackets do not match in <{name}>")
        return _Node(f"(?:{node.regex})", node.anchors, node.literals)

    def _slot(self, name: str) -> _Node:
        if name in self.slots:
            raise BadPattern(f"{{{name}}} is there twice in {self.source!r}")
        self.slots.append(name)
        return _Node(f"(?P<{name}>{self.vocabularies.get(name, _FREE)})", None)


def _either(choices: list[_Node]) -> _Node:
    if len(choices) == 1:
        return choices[0]
    anchors: frozenset[str] | None = frozenset()
    for choice in choices:
        anchors = None if anchors is None or choice.anchors is None else anchors | choice.anchors
    regex = "(?:" + "|".join(choice.regex for choice in choices) + ")"
    return _Node(regex, anchors, min(choice.literals for choice in choices))
