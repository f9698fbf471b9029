"""Who speaks, and as what. A voice tells it for convenience only: it is no password, and no reply says that it is."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args
from uuid import UUID

Role = Literal["administrator", "adult", "teenager", "child", "guest", "device"]
ROLES: tuple[Role, ...] = get_args(Role)
"""Every role, the one that may most first. The database checks the same words."""


@dataclass(frozen=True, slots=True)
class Person:
    """Whoever asks. `id` is their row of `users`, None for who has none; `certainty` 0 to 1 that it is them.

    Not `trusted` is whose voice is near enough to make things theirs, and not near enough for what their role may:
    they may their everyday things, and of the rest what a voice that nobody knows may (see `needs.py`).
    """

    id: UUID | None
    name: str | None
    role: Role
    certainty: float = 1.0
    trusted: bool = True


GUEST = Person(None, None, "guest", 0.0)
"""Somebody whom the house does not know, once it knows somebody."""
UNKNOWN = Person(None, None, "adult", 0.0)
"""A voice in a house that knows no voices yet."""
HOUSE = Person(None, None, "administrator")
"""Whoever types at this machine, or the house itself."""
DEVICE = Person(None, None, "device")
"""A program that writes on the broker."""

CODE = "code"
"""What a plan awaits that asks for somebody's spoken code (see `codes.py`)."""

Who = Callable[["Person | None", "Person | None", str], Person]
"""From whose voice it is (None: nobody's that is known), who is known to speak there, and the source, to who asks."""


def by_source(heard: Person | None, known: Person | None, source: str) -> Person:
    """Return who asks, where nobody has set anything else."""
    if source == "mqtt":
        return DEVICE  # whatever it claims: any program may write there
    return known or heard or (HOUSE if source in WRITTEN_HERE else UNKNOWN)


WRITTEN_HERE = frozenset({"text", "schedule"})
"""Sources that are this machine: its prompt, its command line and HTTP, and what was promised for later."""
