"""Partitions of the tables that only grow: made ahead of time, dropped when old; the rest of what is old, deleted.

Every insert finds a place, in the default partition if in no other, so nothing here is ever urgent. The functions that
make and drop (`r0002_partitions.py`, `r0010_retirement.py` of `db/migrations/versions`) wait for a table at most half a
second, because everybody else's statements queue behind them; then TableHeld is raised, nothing was done, and the
caller tries again later.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

import asyncpg

from db.database import Database
from db.errors import MordomoError

STATEMENT_S = 120.0
"""Longest statement: moving or deleting what fell into a default partition while nobody looked after it."""
MOST_PARTITIONS = 31
"""Partitions taken out in one transaction; each takes several of the server's locks."""
MOST_ROWS = 5_000
"""Rows deleted in one transaction."""
MOST_CONVERSATIONS = 500


@dataclass(frozen=True, slots=True)
class Partitioned:
    """A table in partitions by `moment`, and how far ahead they are made."""

    table: str
    moment: str
    ahead: timedelta


SYSTEM_LOGS = Partitioned("system_logs", "timestamp", timedelta(days=7))
ENTITY_STATES = Partitioned("entity_states", "at", timedelta(days=7))
AUDIT_LOG = Partitioned("audit_log", "at", timedelta(days=62))


class TableHeld(MordomoError):  # noqa: N818 - a state, as the rest of the tree
    """Somebody reads or writes the table for long; nothing was done."""


async def create_ahead(db: Database, of: Partitioned, now: datetime) -> int:
    """Make the partitions from `now`'s own to `of.ahead` later that are missing; return how many.

    Rows of theirs that had fallen into the default partition are moved. Raises TableHeld, LinkDown.
    """
    async with _briefly():
        made: int = await db.fetchval(
            "SELECT create_partitions($1, $2, $3)", of.table, now, now + of.ahead, timeout=STATEMENT_S
        )
    return made


async def drop_older(db: Database, of: Partitioned, before: datetime) -> int:
    """Drop the partitions that hold nothing from `before` on; return how many. Raises TableHeld, LinkDown.

    Their rows are gone for everybody before the first file is removed, and for good, whatever crashes, with that file.
    A daemon that is killed in between leaves tables that nobody reaches, and the next call removes them.
    """
    dropped = await detach_older(db, of, before)
    await drop_detached(db, of)
    return dropped


async def detach_older(db: Database, of: Partitioned, before: datetime) -> int:
    """Take those partitions out of their table; return how many. Others wait for this, and it is soon done."""
    detached = 0
    while True:
        async with _briefly():
            count: int = await db.fetchval("SELECT drop_partitions($1, $2, $3)", of.table, before, MOST_PARTITIONS)
        detached += count
        if count < MOST_PARTITIONS:
            return detached


async def drop_detached(db: Database, of: Partitioned) -> int:
    """Drop what was taken out, one table in a transaction: its files take time, but nobody waits. Return how many."""
    dropped = 0
    async with _briefly():
        while await db.fetchval("SELECT drop_detached($1)", of.table, timeout=STATEMENT_S):
            dropped += 1
    return dropped


async def delete_older(db: Database, of: Partitioned, before: datetime) -> int:
    """Delete the rows before `before` from the default partition; return how many. Raises LinkDown."""
    # The table's names are constants of this file.
    delete = (
        f"DELETE FROM {of.table}_default WHERE ctid = ANY (ARRAY("  # noqa: S608
        f"SELECT ctid FROM {of.table}_default WHERE {of.moment} < $1 LIMIT $2))"
    )
    return await _in_batches(db, delete, before, MOST_ROWS)


# A conversation goes as a whole, its messages and actions with it: what stays is never half a conversation.
FORGET = """
DELETE FROM conversations WHERE id = ANY (ARRAY(
    SELECT id FROM conversations AS c
    WHERE started_at < $1
      AND NOT EXISTS (SELECT FROM messages AS m WHERE m.conversation_id = c.id AND m.timestamp >= $1)
    ORDER BY started_at LIMIT $2 FOR UPDATE SKIP LOCKED))
"""


async def forget_conversations(db: Database, before: datetime) -> int:
    """Delete the conversations that were over before `before`; return how many. Raises LinkDown."""
    return await _in_batches(db, FORGET, before, MOST_CONVERSATIONS)


async def _in_batches(db: Database, delete: str, before: datetime, most: int) -> int:
    deleted = 0
    while True:
        tag = await db.execute(delete, before, most, timeout=STATEMENT_S)
        count = int(tag.split()[-1])
        deleted += count
        if count < most:
            return deleted


@asynccontextmanager
async def _briefly() -> AsyncIterator[None]:
    try:
        yield
    except (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError) as held:
        raise TableHeld(str(held)) from held
