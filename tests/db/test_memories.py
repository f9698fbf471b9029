"""Memories in the database: which index serves which question, and what the tables refuse."""

from datetime import UTC, datetime

import asyncpg
import pytest

from db import memories
from db.database import Database
from db.memories import Listener, NewFact
from db.memory_words import WORDS, AskedWord, by_words
from db.vectors import NEAR_INDEXED, has_pgvector

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
RESIDENT = Listener(None, resident=True, secrets=True)


async def _plan(db: Database, sql: str, *args: object) -> str:
    return "\n".join(row[0] for row in await db.fetch("EXPLAIN " + sql, *args))


async def test_words_are_looked_up_in_their_index(db: Database) -> None:
    await db.execute(
        "INSERT INTO memories (kind, text) SELECT 'fact', 'fato número ' || n FROM generate_series(1, 2000) AS n;"
        " ANALYZE memories"
    )
    plan = await _plan(db, WORDS, None, True, True, None, "o wifi da visita", [0, 1], "wifi visita", [1.0, 1.0], 40)
    assert "idx_memories_search" in plan


async def test_due_errands_come_from_their_index(db: Database) -> None:
    await db.execute(
        "INSERT INTO memory_outbox (memory_id, what) SELECT gen_random_uuid(), 'remove' FROM generate_series(1, 5000);"
        " ANALYZE memory_outbox"
    )
    sql = "SELECT memory_id FROM memory_outbox WHERE due_at <= $1 ORDER BY due_at LIMIT 10"
    assert "idx_memory_outbox_due" in await _plan(db, sql, NOW)


async def test_the_nearest_come_from_the_index_of_their_length(db: Database) -> None:
    if not await has_pgvector(db):
        pytest.skip("this server has no pgvector")
    await db.execute(
        "INSERT INTO vectors_indexed (collection, id, length, embedding) SELECT 'memories', gen_random_uuid(), 256,"
        " (SELECT array_agg(random() + g * 0 + n * 0) FROM generate_series(1, 256) AS g)::vector FROM generate_series(1, 1000) AS n;"
        " ANALYZE vectors_indexed"
    )
    vector = "[" + ",".join(["0.1"] * 256) + "]"
    async with db.transaction() as connection:
        # So few are compared one by one as quickly; of many the index is the only way.
        await connection.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off")
        sql = "EXPLAIN " + NEAR_INDEXED.format(length=256)
        plan = "\n".join(row[0] for row in await connection.fetch(sql, "memories", vector, None, True, 40))
    assert "idx_vectors_of_256" in plan


@pytest.mark.parametrize(
    "columns",
    [
        "(kind, text) VALUES ('rumour', 'x')",
        "(kind, text) VALUES ('fact', '  ')",
        "(kind, text, importance) VALUES ('fact', 'x', 1.5)",
        "(kind, text) VALUES ('message', 'x')",
    ],
)
async def test_what_is_no_memory_is_refused(db: Database, columns: str) -> None:
    with pytest.raises(asyncpg.CheckViolationError):
        await db.execute(f"INSERT INTO memories {columns}")


async def test_a_rarer_word_counts_more_and_hostile_words_are_only_words(db: Database) -> None:
    for number in range(20):
        await memories.add(db, NewFact(f"a casa tem a chave {number}"), NOW)
    rare = await memories.add(db, NewFact("a casa da praia"), NOW)
    first, *_ = await by_words(db, "casa praia", [AskedWord(0, "casa"), AskedWord(1, "praia")], RESIDENT, 5)
    assert first.id == rare.id
    assert first.exact
    for hostile in ("' & | ! :* <->", "\\", "a" * 10_000, "😀 \ud83d", "';--"):
        assert await by_words(db, hostile, [AskedWord(0, hostile)], RESIDENT, 5) == []


async def test_nothing_is_no_fact_and_a_long_one_is_cut(db: Database) -> None:
    with pytest.raises(ValueError, match="Guardar o quê"):
        await memories.add(db, NewFact("  \n "), NOW)
    row = await memories.add(db, NewFact("palavra " * 1000), NOW)
    assert len(row.text) == memories.MOST_TEXT


async def test_a_fact_outlives_the_message_that_told_it(db: Database) -> None:
    talk = await db.fetchval("INSERT INTO conversations DEFAULT VALUES RETURNING id")
    said = await db.fetchval(
        "INSERT INTO messages (conversation_id, role, content) VALUES ($1, 'user', 'x') RETURNING id", talk
    )
    row = await memories.add(db, NewFact("a Ana gosta de nhoque", told_in=said), NOW)
    await db.execute("DELETE FROM conversations WHERE id = $1", talk)
    assert [each.id for each in await memories.listed(db)] == [row.id]
