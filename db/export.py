"""All that the database holds of a person, by the catalogue, as JSON."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from db.belongings import ROOT, catalogue, rows_of
from db.database import Connection, Queries

EXPORT_S = 120.0
"""Longest single statement, in seconds."""
LEFT_OUT = frozenset({"tsvector", "bytea"})
"""What is made of a row's other columns, and what is no text."""
# Lines of the audit and of the log that are about them, as an erasure finds them.
AUDITED = """
SELECT to_jsonb(a) FROM audit_log AS a
WHERE row_id = ANY ($1) OR lower(actor) = lower($2) OR EXISTS (
    SELECT FROM jsonb_each_text(coalesce(new, old, '{}')) AS held
    WHERE held.value = ANY ($1) OR lower(held.value) = lower($2))
ORDER BY at, id
"""
LOGGED = """
SELECT to_jsonb(l) FROM system_logs AS l
WHERE message || ' ' || metadata::text ~* ('(?<!\\w)' || regexp_replace($2, '([^\\w\\s])', '\\\\\\1', 'g') || '(?!\\w)')
    OR EXISTS (
        SELECT FROM regexp_matches(message || ' ' || metadata::text,
            '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}', 'g') AS part WHERE part[1] = ANY ($1))
ORDER BY timestamp, id
"""

Rows = Sequence[dict[str, Any]]


async def exported(connection: Connection, user_id: UUID, name: str) -> Mapping[str, Rows]:
    """Return every row of a person's, by table; of one view of the database, in a transaction. Raises LinkDown.

    Every table that can hold something of a person's is named, also where it holds nothing.
    """
    of = await catalogue(connection)
    theirs = await rows_of(connection, of, user_id, name)
    found: dict[str, Rows] = {}
    for table in of.reached([ROOT, *theirs]):
        moment = of.moment(table)
        order = f'ORDER BY t."{moment}"' if moment else ""
        without = [column for column, kind in of.columns[table].items() if kind in LEFT_OUT]
        # The names come from the catalogue, quoted.
        sql = f'SELECT to_jsonb(t) - $2::text[] FROM "{table}" AS t WHERE {of.key(table)} = ANY ($1) {order}'  # noqa: S608
        keys = list(theirs.get(table, ()))
        found[table] = [row[0] for row in await connection.fetch(sql, keys, without, timeout=EXPORT_S)]
    ids = [key for keys in theirs.values() for key in keys if len(key) == 36]
    for table, sql in (("audit_log", AUDITED), ("system_logs", LOGGED)):
        found[table] = [row[0] for row in await connection.fetch(sql, ids, name, timeout=EXPORT_S)]
    return found


async def named_person(db: Queries, name: str) -> tuple[UUID, str] | None:
    """Return the id and the name of the person of that name, also one who left; None where there is none."""
    row = await db.fetchrow(
        "SELECT id, name FROM users WHERE lower(name) = lower($1) ORDER BY is_active DESC, created_at LIMIT 1",
        " ".join(name.split()),
    )
    return None if row is None else (row["id"], row["name"])
