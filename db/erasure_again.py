"""Erasing once more what a restored backup brought back: the receipt's digests find it, though nobody else could."""

from db.belongings import Catalogue, catalogue, with_theirs
from db.database import Connection, Database, Queries
from db.erasure import ERASE_S, RECOUNT, Pending, unname
from db.erasures import Receipt, receipt

DIGEST = "encode(sha256(convert_to($1 || {key}, 'UTF8')), 'hex') = ANY ($2)"
FORGET_VOICES = f"""
UPDATE users SET voice_enrolled = FALSE, speaker_embedding_id = NULL, metadata = metadata - 'voice'
WHERE speaker_embedding_id IS NOT NULL AND {DIGEST.format(key="speaker_embedding_id")}
"""  # noqa: S608 - constants of this file
INSERT = """
INSERT INTO erasures (id, asked_at, asked_by, how, scope, since, holds_from, counts, digests, pending, backups)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, '{"state": "pending"}')
"""


async def missing(db: Queries, known: set[str]) -> set[str]:
    """Return which of these receipts, by id, the database does not have: it is older than they are. Raises LinkDown."""
    there = {row[0] for row in await db.fetch("SELECT id::text FROM erasures WHERE id::text = ANY ($1)", list(known))}
    return known - there


async def erase_again(db: Database, old: Receipt) -> Receipt:
    """Erase what a receipt says is gone from a database that has it again, and put the receipt back. Raises LinkDown.

    In one transaction; what refers to rows that went goes as well. Vectors elsewhere are still to go (`pending`).
    """
    async with db.transaction() as connection:
        await connection.execute("SELECT pg_advisory_xact_lock(hashtext('erasures'))")
        if (there := await receipt(connection, old.id)) is not None:
            return there  # somebody else was at it
        of = await catalogue(connection)
        roots = {table: await _found(connection, of, table, old) for table in old.digests if of.keys.get(table)}
        gone = await with_theirs(connection, of, {table: keys for table, keys in roots.items() if keys})
        touched = await connection.fetch(
            "SELECT DISTINCT conversation_id::text FROM messages WHERE id::text = ANY ($1)",
            list(gone.get("messages", ())),
        )
        ids = [key for keys in gone.values() for key in keys if len(key) == 36 and key.count("-") == 4]
        whose = await connection.fetch("SELECT name FROM users WHERE id::text = ANY ($1)", list(gone.get("users", ())))
        names = [row[0] for row in whose]
        values = (old.id, old.asked_at, old.asked_by, old.how, old.scope, old.since, old.holds_from, old.counts,
                  old.digests, Pending(tuple(ids)).as_json())  # fmt: skip
        await connection.execute(INSERT, *values)
        for table, keys in roots.items():
            sql = f'DELETE FROM "{table}" AS t WHERE {of.key(table)} = ANY ($1)'  # noqa: S608
            await connection.execute(sql, list(keys), timeout=ERASE_S)
        await connection.execute(RECOUNT, [row[0] for row in touched], timeout=ERASE_S)
        await _forget_vectors(connection, of, old)
        for name in names:
            await unname(connection, of, name)
        await connection.fetchval("SELECT erase_traces($1, $2, $3, NULL)", old.id, ids, names, timeout=ERASE_S)
        back = await receipt(connection, old.id)
    assert back is not None  # noqa: S101 - it was written above
    return back


async def _found(connection: Connection, of: Catalogue, table: str, old: Receipt) -> set[str]:
    sql = f'SELECT {of.key(table)} FROM "{table}" AS t WHERE {DIGEST.format(key=of.key(table))}'  # noqa: S608
    return {row[0] for row in await connection.fetch(sql, str(old.id), old.digests[table], timeout=ERASE_S)}


async def _forget_vectors(connection: Connection, of: Catalogue, old: Receipt) -> None:
    """Delete vectors that lie in tables, and whose voice is enrolled by one of them."""
    for collection in ("memories", "voices"):
        digests = old.digests.get(f"vectors.{collection}", [])
        for table in (each for each in ("vectors", "vectors_indexed") if each in of.columns):
            sql = f"DELETE FROM {table} WHERE collection = $3 AND {DIGEST.format(key='id::text')}"  # noqa: S608
            await connection.execute(sql, str(old.id), digests, collection, timeout=ERASE_S)
    await connection.execute(FORGET_VOICES, str(old.id), old.digests.get("vectors.voices", []))
