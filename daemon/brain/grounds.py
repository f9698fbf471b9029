"""Whether a person's own words ask for what the language model calls for; if not, Mordomo asks before it acts.

A model reads names, titles, memories and texts that anybody may have written, and cannot be trusted to tell them from
wishes. So what it may do at once goes by the words of whoever speaks, read here without any model: they must have a
verb of the tool, name the things, and hold what is to be written down. What they quote is not theirs.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

import yaml

from daemon.brain.arguments import Arguments
from daemon.language import lexicon
from daemon.language.language import Language
from daemon.language.lexicon import Lexicon
from daemon.language.names import Known, content
from daemon.language.plan import Intent
from daemon.language.words import plain_words
from daemon.skills.skill import Context

LONGEST_WISH = 240
"""Characters. Who says more reads something out."""
NEAR_WISH = 6
"""Words between a wish and what is wished."""
ENOUGH = 0.5
"""So much of what is to be written down must be in the words said."""
CONTENT = ("message", "query", "items")
"""Slots that hold words of a person."""
_CLAUSES = re.compile(r"[,.;!?…]|\be\b", re.IGNORECASE)
_COLON = re.compile(r":(?!\d)")
_QUOTED = re.compile(r"[\"“”«»][^\"“”«»]*[\"“”«»]?|(?<!\w)['‘][^'‘’]*['’]")


@dataclass(frozen=True, slots=True)
class Signs:
    """What shows that a tool is asked for: whole words, and beginnings of words; all of them folded."""

    words: frozenset[str]
    starts: tuple[str, ...]

    @classmethod
    def of(cls, told: Mapping[str, Sequence[str]], known: Lexicon) -> "Signs":
        """Return what a tool's part of `grounds.yaml` says."""
        forms = [known.forms[verb] for verb in told.get("verbs", ())]
        words = frozenset().union(told.get("words", ()), *forms)
        return cls(words, tuple(told.get("starts", ())))

    def at(self, word: str) -> bool:
        """Tell whether a word is one."""
        return word in self.words or word.startswith(self.starts)


@dataclass(frozen=True, slots=True)
class Grounds:
    """Judges calls by the words of the person. `tools` are the signs of each tool; see `grounds.yaml`."""

    language: Language
    lexicon: Lexicon
    tools: Mapping[str, Signs]
    leads: frozenset[str]
    wishes: frozenset[str]
    asking: frozenset[str]
    on_text: frozenset[str]
    negations: frozenset[str]

    @classmethod
    def load(cls, language: Language, name: str = "pt_br") -> "Grounds":
        """Read `grounds.yaml` of a language."""
        told = yaml.safe_load(resources.files(f"daemon.brain.{name}").joinpath("grounds.yaml").read_text("utf-8"))
        known = lexicon.load(name)
        tools = {tool: Signs.of(signs, known) for tool, signs in told.pop("tools").items()}
        return cls(language, known, tools, **{part: frozenset(words) for part, words in told.items()})

    def asked_for(self, said: Arguments, intent: Intent, context: Context) -> bool:
        """Tell whether the words of this turn ask for the call."""
        own, signs = own_words(context.text), self.tools.get(said.TOOL)
        plain = plain_words(own)
        if signs is None or self.on_text & set(plain) or self.asking & {*plain[:2], " ".join(plain[:2])}:
            return False
        wished = any(self._wishes(plain_words(clause), signs) for clause in _CLAUSES.split(own))
        return wished and self._names(own, intent, context) and _holds(plain, intent) and self._tells(plain, intent)

    def _wishes(self, clause: Sequence[str], signs: Signs) -> bool:
        """Tell whether a clause asks for it: a sign at its beginning or near a wish, and no no before it."""
        for at, word in enumerate(clause):
            if signs.at(word):
                before = clause[:at]
                near = set(before[-NEAR_WISH:])
                return (set(before) <= self.leads | self.wishes or bool(near & self.wishes)) and not (
                    self.negations & set(before)
                )
        return False

    def _tells(self, plain: Sequence[str], intent: Intent) -> bool:
        """Tell whether a fact to be kept is the person's, word for word, with no "no" before it or right after."""
        if intent.name != "RememberFact":
            return True
        fact = " ".join(plain_words(str(intent.slots.get("text") or "")))
        before, found, behind = f" {' '.join(plain)} ".partition(f" {fact} ")
        return bool(found) and not self.negations & {*before.split(), *behind.split()[:1]}

    def _names(self, own: str, intent: Intent, context: Context) -> bool:
        index = self.language.pointer(context.household, context.area).index
        words = frozenset(content(own, self.lexicon))
        wide = bool({"casa", "tudo", "todas", "todos"} & set(plain_words(own)))
        known = {one.thing.id: one for one in index.known}
        meant = [known[target] for target in intent.targets if target in known]
        return len(meant) == len(intent.targets) and all(_named(one, words, context.area, wide=wide) for one in meant)


def own_words(text: str) -> str:
    """Return what a person says for themselves: without what is quoted, read out after a colon, or on further lines."""
    first = text.strip().partition("\n")[0][:LONGEST_WISH]
    return _COLON.split(_QUOTED.sub(" ", first))[0]


def _named(one: Known, words: frozenset[str], area: str | None, *, wide: bool) -> bool:
    """Tell whether the words name a thing: by its name, or by its kind where its room is said, or theirs, or all."""
    if any(set(name) <= words for name in one.names):
        return True
    near = one.thing.area in {None, area} or wide or any(set(room) <= words for room in one.areas)
    return bool(one.kinds & words) and near


def _holds(plain: Sequence[str], intent: Intent) -> bool:
    """Tell whether what is to be written down or looked for is in the words said."""
    own = {_stem(word) for word in plain}
    for slot in CONTENT:
        told = intent.slots.get(slot) or ""
        text = told if isinstance(told, str) else " ".join(told) if isinstance(told, Sequence) else ""
        asked = [_stem(word) for word in plain_words(text) if len(word) > 2]
        if sum(word in own for word in asked) < ENOUGH * len(asked):
            return False
    return intent.name != "RunRoutine" or set(plain_words(str(intent.slots.get("name")))) <= set(plain)


@lru_cache(maxsize=4096)
def _stem(word: str) -> str:
    return word[: max(4, len(word) - 2)]
