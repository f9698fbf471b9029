"""The error tree.

MordomoError
├── LinkDown            a server or device out there is away: whoever holds the link tries again
├── EngineFailed        an engine broke in the middle of its work: one turn is lost, with an apology
│   └── EngineMissing   weights, a key, a library or a server are not there: it says which command mends it
└── Spoken              a sentence in Portuguese that the person hears instead of the answer
    ├── CannotDo        what was asked cannot be done
    └── Refused         what was asked is not allowed; also logged
"""

from typing import Literal

from db.errors import LinkDown, MordomoError

__all__ = ["CannotDo", "EngineFailed", "EngineMissing", "LinkDown", "MordomoError", "Refused", "Spoken"]


class EngineFailed(MordomoError):  # noqa: N818
    """An engine failed in the middle of its work; the turn that needed it is lost."""

    def __init__(self, engine: str, why: str, kind: Literal["broken", "slow", "full"] = "broken") -> None:
        """Note what failed. `kind`: it broke, was too slow, or its machine has no memory (or no turn) left for it."""
        super().__init__(f"{engine}: {why}")
        self.engine = engine
        self.why = why
        self.kind = kind


class EngineMissing(EngineFailed):
    """Something an engine needs is not installed. `mend` is a command or an act, in Portuguese."""

    def __init__(self, engine: str, why: str, mend: str) -> None:
        super().__init__(engine, why)
        self.mend = mend


class Spoken(MordomoError):  # noqa: N818
    """Carries `say`, a whole sentence in Portuguese for the person who asked."""

    def __init__(self, say: str) -> None:
        super().__init__(say)
        self.say = say


class CannotDo(Spoken):
    """What was asked cannot be done (device away, value out of range, nothing of that name)."""


class Refused(Spoken):
    """What was asked is not allowed; spoken and logged."""
