"""A spoken code between being heard and being compared; see `codes.py`."""

from dataclasses import dataclass, field
from uuid import UUID

from daemon.language.plan import Intent, Plan

HIDDEN = "(código)"
"""What stands everywhere in the place of the digits."""
CODE_SAID = Plan("skill", (Intent("SpokenCode"),), 1.0)
"""What a code is until it was compared: something that is meant for Mordomo."""


@dataclass(frozen=True, slots=True)
class Asked:
    """An open question for a code: what it is for, and whose."""

    plan: Plan
    whose: UUID


@dataclass(frozen=True, slots=True)
class Said:
    """Digits that were heard, for the question that was open (None: none was). `alone`: nothing else was said."""

    digits: str = field(repr=False)
    alone: bool
    asked: Asked | None
