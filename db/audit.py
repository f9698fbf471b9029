"""Who changed what: what the triggers of the database keep in audit_log, and whom they write down.

A plain SQL client is who it is to the server. Mordomo says for whom it acts, within the transaction of the change:

    async with acting_as(db, "Ana", "voice") as connection:
        await reminder_changes.cancel(connection, ids)

`Acting` does the same for one statement. Unless Mordomo says so, a change is its own.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import asyncpg

from db.database import Connection, Database, OwnConnection, Queries
from db.text import clipped

Channel = Literal["voice", "web", "mqtt", "cli"]
"""By which way somebody told Mordomo."""
Action = Literal["INSERT", "UPDATE", "DELETE", "TRUNCATE"]

MOST_ACTOR = 100
"""Longest name of who acts, in characters; `config.updated_by` has no more room."""

ACTING = "SELECT set_config('mordomo.actor', $1, true), set_config('mordomo.channel', $2, true)"

RECENT = """
SELECT at, table_name AS table, row_id, action, old, new, actor, channel FROM audit_log
WHERE ($1::text IS NULL OR table_name = $1) AND ($2::text IS NULL OR row_id = $2)
  AND at >= COALESCE($3, '-infinity'::timestamptz)
ORDER BY at DESC, id DESC LIMIT $4
"""


@dataclass(frozen=True, slots=True)
class Change:
    """One change of one row. `old` and `new` hold only what changed; None where there was no row, or is none now.

    `actor` and everything in `old` and `new` may hold any text: it is data. `channel` is a Channel, `daemon` for
    Mordomo by itself, or `sql`. `row_id` is `*` where the whole table was emptied.
    """

    at: datetime
    table: str
    row_id: str
    action: Action
    old: dict[str, Any] | None
    new: dict[str, Any] | None
    actor: str
    channel: str


async def acting(connection: Connection | OwnConnection, actor: str, channel: Channel) -> None:
    """Have what follows in the connection's transaction be written down as `actor`'s. Raises LinkDown from a Database.

    Outside a transaction it has no effect.
    """
    await connection.execute(ACTING, clipped(" ".join(actor.split()), MOST_ACTOR), channel)


@asynccontextmanager
async def acting_as(db: Database, actor: str, channel: Channel) -> AsyncIterator[Connection]:
    """Yield a connection within a transaction whose changes are written down as `actor`'s. Raises LinkDown."""
    async with db.transaction() as connection:
        await acting(connection, actor, channel)
        yield connection


@dataclass(frozen=True, slots=True)
class Acting:
    """A database whose every statement is a transaction of its own, written down as `actor`'s. Raises as Database."""

    db: Database
    actor: str
    channel: Channel

    async def fetch(self, sql: str, /, *args: Any, timeout: float | None = None) -> list[asyncpg.Record]:
        """Return every row."""
        async with acting_as(self.db, self.actor, self.channel) as connection:
            return await connection.fetch(sql, *args, timeout=timeout)

    async def fetchrow(self, sql: str, /, *args: Any, timeout: float | None = None) -> asyncpg.Record | None:
        """Return the first row, or None."""
        async with acting_as(self.db, self.actor, self.channel) as connection:
            return await connection.fetchrow(sql, *args, timeout=timeout)

    async def fetchval(self, sql: str, /, *args: Any, timeout: float | None = None) -> Any:
        """Return the first value of the first row, or None."""
        async with acting_as(self.db, self.actor, self.channel) as connection:
            return await connection.fetchval(sql, *args, timeout=timeout)

    async def execute(self, sql: str, /, *args: Any, timeout: float | None = None) -> str:
        """Return the command's tag, like "UPDATE 1"."""
        async with acting_as(self.db, self.actor, self.channel) as connection:
            return await connection.execute(sql, *args, timeout=timeout)


async def recent(
    db: Queries,
    table: str | None = None,
    limit: int = 50,
    *,
    since: datetime | None = None,
    row_id: UUID | str | None = None,
) -> list[Change]:
    """Return the newest `limit` changes, the newest first: of every table or one, every row or one. Raises LinkDown."""
    key = None if row_id is None else str(row_id)
    return [Change(**dict(row)) for row in await db.fetch(RECENT, table, key, since, limit)]
