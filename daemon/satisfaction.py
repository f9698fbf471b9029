"""How well a conversation went, from 0 to 1, by what can be seen of it: nobody is asked, and no word of it is kept.

Each exchange counts 1, less the worst of what went wrong in it:

    lost 1.0        an engine or a link failed, or the language model did: the person heard an apology
    corrected 0.8   the next sentence took it back ("não, a da cozinha")
    repeated 0.7    the next sentence said the same again, though it was not "mais um pouco"
    undone 0.7      the next sentence had it undone
    not_done 0.5    it was understood and not done: refused, impossible, or the device did not obey
    interrupted 0.3 the answer was cut short
    asked_back 0.1  Mordomo had to ask

The conversation has the mean, less 0.2 where it was abandoned (its last exchange was lost, cut short, or a question
that nobody answered), and 0.1 more where somebody gave thanks; within 0 and 1. Without an exchange there is no score.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from importlib import resources
from typing import Any

import yaml

from daemon.language.words import plain_words
from daemon.turn import Turn
from db.conversations import Said

WEIGHTS = {"lost": 1.0, "corrected": 0.8, "repeated": 0.7, "undone": 0.7, "not_done": 0.5, "interrupted": 0.3,
           "asked_back": 0.1}  # fmt: skip
ABANDONED, THANKED = 0.2, 0.1
SIGNS = ("asked", "not_done", "more", "undoes")
"""What an exchange is noted to have been, beside its outcome."""
LOST = frozenset({"failed", "model_failed"})
SOON = timedelta(seconds=60)
"""A sentence later than this answers to nothing that was said before."""
ALIKE = 0.75
"""From this share of common words on, two sentences say the same."""
VERSION = 1

Words = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Exchange:
    """What is kept in memory of a turn until its conversation is over; `words` are folded.

    `more` says that it was a step up or down, which people say again because it worked.
    """

    words: Words
    at: datetime
    outcome: str = "answered"
    asked: bool = False
    not_done: bool = False
    more: bool = False
    undoes: bool = False

    @classmethod
    def of(cls, turn: Turn) -> "Exchange":
        """Take from a turn that is over what tells how it went."""
        plan = turn.understood.plan
        asked = turn.asked is not None or plan.question is not None
        did = [action.status == "success" for action in turn.actions]
        return cls(
            plain_words(turn.understood.text),
            turn.started_at,
            turn.outcome,
            asked,
            not_done=plan.route == "skill" and not asked and not (did and all(did)),
            more=any("step" in slot for intent in plan.intents for slot in intent.slots),
            undoes=any(intent.name == "Undo" for intent in plan.intents),
        )

    @property
    def signs(self) -> list[str]:
        """What is noted with the answer, so that how it went can be told after a crash; no word of what was said."""
        return [name for name in SIGNS if getattr(self, name)]


def judged(said: Sequence[Said]) -> tuple[float, dict[str, Any]] | None:
    """Return the score of a conversation that a crash left open, by its rows; None where they do not tell it.

    Who got no answer at all was lost. Answers of a version that noted no signs tell nothing.
    """
    exchanges: list[Exchange] = []
    for one in said:
        if one.role == "user":
            exchanges.append(Exchange(plain_words(one.content), one.at, "failed"))
            continue
        signs = one.metadata.get("signs")
        if not isinstance(signs, list):
            return None
        if exchanges:
            told: dict[str, Any] = {name: name in signs for name in SIGNS}
            exchanges[-1] = replace(exchanges[-1], outcome=str(one.metadata.get("outcome")), **told)
    return satisfaction(exchanges)


def satisfaction(exchanges: Sequence[Exchange]) -> tuple[float, dict[str, Any]] | None:
    """Return the score and, for `metadata`, how it came about; None for a conversation without an exchange."""
    if not exchanges:
        return None
    signals = [_signals(one, after) for one, after in zip(exchanges, [*exchanges[1:], None], strict=True)]
    scores = [1 - max((WEIGHTS[signal] for signal in seen), default=0.0) for seen in signals]
    abandoned = bool(signals[-1] & {"lost", "interrupted", "asked_back"})
    thanked = any(_says(one.words, _phrases()["thanks"]) for one in exchanges)
    score = sum(scores) / len(scores) - ABANDONED * abandoned + THANKED * thanked
    counted = Counter(signal for seen in signals for signal in seen)
    told = {"version": VERSION, "exchanges": len(exchanges), "signals": dict(sorted(counted.items())),
            "abandoned": abandoned, "thanked": thanked}  # fmt: skip
    return round(min(1.0, max(0.0, score)), 2), {"satisfaction": told}


def _signals(one: Exchange, after: Exchange | None) -> set[str]:
    """Return what went wrong in an exchange, by itself and by what was said next."""
    seen = {"lost"} if one.outcome in LOST else set()
    seen |= {"interrupted"} if one.outcome == "interrupted" else set()
    seen |= {"asked_back"} if one.asked else set()
    seen |= {"not_done"} if one.not_done else set()
    if after is None or after.at - one.at > SOON:
        return seen
    if after.undoes:
        return seen | {"undone"}
    if not one.asked and _begins(after.words, _phrases()["corrects"]):
        return seen | {"corrected"}
    if not (one.more and after.more) and _alike(one.words, after.words):
        return seen | {"repeated"}
    return seen


def _alike(one: Words, other: Words) -> bool:
    """Tell whether two sentences say the same: by how many of their words they share."""
    first, second = set(one), set(other)
    return len(first & second) >= ALIKE * len(first | second) > 0


def _begins(words: Words, phrases: Sequence[Words]) -> bool:
    return any(words[: len(phrase)] == phrase for phrase in phrases)


def _says(words: Words, phrases: Sequence[Words]) -> bool:
    return any(_begins(words[at:], phrases) for at in range(len(words)))


@cache
def _phrases() -> dict[str, tuple[Words, ...]]:
    text = resources.files("daemon.language.pt_br").joinpath("satisfaction.yaml").read_text("utf-8")
    return {name: tuple(plain_words(phrase) for phrase in phrases) for name, phrases in yaml.safe_load(text).items()}
