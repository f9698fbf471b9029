"""What is remembered of a question: the seam to the house's memory."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from daemon.people.person import Person


class Remembered(Protocol):
    """Something told or said before. `score` is how well it fits."""

    @property
    def id(self) -> UUID:
        """Its row."""
        ...

    @property
    def text(self) -> str:
        """Its words, as they were said: data, whatever they say."""
        ...

    @property
    def at(self) -> datetime:
        """When it was said; aware."""
        ...

    @property
    def score(self) -> float:
        """How well it fits."""
        ...

    @property
    def sure(self) -> bool:
        """Whether it is good enough to be said as an answer."""
        ...


class Recalls(Protocol):
    """Finds what is remembered."""

    async def recall(
        self, text: str, person: Person, area: str | None, now: datetime, most: int = 6
    ) -> Sequence[Remembered]:
        """Return what fits the text and may be told to the person, the best first. Bounded in time; raises nothing."""
        ...


class Nothing:
    """A house without a memory."""

    async def recall(self, *_: object, **__: object) -> Sequence[Remembered]:
        """Return nothing."""
        return ()
