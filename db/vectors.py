"""Vectors in Postgres: as plain bytes on any server, and indexed where it has pgvector. Every function raises LinkDown.

A vector goes over the line as PostgreSQL's own text for pgvector, `[0.1,0.2]`, and as little-endian float32 bytes for
the plain table.
"""

from collections.abc import Collection, Sequence
from uuid import UUID

from db.database import Database, Queries

AVAILABLE = """
SELECT to_regclass('vectors_indexed') IS NOT NULL AND EXISTS (SELECT FROM pg_extension WHERE extname = 'vector')
"""
VERSION = "SELECT extversion FROM pg_extension WHERE extname = 'vector'"
ITERATES_FROM = (0, 8)
"""The version of pgvector from which an index goes on looking where a filter leaves too few."""

PUT_INDEXED = """
INSERT INTO vectors_indexed (collection, id, owner, length, embedding)
SELECT $1, given.id, given.owner, $5, given.embedding::vector
FROM unnest($2::uuid[], $3::uuid[], $4::text[]) AS given(id, owner, embedding)
ON CONFLICT (collection, id) DO UPDATE
SET owner = EXCLUDED.owner, length = EXCLUDED.length, embedding = EXCLUDED.embedding
"""
# The length stands in the statement itself, or no partial index would fit it. The index holds half the precision, which
# halves what has to be in memory; the score is of the whole.
NEAR_INDEXED = """
SELECT id, -(embedding <#> $2::text::vector) AS score FROM vectors_indexed
WHERE collection = $1 AND length = {length}
  AND ($3::uuid[] IS NULL OR owner = ANY ($3) OR (owner IS NULL AND $4))
ORDER BY embedding::halfvec({length}) <#> $2::text::halfvec({length}) LIMIT $5
"""
WIDELY = "SET LOCAL hnsw.ef_search = {wide}"
ITERATIVELY = "SET LOCAL hnsw.iterative_scan = strict_order"
LENGTH_INDEXED = "SELECT length FROM vectors_indexed WHERE collection = $1 LIMIT 1"
GET_INDEXED = (
    "SELECT id, embedding::real[] AS numbers FROM vectors_indexed WHERE collection = $1 AND id = ANY ($2::uuid[])"
)
ALL_INDEXED = "SELECT id, owner, embedding::real[] AS numbers FROM vectors_indexed WHERE collection = $1"

PUT_PLAIN = """
INSERT INTO vectors (collection, id, owner, embedding)
SELECT $1, * FROM unnest($2::uuid[], $3::uuid[], $4::bytea[])
ON CONFLICT (collection, id) DO UPDATE
SET owner = EXCLUDED.owner, embedding = EXCLUDED.embedding, version = DEFAULT
"""
NEWER_PLAIN = """
SELECT id, owner, embedding, version FROM vectors WHERE collection = $1 AND version > $2 ORDER BY version
"""
LENGTH_PLAIN = "SELECT octet_length(embedding) / 4 FROM vectors WHERE collection = $1 LIMIT 1"
GET_PLAIN = "SELECT id, embedding FROM vectors WHERE collection = $1 AND id = ANY ($2::uuid[])"


async def has_pgvector(db: Queries) -> bool:
    """Tell whether this database has pgvector in use."""
    return bool(await db.fetchval(AVAILABLE))


async def iterates(db: Queries) -> bool:
    """Tell whether this pgvector goes on looking where a filter leaves too few."""
    version = str(await db.fetchval(VERSION) or "0")
    return tuple(int(part) for part in version.split(".")[:2]) >= ITERATES_FROM


async def near_indexed(
    db: Database,
    collection: str,
    vector: str,
    length: int,
    *,
    most: int,
    owners: Collection[UUID | None] | None,
    iterative: bool,
) -> list[tuple[UUID, float]]:
    """Return the ids and cosines of the nearest, the nearest first."""
    people = None if owners is None else [owner for owner in owners if owner is not None]
    async with db.transaction() as connection:
        # One round trip for both; an index that cannot go on by itself looks wider from the start.
        await connection.execute(
            f"{WIDELY.format(wide=max(80, 2 * most))}; {ITERATIVELY}" if iterative else WIDELY.format(wide=1000)
        )
        sql = NEAR_INDEXED.format(length=length)
        rows = await connection.fetch(sql, collection, vector, people, owners is None or None in owners, most)
    return [(row["id"], row["score"]) for row in rows]


async def ids(db: Queries, table: str, collection: str) -> set[UUID]:
    """Return the id of every point. `table` is `vectors` or `vectors_indexed`."""
    rows = await db.fetch(f"SELECT id FROM {table} WHERE collection = $1", collection)  # noqa: S608 - two names
    return {row["id"] for row in rows}


async def count(db: Queries, table: str, collection: str) -> int:
    """Return how many points there are."""
    found: int = await db.fetchval(f"SELECT count(*) FROM {table} WHERE collection = $1", collection)  # noqa: S608
    return found


async def remove(db: Queries, table: str, collection: str, gone: Sequence[UUID]) -> None:
    """Delete these points."""
    await db.execute(f"DELETE FROM {table} WHERE collection = $1 AND id = ANY ($2::uuid[])", collection, gone)  # noqa: S608


async def clear(db: Queries, table: str, collection: str) -> None:
    """Delete every point of the collection."""
    await db.execute(f"DELETE FROM {table} WHERE collection = $1", collection)  # noqa: S608
