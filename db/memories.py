"""Told facts and remembered messages, and the errands of the outbox that has them embedded.

Who may hear a memory is decided here, in each statement, whatever a store of vectors says: what is a person's private
is for that person alone, secrets are for those who may hear them, guests hear what is for visitors, and what holds in
one room is for who speaks there or names it.
Every function raises LinkDown.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from db.database import Queries, storable
from db.records import new_id
from db.text import clipped
from models.words import Errand, Remembers

MOST_TEXT = 2000
MOST_QUESTION = 400

COLUMNS = "id, kind, text, user_id, told_by, area, importance, secret, created_at, message_id"
# $1 the listener's row or NULL, $2 whether they live here, $3 whether secrets are for them, $4 their room, $5 the
# question, which may name another room.
FOR_WHOM = """
(user_id IS NULL OR user_id = $1) AND ($2 OR (kind = 'fact' AND for_guests)) AND ($3 OR NOT secret)
AND (area IS NULL OR area = $4 OR search_form($5) LIKE '%' || search_form(area) || '%')
"""
SEEN = f"SELECT {COLUMNS} FROM memories WHERE id = ANY ($6::uuid[]) AND {FOR_WHOM}"  # noqa: S608 - constants
ADD = f"""
INSERT INTO memories (id, kind, text, user_id, told_by, area, importance, secret, for_guests, told_in, created_at)
VALUES ($1, 'fact', $2, $3, $4, $5, $6, $7, $8, (SELECT id FROM messages WHERE id = $9), $10) RETURNING {COLUMNS}
"""  # noqa: S608 - constants
LATEST = f"""
SELECT {COLUMNS} FROM memories
WHERE kind = 'fact' AND told_by IS NOT DISTINCT FROM $1 AND created_at >= $2
ORDER BY created_at DESC, id DESC LIMIT 1
"""  # noqa: S608 - constants
LISTED = f"""
SELECT {COLUMNS} FROM memories WHERE ($1::text IS NULL OR kind = $1) ORDER BY created_at DESC, id DESC LIMIT $2
"""  # noqa: S608 - constants
# What told it goes too: a secret is not forgotten while it can be read where it was said.
FORGET = """
WITH gone AS (DELETE FROM memories WHERE id = ANY ($1::uuid[]) RETURNING told_in, message_id)
DELETE FROM messages WHERE id IN (SELECT told_in FROM gone UNION ALL SELECT message_id FROM gone)
"""
CLAIM = """
WITH due AS (
    SELECT memory_id FROM memory_outbox
    WHERE due_at <= $1 AND (lease_until IS NULL OR lease_until <= $1) AND (what = 'remove' OR $5)
    ORDER BY due_at LIMIT $2 FOR UPDATE SKIP LOCKED
), claimed AS (
    UPDATE memory_outbox AS o SET lease_until = $3, leased_by = $4 FROM due WHERE o.memory_id = due.memory_id
    RETURNING o.memory_id, o.what, o.tries
)
SELECT memory_id, CASE WHEN m.id IS NULL THEN 'remove' ELSE what END AS what, tries, m.text, m.user_id
FROM claimed LEFT JOIN memories AS m ON m.id = memory_id
"""
SETTLE = """
WITH done AS (DELETE FROM memory_outbox WHERE memory_id = ANY ($1::uuid[]) AND leased_by = $2 RETURNING memory_id),
marked AS (UPDATE memories SET embedded_by = $3 WHERE id IN (SELECT memory_id FROM done))
SELECT memory_id FROM done
"""
# What changed while it was being embedded is done once more, and what was deleted meanwhile is removed once more.
AGAIN = """
INSERT INTO memory_outbox (memory_id, what)
SELECT given.id, CASE WHEN m.id IS NULL THEN 'remove' ELSE 'put' END
FROM unnest($1::uuid[]) AS given(id) LEFT JOIN memories AS m ON m.id = given.id
ON CONFLICT (memory_id) DO NOTHING
"""
POSTPONE = """
UPDATE memory_outbox SET lease_until = NULL, leased_by = NULL, tries = tries + 1, fault = $3, due_at = $4
WHERE memory_id = ANY ($1::uuid[]) AND leased_by = $2
"""
NEXT_DUE = """
SELECT min(GREATEST(due_at, COALESCE(lease_until, due_at))) FROM memory_outbox WHERE what = 'remove' OR $1
"""
PUT_ALL = """
INSERT INTO memory_outbox (memory_id, what) SELECT id, 'put' FROM memories WHERE $1 OR embedded_by IS DISTINCT FROM $2
ON CONFLICT (memory_id) DO UPDATE
SET what = 'put', due_at = now(), lease_until = NULL, leased_by = NULL, tries = 0, fault = NULL
"""
ERRANDS = """
INSERT INTO memory_outbox (memory_id, what) SELECT unnest($1::uuid[]), $2 ON CONFLICT (memory_id) DO UPDATE
SET what = EXCLUDED.what, due_at = now(), lease_until = NULL, leased_by = NULL, tries = 0, fault = NULL
"""
STATE = """
SELECT (SELECT count(*) FROM memories) AS memories, (SELECT count(*) FROM memory_outbox) AS waiting,
       (SELECT fault FROM memory_outbox WHERE fault IS NOT NULL ORDER BY due_at DESC LIMIT 1) AS fault
"""


@dataclass(frozen=True, slots=True)
class Listener:
    """For whom something is recalled: their row if any, whether they live here and may hear secrets, and their room."""

    user_id: UUID | None = None
    resident: bool = False
    secrets: bool = False
    area: str | None = None


@dataclass(frozen=True, slots=True)
class MemoryRow:
    """A memory; its fields stand as COLUMNS."""

    id: UUID
    kind: Remembers
    text: str
    user_id: UUID | None
    told_by: UUID | None
    area: str | None
    importance: float
    secret: bool
    created_at: datetime
    message_id: UUID | None


@dataclass(frozen=True, slots=True)
class NewFact:
    """A fact to keep. `area` only where it holds in that room alone; `told_in` is the message that told it.

    Who does not live here hears what is `for_guests`, and nothing else.
    """

    text: str
    user_id: UUID | None = None
    told_by: UUID | None = None
    area: str | None = None
    importance: float = 0.5
    secret: bool = False
    for_guests: bool = False
    told_in: UUID | None = None


@dataclass(frozen=True, slots=True)
class Task:
    """A claimed errand: `text` and `user_id` are the memory's now; without them there is no such memory any more."""

    memory_id: UUID
    what: Errand
    tries: int
    text: str | None
    user_id: UUID | None


@dataclass(frozen=True, slots=True)
class State:
    """How many memories there are, how many errands wait, and why the last that failed did."""

    memories: int
    waiting: int
    fault: str | None


async def add(db: Queries, fact: NewFact, now: datetime) -> MemoryRow:
    """Store a fact; it is committed when this returns (unless `db` is a transaction). ValueError: nothing to keep."""
    text = " ".join(fact.text.split())
    if not text:
        raise ValueError("Guardar o quê?")
    row = await db.fetchrow(
        ADD, new_id(), clipped(text, MOST_TEXT), fact.user_id, fact.told_by,
        fact.area and clipped(fact.area, 100), fact.importance, fact.secret, fact.for_guests, fact.told_in,
        now,
    )  # fmt: skip
    assert row is not None  # noqa: S101 - RETURNING
    return _memory(row)


async def seen(db: Queries, ids: Sequence[UUID], question: str, listener: Listener) -> list[MemoryRow]:
    """Return those of the ids that exist and may be told to the listener, in any order."""
    asked = storable(question[:MOST_QUESTION])
    return [_memory(row) for row in await db.fetch(SEEN, *circumstances(listener), asked, ids)]


async def latest(db: Queries, told_by: UUID | None, since: datetime) -> MemoryRow | None:
    """Return the newest fact that this person told since then."""
    row = await db.fetchrow(LATEST, told_by, since)
    return _memory(row) if row is not None else None


async def listed(db: Queries, kind: Remembers | None = None, most: int = 1000) -> list[MemoryRow]:
    """Return memories whosesoever they are, the newest first: for whoever minds the house at its machine."""
    return [_memory(row) for row in await db.fetch(LISTED, kind, most)]


async def forget(db: Queries, ids: Sequence[UUID]) -> None:
    """Delete memories and the messages that told them; the outbox has their vectors removed."""
    await db.execute(FORGET, ids)


async def claim(db: Queries, now: datetime, limit: int, lease_s: float, worker: str, *, puts: bool) -> list[Task]:
    """Lease up to `limit` errands that are due, the oldest first; without `puts`, removals alone.

    Until the lease ends nobody else claims them.
    """
    rows = await db.fetch(CLAIM, now, limit, now + timedelta(seconds=lease_s), worker, puts)
    return [Task(**dict(row)) for row in rows]


async def settle(db: Queries, ids: Sequence[UUID], worker: str, embedded_by: str) -> None:
    """Record that these errands are done; those that changed meanwhile are left, or put, to be done again."""
    done = {row["memory_id"] for row in await db.fetch(SETTLE, ids, worker, embedded_by)}
    if changed := [each for each in ids if each not in done]:
        await db.execute(AGAIN, changed)


async def postpone(db: Queries, ids: Sequence[UUID], worker: str, fault: str, until: datetime) -> None:
    """Give errands back after a failure, to be tried again from `until` on."""
    await db.execute(POSTPONE, ids, worker, clipped(fault, 500), until)


async def next_due(db: Queries, *, puts: bool) -> datetime | None:
    """Return when to claim again, or None where nothing waits."""
    moment: datetime | None = await db.fetchval(NEXT_DUE, puts)
    return moment


async def put_all(db: Queries, embedded_by: str, *, again: bool = False) -> int:
    """Have embedded whatever another store or model has embedded, or nobody; with `again`, everything."""
    tag = await db.execute(PUT_ALL, again, embedded_by, timeout=120)
    return int(tag.rsplit(" ", 1)[-1])


async def embedded_otherwise(db: Queries, embedded_by: str) -> bool:
    """Tell whether any memory was embedded by another store or model than this."""
    sql = "SELECT EXISTS (SELECT FROM memories WHERE embedded_by <> $1)"
    return bool(await db.fetchval(sql, embedded_by))


async def errands(db: Queries, ids: Sequence[UUID], what: Errand) -> None:
    """Have these put, or removed."""
    await db.execute(ERRANDS, ids, what)


async def expected(db: Queries) -> set[UUID]:
    """Return the ids of which the store of vectors should hold a point: all that wait for nothing."""
    sql = "SELECT id FROM memories WHERE NOT EXISTS (SELECT FROM memory_outbox WHERE memory_id = id)"
    return {row["id"] for row in await db.fetch(sql, timeout=60)}


async def waiting(db: Queries) -> set[UUID]:
    """Return the ids of which an errand is on its way."""
    return {row["memory_id"] for row in await db.fetch("SELECT memory_id FROM memory_outbox", timeout=60)}


async def state(db: Queries) -> State:
    """Return how memory is."""
    row = await db.fetchrow(STATE)
    assert row is not None  # noqa: S101 - one row, always
    return State(**dict(row))


def circumstances(listener: Listener) -> tuple[Any, ...]:
    """Return what FOR_WHOM asks of the listener."""
    return listener.user_id, listener.resident, listener.secrets, listener.area


def _memory(row: asyncpg.Record) -> MemoryRow:
    return MemoryRow(**dict(row))
