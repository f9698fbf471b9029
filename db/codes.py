"""Spoken codes: one a person, as a salted hash. What the digits are is known nowhere."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from db.database import Queries

MOST_WRONG = 3
LOCKED_FOR = timedelta(minutes=10)

PUT = """
INSERT INTO spoken_codes (user_id, salt, hash, n, r, p, set_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (user_id) DO UPDATE SET salt = EXCLUDED.salt, hash = EXCLUDED.hash, n = EXCLUDED.n, r = EXCLUDED.r,
    p = EXCLUDED.p, set_at = EXCLUDED.set_at, wrong = 0, locked_until = NULL
"""
# Counted before it is compared: who tries twice at once, or is cut off, has tried.
TRY = """
UPDATE spoken_codes SET wrong = CASE WHEN locked_until IS NULL THEN wrong + 1 ELSE 1 END,
    locked_until = CASE WHEN locked_until IS NULL AND wrong + 1 >= $3 THEN $4::timestamptz END
WHERE user_id = $1 AND (locked_until IS NULL OR locked_until <= $2)
RETURNING salt, hash, n, r, p, wrong, locked_until
"""
LOCKED = """
SELECT name, locked_until FROM spoken_codes JOIN users ON users.id = user_id WHERE is_active AND locked_until > $1
ORDER BY name
"""


@dataclass(frozen=True, slots=True)
class Hashed:
    """A code's hash, and with which salt and parameters of scrypt it was made."""

    salt: bytes
    hash: bytes
    n: int
    r: int
    p: int


@dataclass(frozen=True, slots=True)
class Try:
    """One try that was counted: what to compare with, and until when the code is locked if it was wrong."""

    hashed: Hashed
    locks_until: datetime | None


async def put(db: Queries, user_id: UUID, hashed: Hashed, at: datetime) -> None:
    """Set a person's code, in the place of an older one. Raises LinkDown."""
    await db.execute(PUT, user_id, hashed.salt, hashed.hash, hashed.n, hashed.r, hashed.p, at)


async def remove(db: Queries, user_id: UUID) -> bool:
    """Take a person's code away; False where there is none. Raises LinkDown."""
    return await db.fetchval("DELETE FROM spoken_codes WHERE user_id = $1 RETURNING TRUE", user_id) is True


async def begin(db: Queries, user_id: UUID, now: datetime) -> Try | None:
    """Count a try and return it; None where there is no code, or it is locked. Raises LinkDown."""
    row = await db.fetchrow(TRY, user_id, now, MOST_WRONG, now + LOCKED_FOR)
    return None if row is None else Try(Hashed(*row[:5]), row["locked_until"])


async def right(db: Queries, user_id: UUID) -> None:
    """Let a try have been right: none counts any more. Raises LinkDown."""
    await db.execute("UPDATE spoken_codes SET wrong = 0, locked_until = NULL WHERE user_id = $1", user_id)


async def locked(db: Queries, now: datetime) -> list[tuple[str, datetime]]:
    """Return whose codes are locked, and until when. Raises LinkDown."""
    return [(row["name"], row["locked_until"]) for row in await db.fetch(LOCKED, now)]


async def owners(db: Queries) -> set[UUID]:
    """Return who has a code. Raises LinkDown."""
    return {row[0] for row in await db.fetch("SELECT user_id FROM spoken_codes")}
