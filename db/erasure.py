"""Erasing what is a person's from the database, in one transaction, with a receipt by which it can be checked again.

What belongs to somebody comes from the catalogue (`db/belongings.py`); what a receipt is, `db/erasures.py` tells.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID, uuid4

from db.belongings import ALSO, ROOT, Catalogue, catalogue, owned, rows_of, with_theirs
from db.database import Connection, Database, Queries
from db.erasures import Receipt, digested, receipt

if TYPE_CHECKING:
    from models.words import ConsentWay, ErasureScope

ERASE_S = 120.0
"""Longest single statement, in seconds."""
SAID: Mapping[str, str] = {"messages": "timestamp", "actions": "created_at", "memories": "created_at",
                           "reminders": "created_at", "approvals": "asked_at"}  # fmt: skip
"""What "what I said today" reaches, by when it came to be; the rest of a person's stays then."""
OF_KIND: Mapping[str, tuple[str, ...]] = {"memory": ("memories",), "voiceprint": (), "audio": ()}
"""The tables that one consent allows to be filled."""
FORGET_VOICE = """
UPDATE users SET voice_enrolled = FALSE, speaker_embedding_id = NULL, metadata = metadata - 'voice' WHERE id = $1
"""
VOICE_OF = "SELECT speaker_embedding_id, metadata -> 'voice' ->> 'far' FROM users WHERE id = $1"
HELD_FROM = (
    "SELECT LEAST(created_at, (SELECT min(started_at) FROM conversations WHERE user_id = $1)) FROM users WHERE id = $1"
)
EMPTY = """
SELECT DISTINCT m.conversation_id::text FROM messages AS m WHERE m.id::text = ANY ($1) AND NOT EXISTS (
    SELECT FROM messages AS other WHERE other.conversation_id = m.conversation_id AND NOT other.id::text = ANY ($1))
"""
RECOUNT = """
UPDATE conversations AS c SET message_count = (SELECT count(*) FROM messages WHERE conversation_id = c.id)
WHERE c.id::text = ANY ($1)
"""
# An action that nobody asked for aloud (a reminder's) refers to its row in what it holds only.
ACTIONS_OF = """
SELECT a.id::text FROM actions AS a WHERE a.message_id IS NULL AND EXISTS (
    SELECT FROM regexp_matches(a.parameters::text || coalesce(a.result::text, ''),
        '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}', 'g') AS found WHERE found[1] = ANY ($1))
"""
# The next occurrence of an old series is new as a row only.
SERIES_BEGAN = """
CASE WHEN t.series_id IS NULL THEN t.created_at
    ELSE (SELECT f.created_at FROM reminders AS f WHERE f.id = t.series_id) END
"""
BEGIN = """
INSERT INTO erasures (id, asked_at, asked_by, how, scope, since, holds_from, pending, backups)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, '{"state": "pending"}')
"""


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be erased: of whom (None: of voices that nobody knows), since when, by which scope; and who asks."""

    user_id: UUID | None
    name: str | None
    scope: "ErasureScope"
    how: "ConsentWay"
    asked_by: Literal["self", "other"] = "self"
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Pending:
    """What of an erasure is still to go beyond the rows: points of the vector store, and clips of sound.

    `clips` names the folder and the moment from which on, if any; kept in the receipt until it is done.
    """

    points: tuple[str, ...] = ()
    clips_of: str | None = None
    clips_since: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return it as the receipt holds it."""
        return {"points": list(self.points), "clips_of": self.clips_of, "clips_since": self.clips_since}

    @classmethod
    def of_json(cls, raw: Mapping[str, Any]) -> "Pending":
        """Read it from a receipt."""
        return cls(tuple(raw["points"]), raw["clips_of"], raw["clips_since"])


@dataclass(slots=True)
class _Going:
    """The rows that go, by table, and what else must be known before they are gone."""

    roots: dict[str, set[str]] = field(default_factory=dict)
    rows: dict[str, set[str]] = field(default_factory=dict)
    points: set[str] = field(default_factory=set)
    holds_from: datetime | None = None


async def counted(db: Queries, wish: Wish) -> dict[str, int]:
    """Return how many rows an erasure would take, by table; nothing is changed. Raises LinkDown."""
    going = await _going(db, await catalogue(db), wish)
    return {table: len(keys) for table, keys in going.rows.items() if keys}


async def erase_rows(db: Database, wish: Wish, now: datetime) -> Receipt:
    """Erase the rows, and return the receipt so far: vectors and files are still to go. Raises LinkDown.

    Either all of it is done, or nothing.
    """
    key = uuid4()
    async with db.transaction() as connection:
        await connection.execute("SELECT pg_advisory_xact_lock(hashtext('erasures'))")
        of = await catalogue(connection)
        going = await _going(connection, of, wish)
        clips = wish.scope in {"person", "since", "audio"} and wish.user_id is not None
        since = wish.since.isoformat() if wish.since else None
        pending = Pending(tuple(sorted(going.points)), str(wish.user_id) if clips else None, since)
        await connection.execute(BEGIN, key, now, wish.asked_by, wish.how, wish.scope, wish.since,
                                 wish.since or going.holds_from, pending.as_json())  # fmt: skip
        await _delete(connection, of, going, wish)
        vectors = await _forget_vectors(connection, of, going, wish)
        traces = await _traces(connection, key, going, wish)
        gone = {table: keys for table, keys in (going.rows | vectors).items() if keys}
        counts = {table: len(keys) for table, keys in gone.items()} | traces
        digests = {table: digested(key, keys) for table, keys in gone.items()}
        await connection.execute("UPDATE erasures SET counts = $2, digests = $3 WHERE id = $1", key, counts, digests)
        found = await receipt(connection, key)
    assert found is not None  # noqa: S101 - it was written above
    return found


async def _going(db: Queries, of: Catalogue, wish: Wish) -> _Going:
    going = _Going()
    if wish.user_id is None:
        going.roots = await _of_nobody(db, wish)
    elif wish.scope == "person":
        theirs = await rows_of(db, of, wish.user_id, wish.name or "")
        going.roots = {ROOT: {str(wish.user_id)}, **{table: theirs.get(table, set()) for table in ALSO}}
        going.holds_from = await db.fetchval(HELD_FROM, wish.user_id)
    elif wish.scope == "since":
        going.roots = await _said_since(db, of, wish, (wish.user_id, wish.name or ""))
    else:
        whose = (wish.user_id, wish.name or "")
        going.roots = {table: await owned(db, of, table, whose) for table in OF_KIND[wish.scope]}
        going.holds_from = await db.fetchval(HELD_FROM, wish.user_id)
    going.rows = await with_theirs(db, of, going.roots)
    if "actions" in of.columns and (ids := _uuids(going.rows)):
        more = {row[0] for row in await db.fetch(ACTIONS_OF, ids, timeout=ERASE_S)}
        if more:
            going.roots.setdefault("actions", set()).update(more)
            going.rows.setdefault("actions", set()).update(more)
    going.points = set(_uuids(going.rows))
    if wish.user_id is not None and wish.scope in {"person", "voiceprint"}:
        voice = await db.fetchrow(VOICE_OF, wish.user_id)
        going.points |= {str(wish.user_id), *(point for point in voice or () if point)}
    return going


async def _said_since(db: Queries, of: Catalogue, wish: Wish, whose: tuple[UUID, str]) -> dict[str, set[str]]:
    assert wish.since is not None  # noqa: S101 - the scope says so
    found = {}
    for table, moment in SAID.items():
        first = SERIES_BEGAN if table == "reminders" else f't."{moment}"'
        since = f"AND {first} >= '{wish.since.isoformat()}'::timestamptz"
        found[table] = await owned(db, of, table, whose, since)
    return await _with_empty_conversations(db, found)


async def _of_nobody(db: Queries, wish: Wish) -> dict[str, set[str]]:
    """Return what was said by voices that nobody knows, and what they told to be remembered."""
    said = ("SELECT m.id::text FROM messages AS m JOIN conversations AS c ON c.id = m.conversation_id"
            " WHERE c.user_id IS NULL AND m.timestamp >= $1")  # fmt: skip
    found = {"messages": {row[0] for row in await db.fetch(said, wish.since)}}
    told = "SELECT id::text FROM memories WHERE told_in::text = ANY ($1)"
    found["memories"] = {row[0] for row in await db.fetch(told, list(found["messages"]))}
    return await _with_empty_conversations(db, found)


async def _with_empty_conversations(db: Queries, found: dict[str, set[str]]) -> dict[str, set[str]]:
    """Add the conversations of which nothing would be left."""
    if messages := found.get("messages"):
        found["conversations"] = {row[0] for row in await db.fetch(EMPTY, list(messages), timeout=ERASE_S)}
    return found


async def _delete(connection: Connection, of: Catalogue, going: _Going, wish: Wish) -> None:
    touched = await connection.fetch(
        "SELECT DISTINCT conversation_id::text FROM messages WHERE id::text = ANY ($1)",
        list(going.rows.get("messages", ())),
    )
    for table, keys in going.roots.items():
        if keys:
            sql = f'DELETE FROM "{table}" AS t WHERE {of.key(table)} = ANY ($1)'  # noqa: S608
            await connection.execute(sql, list(keys), timeout=ERASE_S)
    await connection.execute(RECOUNT, [row[0] for row in touched], timeout=ERASE_S)
    if wish.scope == "voiceprint":
        await connection.execute(FORGET_VOICE, wish.user_id)
    if wish.scope == "person" and wish.name:
        await unname(connection, of, wish.name)


async def unname(connection: Connection, of: Catalogue, name: str) -> None:
    """Put "somebody" in the place of a name in rows that are another's, or the house's."""
    for table, column in of.named():
        instead = "NULL" if column == "escalate_to" else "'alguém'"  # nobody is called for in their place
        sql = f'UPDATE "{table}" SET "{column}" = {instead} WHERE lower("{column}") = lower($1)'  # noqa: S608
        await connection.execute(sql, name, timeout=ERASE_S)


async def _forget_vectors(connection: Connection, of: Catalogue, going: _Going, wish: Wish) -> dict[str, set[str]]:
    """Delete the vectors that lie in tables, whichever store is in use now; return their ids by collection."""
    collections = {"memory": ["memories"], "voiceprint": ["voices"]}.get(wish.scope, ["memories", "voices"])
    owner = wish.user_id if wish.scope in {"person", *OF_KIND} and wish.scope != "audio" else None
    found: dict[str, set[str]] = {}
    for table in (each for each in ("vectors", "vectors_indexed") if each in of.columns):
        sql = (
            f"DELETE FROM {table} WHERE collection = ANY ($1) AND (id::text = ANY ($2) OR owner = $3) "  # noqa: S608
            "RETURNING collection, id::text"
        )
        for row in await connection.fetch(sql, collections, list(going.points), owner, timeout=ERASE_S):
            found.setdefault(f"vectors.{row[0]}", set()).add(row[1])
    return found


async def _traces(connection: Connection, key: UUID, going: _Going, wish: Wish) -> dict[str, int]:
    """Take them out of the audit and the log; return how many lines of each."""
    names = [wish.name] if wish.name and wish.scope in {"person", "since"} else []
    ids = sorted({*_uuids(going.rows), *going.points})
    told: dict[str, int] = await connection.fetchval(
        "SELECT erase_traces($1, $2, $3, $4)", key, ids, names, wish.since, timeout=ERASE_S
    )
    return {table: count for table, count in told.items() if count}


def _uuids(rows: Mapping[str, set[str]]) -> list[str]:
    """Return the keys that are UUIDs: a mere number is the key of many a row."""
    return [key for keys in rows.values() for key in keys if len(key) == 36 and key.count("-") == 4]
