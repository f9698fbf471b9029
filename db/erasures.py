"""Receipts of erasures: what went, by digests, so that anybody can look whether any of it is there again.

The receipt keeps no id: of each row that went it has the SHA-256 of the receipt's own id and the row's key, so that
"is any of them there?" has an answer, and nothing else can be learnt from it.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

from db.belongings import catalogue
from db.database import Queries

if TYPE_CHECKING:
    from models.words import ConsentWay, ErasureScope

CHECK_S = 120.0
"""Longest single statement of a check, in seconds."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """A row of `erasures`; see the model."""

    id: UUID
    asked_at: datetime
    asked_by: str
    how: "ConsentWay"
    scope: "ErasureScope"
    since: datetime | None
    holds_from: datetime | None
    counts: dict[str, int]
    digests: dict[str, list[str]]
    pending: dict[str, Any] | None
    finished_at: datetime | None
    verified_at: datetime | None
    left_over: dict[str, int] | None
    backups: dict[str, Any]


async def finish(db: Queries, key: UUID, gone: Mapping[str, Iterable[str]], now: datetime) -> Receipt:
    """Write down that vectors and files (`gone`, their names by store) went too, and that nothing is pending."""
    known = await receipt(db, key)
    if known is None:
        raise ValueError("não há esse recibo")
    new = {store: set(digested(key, each)) for store, each in gone.items()}
    digests = known.digests | {
        store: sorted({*known.digests.get(store, ()), *each}) for store, each in new.items() if each
    }
    counts = known.counts | {store: len(digests[store]) for store, each in new.items() if each}
    # Who comes second (a command and the daemon may both be at it) has found nothing that the first had not.
    sql = (
        "UPDATE erasures SET counts = $2, digests = $3, pending = NULL, finished_at = $4"
        " WHERE id = $1 AND finished_at IS NULL"
    )
    await db.execute(sql, key, counts, digests, now)
    done = await receipt(db, key)
    assert done is not None  # noqa: S101 - receipts are never deleted
    return done


async def receipt(db: Queries, key: UUID) -> Receipt | None:
    """Return a receipt, or None where there is none of that id. Raises LinkDown."""
    row = await db.fetchrow("SELECT * FROM erasures WHERE id = $1", key)
    return None if row is None else Receipt(**dict(row))


async def receipts(db: Queries, where: Literal["all", "unfinished", "backups"] = "all") -> list[Receipt]:
    """Return receipts, the newest first: all, those under way, or those whose backups wait to be replaced."""
    conditions = {"all": "TRUE", "unfinished": "finished_at IS NULL",
                  "backups": "finished_at IS NOT NULL AND backups ->> 'state' = 'pending'"}  # fmt: skip
    sql = f"SELECT * FROM erasures WHERE {conditions[where]} ORDER BY asked_at DESC"  # noqa: S608 - constants
    return [Receipt(**dict(row)) for row in await db.fetch(sql)]


async def found_again(db: Queries, of: Receipt) -> dict[str, int]:
    """Return how many rows that were erased are there all the same, by table; empty is as it should be."""
    known = await catalogue(db)
    again = {}
    for table, digests in of.digests.items():
        if table not in known.keys:
            continue
        sql = (
            f'SELECT count(*) FROM "{table}" AS t '  # noqa: S608 - the table is the catalogue's
            f"WHERE encode(sha256(convert_to($1 || {known.key(table)}, 'UTF8')), 'hex') = ANY ($2)"
        )
        if count := await db.fetchval(sql, str(of.id), digests, timeout=CHECK_S):
            again[table] = int(count)
    return again


async def checked(db: Queries, key: UUID, left_over: Mapping[str, int], now: datetime) -> None:
    """Write down what a check found; without a remainder it counts as verified."""
    sql = "UPDATE erasures SET left_over = $2, verified_at = CASE WHEN $3 THEN $4 ELSE verified_at END WHERE id = $1"
    await db.execute(sql, key, dict(left_over), not left_over, now)


async def note_backups(db: Queries, key: UUID, backups: Mapping[str, Any]) -> None:
    """Write down how the backups stand that hold what was erased."""
    await db.execute("UPDATE erasures SET backups = $2 WHERE id = $1", key, dict(backups))


async def tables_with(db: Queries, words: str) -> dict[str, int]:
    """Return how many rows of each table hold these words anywhere, whatever the column; empty where none does."""
    found = {}
    for table in (await catalogue(db)).columns:
        sql = f'SELECT count(*) FROM "{table}" AS t WHERE position(lower($1) IN lower(t::text)) > 0'  # noqa: S608
        if count := await db.fetchval(sql, words, timeout=CHECK_S):
            found[table] = int(count)
    return found


def digested(key: UUID, names: Iterable[str]) -> list[str]:
    """Return the digests of names, in order of the digests, so that not even their order tells anything."""
    return sorted(hashlib.sha256(f"{key}{name}".encode()).hexdigest() for name in names)
