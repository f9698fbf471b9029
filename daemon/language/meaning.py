"""One meaning of one command, and how much to prefer it."""

from dataclasses import dataclass

from daemon.language.book import Entry
from daemon.language.patterns import Pattern
from daemon.language.plan import Intent, Thing


@dataclass(frozen=True, slots=True)
class Reading:
    """One meaning of one command. `free` counts the words taken as free text; `choices` asks between things."""

    intents: tuple[Intent, ...]
    score: float
    free: int = 0
    assumed: tuple[str, ...] = ()
    question: str | None = None
    head: str | None = None
    choices: tuple[Thing, ...] = ()
    literals: int = 0
    alone: bool = False
    own: bool = False
    why: tuple[Entry, Pattern, tuple[tuple[str, str], ...]] | None = None

    @property
    def rank(self) -> float:
        """Return by how much to prefer this meaning: the house's own, sure things, known words, little free text."""
        return self.own + self.score - 0.015 * min(self.free, 12) + 0.01 * min(self.literals, 8)

    @property
    def targets(self) -> tuple[str, ...]:
        """Return the ids of all things meant."""
        return tuple(target for intent in self.intents for target in intent.targets)
