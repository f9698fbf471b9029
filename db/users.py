"""The people of the household."""

import unicodedata
from uuid import UUID

from db.database import Database

NAME_LENGTH = 255
"""Longest name, in characters."""


async def named(db: Database, name: str, role: str = "adult") -> UUID:
    """Return the person of that name, whom it adds in that role if there is none yet.

    Names are the same without regard to capitals and spacing; somebody active comes before somebody who left. Raises
    ValueError for a name that is empty or longer than NAME_LENGTH; LinkDown, Unstorable.
    """
    spelt = _spelt(name)
    if not 1 <= len(spelt) <= NAME_LENGTH:
        raise ValueError(f"um nome tem de 1 a {NAME_LENGTH} letras")
    async with db.transaction() as connection:
        # Two rooms that hear a new name at the same moment must not add the person twice.
        await connection.execute("SELECT pg_advisory_xact_lock(hashtext('users.name'))")
        known = await connection.fetch("SELECT id, name FROM users ORDER BY is_active DESC, created_at, id")
        for row in known:
            if _spelt(row["name"]).casefold() == spelt.casefold():
                found: UUID = row["id"]
                return found
        sql = "INSERT INTO users (name, role) VALUES ($1, $2) RETURNING id"
        added: UUID = await connection.fetchval(sql, spelt, role)
        return added


async def all_names(db: Database) -> list[str]:
    """Return the names of everybody who lives in the house, in the order they were added. Raises LinkDown."""
    rows = await db.fetch("SELECT name FROM users WHERE is_active ORDER BY created_at, id")
    return [row["name"] for row in rows]


def _spelt(name: str) -> str:
    return " ".join(unicodedata.normalize("NFC", name).split())
