"""Sentence patterns: `<ligar> [bem] {alvo} (em|pra) {brilho}` becomes one regular expression over plain words.

Words are matched with a space after each, so that every repetition is over whole words and stays linear.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from daemon.language.words import fold

_TOKEN = re.compile(r"[\[\]()|]|<\w+>|\{\w+\}|[\w%]+")
_FREE = r"(?:\S+ )+?"


class BadPattern(ValueError):  # noqa: N818 - says what it is
    """A sentence in a YAML file that cannot be read; the message tells which and why."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """A sentence as a regular expression, made when first used: most are not, for most sentences.

    `needs`: of each set one word must be in a text that matches. `anchors` is the smallest of them.
    """

    source: str
    expression: str
    needs: tuple[frozenset[str], ...]
    slots: tuple[str, ...]
    literals: int

    @property
    def regex(self) -> re.Pattern[str]:
        """Return the compiled expression. About 1 ms the first time."""
        return _compiled(self.expression)

    @property
    def anchors(self) -> frozenset[str]:
        """Return the words of which one must be there (none: no such demand)."""
        return min(self.needs, key=len, default=frozenset())

    def may_match(self, words: frozenset[str]) -> bool:
        """Tell whether a text of these words can match."""
        return not any(need.isdisjoint(words) for need in self.needs)


@lru_cache(maxsize=8192)
def _compiled(expression: str) -> re.Pattern[str]:
    return re.compile(expression)


@dataclass(slots=True)
class _Node:
    """Part of a regular expression with sets of words of which one must be there."""

    regex: str
    needs: tuple[frozenset[str], ...] = ()
    literals: int = 0


def compile_pattern(source: str, pieces: Mapping[str, str], vocabularies: Mapping[str, str]) -> Pattern:
    """Compile a sentence. `pieces` are the texts behind `<name>`, `vocabularies` limit what a `{slot}` may hold.

    Raises BadPattern for brackets that do not match and names that do not exist.
    """
    reader = _Reader(source, pieces, vocabularies)
    node = reader.sequence(_tokens(source))
    if node is None or reader.rest:
        raise BadPattern(f"os parênteses ou colchetes não fecham em {source!r}")
    return Pattern(source, node.regex, node.needs, tuple(reader.slots), node.literals)


def _tokens(source: str) -> list[str]:
    left = _TOKEN.sub("", source).strip()
    if left:
        raise BadPattern(f"não entendo {left!r} em {source!r}")
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
        choices: list[_Node] = [_Node("")]
        while tokens and tokens[0] not in {"]", ")"}:
            part = tokens.pop(0)
            if part == "|":
                choices.append(_Node(""))
                continue
            node = self._item(part, tokens)
            last = choices[-1]
            last.regex += node.regex
            last.literals += node.literals
            last.needs += node.needs
        self.rest = tokens
        return _either(choices)

    def _item(self, part: str, tokens: list[str]) -> _Node:
        if part in {"[", "("}:
            inner = self.sequence(tokens)
            closing = "]" if part == "[" else ")"
            if inner is None or not tokens or tokens.pop(0) != closing:
                raise BadPattern(f"os parênteses ou colchetes não fecham em {self.source!r}")
            return _Node(f"(?:{inner.regex})?") if part == "[" else inner
        if part.startswith("<"):
            return self._piece(part[1:-1])
        if part.startswith("{"):
            return self._slot(part[1:-1])
        word = fold(part)
        return _Node(re.escape(word) + " ", (frozenset({word}),), 1)

    def _piece(self, name: str) -> _Node:
        if name not in self.pieces:
            raise BadPattern(f"<{name}> não existe, em {self.source!r}")
        node = self.sequence(_tokens(self.pieces[name]))
        if node is None:
            raise BadPattern(f"os parênteses ou colchetes não fecham em <{name}>")
        return _Node(f"(?:{node.regex})", node.needs, node.literals)

    def _slot(self, name: str) -> _Node:
        if name in self.slots:
            raise BadPattern(f"{{{name}}} aparece duas vezes em {self.source!r}")
        self.slots.append(name)
        return _Node(f"(?P<{name}>{self.vocabularies.get(name, _FREE)})")


def _either(choices: list[_Node]) -> _Node:
    if len(choices) == 1:
        return choices[0]
    # The longest first: a text that could be read as "qual" and as "qual é" is meant to be the latter.
    regex = "(?:" + "|".join(sorted((choice.regex for choice in choices), key=len, reverse=True)) + ")"
    needs = [min(choice.needs, key=len) for choice in choices if choice.needs]
    either = (frozenset().union(*needs),) if len(needs) == len(choices) else ()
    return _Node(regex, either, min(choice.literals for choice in choices))
