"""Permissions: who may do what, who lives here as what, and how both are changed."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import time
from typing import get_args
from uuid import UUID

import asyncpg

from db.database import Queries
from models.words import Effect

CHANNEL = "mordomo_people"
MOST_RULES = 2000
"""So many rules are read; a house that has more has a program writing them."""
COLUMNS = "id, role, user_id, intent, domain, area, here, from_time, until_time, weekdays, effect, enabled, note"

ENABLED = f"SELECT {COLUMNS} FROM permissions WHERE enabled ORDER BY created_at, id LIMIT $1"  # noqa: S608 - constants
EVERY = f"SELECT {COLUMNS} FROM permissions ORDER BY role, user_id, created_at, id LIMIT $1"  # noqa: S608 - constants
RESIDENTS = """
SELECT id, name, role, voice_enrolled, EXISTS (SELECT FROM spoken_codes WHERE user_id = users.id) FROM users
WHERE is_active ORDER BY created_at, id
"""
SAME = """
UPDATE permissions SET effect = $1, enabled = TRUE, note = coalesce($2, note)
WHERE (role, user_id, intent, domain, area, here, from_time, until_time, weekdays)
    IS NOT DISTINCT FROM ($3::text, $4::uuid, $5::text, $6::text, $7::text, $8::boolean, $9::time, $10::time,
        $11::smallint[])
RETURNING id
"""
ADD = """
INSERT INTO permissions (effect, note, role, user_id, intent, domain, area, here, from_time, until_time, weekdays,
    created_by)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) RETURNING id
"""


@dataclass(frozen=True, slots=True)
class PermissionRow:
    """One rule, as stored; what is None does not matter to it. `weekdays` are 1 (Monday) to 7."""

    effect: Effect
    role: str | None = None
    user_id: UUID | None = None
    intent: str | None = None
    domain: str | None = None
    area: str | None = None
    here: bool = False
    from_time: time | None = None
    until_time: time | None = None
    weekdays: tuple[int, ...] | None = None
    note: str | None = None
    enabled: bool = True
    id: UUID = field(default=UUID(int=0))


@dataclass(frozen=True, slots=True)
class Resident:
    """Somebody who lives here (active), by their row."""

    id: UUID
    name: str
    role: str
    has_voice: bool
    has_code: bool = False


class NoSuchPerson(LookupError):  # noqa: N818 - it says who is not there
    """Nobody of that name lives here; the message says so in Portuguese."""


async def enabled(db: Queries) -> list[PermissionRow]:
    """Return the rules in force, the oldest first. Raises LinkDown."""
    return [_row(row) for row in await db.fetch(ENABLED, MOST_RULES)]


async def every(db: Queries) -> list[PermissionRow]:
    """Return all rules, by role, then by person. Raises LinkDown."""
    return [_row(row) for row in await db.fetch(EVERY, MOST_RULES)]


async def residents(db: Queries) -> list[Resident]:
    """Return who lives here, in the order they were added. Raises LinkDown."""
    return [Resident(*row) for row in await db.fetch(RESIDENTS)]


def next_administrator(residents: Sequence[Resident]) -> str | None:
    """Return who could administer a house that nobody does: its first adult. None where somebody does, or nobody could.

    Only who administers a house changes by voice who may what; at its machine anybody may.
    """
    if any(one.role == "administrator" for one in residents):
        return None
    return next((one.name for one in residents if one.role == "adult"), None)


def make_administrator(name: str) -> str:
    """Return the command that has somebody administer the house."""
    return f'mordomo people add "{name}" --role administrador'


async def put(db: Queries, rule: PermissionRow, by: str) -> UUID:
    """Store a rule; one that says the same but for its effect is changed. Raises LinkDown; ValueError for no rule."""
    if rule.effect not in get_args(Effect):
        raise ValueError(f"{rule.effect}: o efeito é allow, ask ou deny")
    days = None if rule.weekdays is None else sorted(set(rule.weekdays))
    said = (
        rule.role, rule.user_id, rule.intent, rule.domain, rule.area, rule.here, rule.from_time, rule.until_time, days,
    )  # fmt: skip
    found: UUID | None = await db.fetchval(SAME, rule.effect, rule.note, *said)
    if found is None:
        found = await db.fetchval(ADD, rule.effect, rule.note, *said, by[:100])
    assert found is not None  # noqa: S101 - an INSERT returns its row
    return found


async def remove(db: Queries, rule: UUID) -> bool:
    """Delete a rule; False where there is none of that id. Raises LinkDown."""
    return await db.fetchval("DELETE FROM permissions WHERE id = $1 RETURNING TRUE", rule) is True


async def switch(db: Queries, rule: UUID, *, on: bool) -> bool:
    """Put a rule in force or aside; False where there is none of that id. Raises LinkDown."""
    return await db.fetchval("UPDATE permissions SET enabled = $2 WHERE id = $1 RETURNING TRUE", rule, on) is True


async def set_role(db: Queries, person: UUID, role: str) -> None:
    """Have a person live here as something else. Raises LinkDown; asyncpg's CheckViolationError for no role."""
    await db.execute("UPDATE users SET role = $2 WHERE id = $1", person, role)


async def person_named(db: Queries, name: str) -> Resident:
    """Return who lives here under that name, whatever the capitals. Raises NoSuchPerson, LinkDown."""
    wanted = " ".join(name.split()).casefold()
    found = [one for one in await residents(db) if one.name.casefold() == wanted]
    if not found:
        raise NoSuchPerson(f"Não conheço ninguém chamado {name.strip()} nesta casa.")
    return found[0]


def _row(row: asyncpg.Record) -> PermissionRow:
    days = row["weekdays"]
    return PermissionRow(**{**row, "weekdays": tuple(days) if days else None})
