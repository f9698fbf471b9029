"""What a language model says it did, held against what was really done, before anybody hears it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any, Literal

import yaml

from daemon.language.plan import Household
from daemon.language.words import fold, plain_words
from daemon.turn import ActionDone

Verdict = Literal["none", "true", "false"]
NEGATED_WITHIN = 4
_CLAUSES = re.compile(r"[,;:.!…]|\s(?:e|mas)\s")
_QUOTED = re.compile(r"[\"“”«»][^\"“”«»]*[\"“”«»]")
_EMPTY = frozenset({"pronto", "certo", "claro", "ok", "entendido", "perfeito", "combinado", "sim", "beleza", "ja"})
"""Words that say nothing of their own."""


@dataclass(frozen=True, slots=True)
class Claims:
    """Finds claims by `did`, which leads from the words of one to the names of the actions that make it true."""

    patterns: tuple[tuple[re.Pattern[str], frozenset[str]], ...]
    any: frozenset[str]
    negations: frozenset[str]

    @classmethod
    @lru_cache(maxsize=2)
    def load(cls, name: str = "pt_br") -> "Claims":
        """Read `claims.yaml` of a language."""
        told = yaml.safe_load(resources.files(f"daemon.brain.{name}").joinpath("claims.yaml").read_text("utf-8"))
        patterns = tuple((_pattern(family, told), frozenset(family["actions"])) for family in told["families"])
        return cls(patterns, frozenset(told["any"]), frozenset(told["negations"]))

    def verdict(self, sentence: str, actions: Sequence[ActionDone], household: Household) -> Verdict:
        """Tell whether a sentence claims to have done, or to be about to do, what was not done.

        `actions` are those of the turn. What is asked, denied, or quoted from elsewhere claims nothing.
        """
        told = _QUOTED.sub(" ", sentence)
        if told.rstrip().endswith("?"):
            return "none"
        done = [action for action in actions if action.status == "success"]
        needed = self._needed(told)
        if not needed:
            return "none"
        fits = [action for action in done if all(action.name in names or "*" in names for names in needed)]
        fits = fits or [action for action in done if any(action.name in names for names in needed)]
        every = all(any(action.name in names or "*" in names for action in done) for names in needed)
        return "true" if every and fits and not _names_another(told, fits, household) else "false"

    def says_no_more(self, sentence: str) -> bool:
        """Tell whether a sentence says only that something was done, which the house has said itself."""
        clauses = [clause for clause in _CLAUSES.split(sentence) if set(plain_words(clause)) - _EMPTY]
        return all(self._needed(clause) for clause in clauses)

    def _needed(self, told: str) -> list[frozenset[str]]:
        """Return, for each claim of a text, the actions one of which must have been done (`*`: any)."""
        words = plain_words(told)
        line = " ".join(words)
        found = [names for pattern, names in self.patterns for match in pattern.finditer(line)
                 if not self._denied(line[: match.start()])]  # fmt: skip
        return found or ([frozenset({"*"})] if words[:1] and words[0] in self.any else [])

    def _denied(self, before: str) -> bool:
        return bool(self.negations & set(before.split()[-NEGATED_WITHIN:]))


def _pattern(family: Mapping[str, Any], told: Mapping[str, Any]) -> re.Pattern[str]:
    did, done = _any_of(family["did"]), _any_of(family["done"])
    return re.compile(
        rf"\b(?:{did})\b"
        rf"|\b(?:{_any_of(told['will'])})(?: (?:te|lhe|ja|so|agora|entao))* (?:{_any_of(family['will'])})\b"
        rf"|\b(?:{_any_of(told['doing'])})(?: (?:ja|agora))* (?:{_any_of(family['doing'])})\b"
        rf"|\b(?:{_any_of(told['done'])}) (?:{done})\b"
        rf"|\b(?:lembrete|alarme|despertador|timer|aviso|evento|luz|luzes|item) (?:{done})\b"
        rf"|^(?:(?:pronto|certo|ok|claro|perfeito|tudo) )?(?:{done})\b"
    )


def _any_of(words: Sequence[str]) -> str:
    return "|".join(re.escape(" ".join(fold(word).split())) for word in words)


def _names_another(told: str, done: Sequence[ActionDone], household: Household) -> bool:
    """Tell whether a sentence names a thing, or a room, other than those that were acted upon."""
    line = f" {' '.join(plain_words(told))} "
    acted = {str(action.parameters.get("entity_id")) for action in done} & {one.id for one in household.things}
    if not acted:
        return False
    mine = [one for one in household.things if one.id in acted]
    for one in household.things:
        named = any(f" {' '.join(plain_words(name))} " in line for name in (one.name, *one.aliases) if name.strip())
        if named and one.id not in acted and not any(fold(one.name) in fold(other.name) for other in mine):
            return True
    rooms = {one.area for one in mine}
    said = {area.name for area in household.areas for name in (area.name, *area.aliases)
            if f" {' '.join(plain_words(name))} " in line}  # fmt: skip
    return None not in rooms and bool(said - rooms) and not said & rooms
