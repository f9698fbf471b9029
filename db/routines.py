"""Routines: several things that are done at one phrase, as rows that a family may edit."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg

from db.audit import Acting
from db.database import Queries

MOST_ROUTINES = 500
"""So many are read; a house that has more has a program writing them."""
ENABLED = "SELECT id, name, phrases, steps, guarded FROM routines WHERE enabled ORDER BY lower(name) LIMIT $1"
BY_ID = "SELECT id, name, phrases, steps, guarded FROM routines WHERE enabled AND id = $1"
BY_NAME = "SELECT id, name, phrases, steps, guarded FROM routines WHERE enabled AND lower(name) = lower($1)"


class NameTaken(ValueError):  # noqa: N818 - says what happened
    """There is a routine of that name."""


@dataclass(frozen=True, slots=True)
class RoutineRow:
    """One routine in force. `steps` is whatever JSON list the household wrote; a phrase or name may hold any text."""

    id: UUID
    name: str
    phrases: tuple[str, ...]
    steps: Sequence[Any]
    guarded: bool


async def enabled(db: Queries) -> list[RoutineRow]:
    """Return the routines in force, by name. Raises LinkDown."""
    rows = await db.fetch(ENABLED, MOST_ROUTINES)
    return [_row(row) for row in rows]


async def by_id(db: Queries, routine: UUID) -> RoutineRow | None:
    """Return a routine in force. Raises LinkDown."""
    row = await db.fetchrow(BY_ID, routine)
    return None if row is None else _row(row)


async def by_name(db: Queries, name: str) -> RoutineRow | None:
    """Return the routine in force that is called so, letter case aside. Raises LinkDown."""
    row = await db.fetchrow(BY_NAME, name)
    return None if row is None else _row(row)


async def create(db: Acting, name: str, phrases: Sequence[str], steps: Sequence[Any]) -> UUID:
    """Make a routine; return its id once it is committed. Raises NameTaken, LinkDown."""
    try:
        made = await db.fetchval(
            "INSERT INTO routines (name, phrases, steps, created_by) VALUES ($1, $2, $3, $4) RETURNING id",
            name, list(phrases), list(steps), db.actor,
        )  # fmt: skip
    except asyncpg.UniqueViolationError as taken:
        raise NameTaken(name) from taken
    return UUID(str(made))


async def replace_steps(db: Acting, routine: UUID, phrases: Sequence[str], steps: Sequence[Any]) -> bool:
    """Give a routine other phrases and steps, and put it in force; False where it is gone. Raises LinkDown."""
    tag = await db.execute(
        "UPDATE routines SET phrases = $2, steps = $3, enabled = TRUE WHERE id = $1",
        routine,
        list(phrases),
        list(steps),
    )
    return tag == "UPDATE 1"


async def delete(db: Acting, routine: UUID) -> bool:
    """Delete a routine; False where it is gone. Raises LinkDown."""
    return await db.execute("DELETE FROM routines WHERE id = $1", routine) == "DELETE 1"


def _row(row: asyncpg.Record) -> RoutineRow:
    return RoutineRow(row["id"], row["name"], tuple(row["phrases"]), row["steps"], row["guarded"])
