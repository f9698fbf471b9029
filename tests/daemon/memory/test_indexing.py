"""Indexing on a real database: every way in which the store of vectors could come to differ from the rows."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from support.clock import FakeClock
from support.embeddings import WordEmbedding, plugged

from config.memory import WORDS_ONLY
from daemon.engines.plug import Plug
from daemon.engines.protocols import Embedding, Numbers
from daemon.errors import EngineFailed, EngineMissing, LinkDown
from daemon.memory.indexing import BATCH, Drift, Indexing
from daemon.memory.plain import PlainVectors
from daemon.memory.vectors import CollectionName, Point, Vectors, unit
from db import memories
from db.database import Database
from db.memories import NewFact
from db.users import named

NOW = datetime(2036, 1, 1, 12, 0, tzinfo=UTC)
"""Later than the server's own clock, on which errands fall due."""


async def add(db: Database, text: str, owner: UUID | None = None) -> UUID:
    return (await memories.add(db, NewFact(text, owner), NOW)).id


def indexing(db: Database, vectors: Vectors, engine: Embedding | None = None, model: str = "test") -> Indexing:
    return Indexing(db, vectors, plugged(engine or WordEmbedding()), lambda: model, FakeClock(NOW), listen=_silence)


async def _silence() -> AsyncGenerator[object, None]:
    yield None
    await asyncio.Event().wait()


async def test_what_is_told_is_embedded_with_whose_it_is(db: Database) -> None:
    ana, store = await named(db, "Ana"), PlainVectors(db)
    hers, houses = await add(db, "o diário", ana), await add(db, "o wifi")
    await indexing(db, store).drain()
    assert await store.ids("memories") == {hers, houses}
    assert [near.id for near in await store.near("memories", _asked("diário"), 5, {None})] == [houses]
    assert (await memories.state(db)).waiting == 0
    marks = {row["embedded_by"] for row in await db.fetch("SELECT embedded_by FROM memories")}
    assert marks == {"plain:test"}


def _asked(text: str) -> Numbers:
    return WordEmbedding()._vector(text)


async def test_a_changed_text_is_embedded_anew_and_a_deleted_one_removed(db: Database) -> None:
    store, engine = PlainVectors(db), WordEmbedding()
    one, other = await add(db, "o wifi"), await add(db, "a chave")
    service = indexing(db, store, engine)
    await service.drain()
    await db.execute("UPDATE memories SET text = 'a rede' WHERE id = $1", one)
    await memories.forget(db, [other])
    await service.drain()
    assert sorted(engine.embedded) == ["a chave", "a rede", "o wifi"]
    assert await store.ids("memories") == {one}


async def test_a_person_who_is_erased_takes_their_vectors_along(db: Database) -> None:
    ana, store = await named(db, "Ana"), PlainVectors(db)
    await add(db, "o diário", ana)
    houses = await add(db, "o wifi")
    service = indexing(db, store)
    await service.drain()
    await db.execute("DELETE FROM users WHERE id = $1", ana)
    await service.drain()
    assert await store.ids("memories") == {houses}


async def test_messages_to_the_model_are_remembered_and_go_with_the_conversation(db: Database) -> None:
    ana, store = await named(db, "Ana"), PlainVectors(db)
    talk = await db.fetchval("INSERT INTO conversations (user_id) VALUES ($1) RETURNING id", ana)
    say = "INSERT INTO messages (conversation_id, role, content, intent) VALUES ($1, $2, $3, $4)"
    await db.execute(say, talk, "user", "isto foi dito antes do consentimento dela", "llm")
    await db.execute("INSERT INTO consents (user_id, kind, given, how) VALUES ($1, 'memory', TRUE, 'voice')", ana)
    await db.execute(say, talk, "user", "ontem a gente foi ao zoológico com a vovó", "llm")
    await db.execute(say, talk, "user", "acende a luz da sala agora", "HassTurnOn")
    await db.execute(say, talk, "user", "e aí", "llm")
    for asked in (
        "qual é a capital da França",
        "Mordomo, me conta uma piada de papagaio",
        "a vovó foi também com vocês?",
    ):
        await db.execute(say, talk, "user", asked, "llm")
    await db.execute(say, talk, "assistant", "que bom que vocês foram ao zoológico", None)
    rows = await memories.listed(db)
    assert [(row.kind, row.text, row.user_id) for row in rows] == [
        ("message", "ontem a gente foi ao zoológico com a vovó", ana)
    ]
    service = indexing(db, store)
    await service.drain()
    assert await store.count("memories") == 1
    await db.execute("DELETE FROM conversations WHERE id = $1", talk)
    await service.drain()
    assert await store.count("memories") == 0


async def test_nothing_said_is_remembered_where_the_house_does_not_want_it(db: Database) -> None:
    await db.execute("UPDATE config SET value = 'false' WHERE key = 'memory.messages'")
    try:
        talk = await db.fetchval("INSERT INTO conversations DEFAULT VALUES RETURNING id")
        await db.execute(
            "INSERT INTO messages (conversation_id, role, content, intent)"
            " VALUES ($1, 'user', 'isto não é para guardar', 'llm')", talk,
        )  # fmt: skip
        assert await memories.listed(db) == []
    finally:
        await db.execute("UPDATE config SET value = 'true' WHERE key = 'memory.messages'")


class Halting(WordEmbedding):
    """Stops in the middle of embedding until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.begun, self.go_on = asyncio.Event(), asyncio.Event()

    async def embed(self, texts: Sequence[str]) -> list[Numbers]:
        self.begun.set()
        await self.go_on.wait()
        return await super().embed(texts)


@pytest.mark.parametrize("what", ["deleted", "changed"])
async def test_what_changes_while_it_is_embedded_is_done_once_more(db: Database, what: str) -> None:
    engine, store = Halting(), PlainVectors(db)
    one = await add(db, "o wifi antigo")
    service = indexing(db, store, engine)
    under_way = asyncio.create_task(service.once())
    await engine.begun.wait()
    if what == "deleted":
        await memories.forget(db, [one])
    else:
        await db.execute("UPDATE memories SET text = 'o wifi novo' WHERE id = $1", one)
    # Another daemon does the new errand first: what was begun before must not have the last word.
    await indexing(db, store).drain()
    engine.go_on.set()
    await under_way
    await service.drain()
    assert await store.ids("memories") == (set() if what == "deleted" else {one})
    if what == "changed":
        [near] = await store.near("memories", _asked("novo"), 1)
        assert near.score > 0.4
    assert (await service.drift()).none


async def test_one_text_that_cannot_be_embedded_spoils_no_other_and_is_tried_again_later(db: Database) -> None:
    engine, store = WordEmbedding(), PlainVectors(db)
    engine.failing["veneno"] = EngineFailed("words", "não deu")
    bad = await add(db, "veneno")
    good = {await add(db, f"fato {number}") for number in range(3)}
    service = indexing(db, store, engine)
    assert await service.once() == 3
    assert await service.once() == 0
    assert await store.ids("memories") == good
    state = await memories.state(db)
    assert (state.waiting, state.fault) == (1, "words: não deu")
    engine.failing.clear()
    assert await service.once() == 0  # not before its time
    await db.execute("UPDATE memory_outbox SET due_at = now()")
    assert await service.once() == 1
    assert await store.ids("memories") == {*good, bad}


async def test_a_store_that_is_away_loses_nothing(db: Database) -> None:
    class Away(PlainVectors):
        away = True

        async def ids(self, collection: CollectionName) -> set[UUID]:
            if self.away:
                raise LinkDown("qdrant", "connection refused")
            return await super().ids(collection)

    store = Away(db)
    service = indexing(db, store)
    one = await add(db, "o wifi")
    assert await service.once() == 0
    assert service.away == "qdrant: connection refused"
    store.away = False
    await service.drain()
    assert service.away == ""
    assert await store.ids("memories") == {one}


async def test_without_a_model_what_is_deleted_is_removed_all_the_same(db: Database) -> None:
    store = PlainVectors(db)
    one = await add(db, "o wifi")
    await indexing(db, store).drain()

    def missing() -> Embedding:
        raise EngineMissing("embedding", "falta", "make install")

    await memories.forget(db, [one])
    other = await add(db, "a chave")
    await Indexing(db, store, Plug("embedding", missing), lambda: WORDS_ONLY, FakeClock(NOW)).drain()
    assert await store.ids("memories") == set()
    assert await memories.waiting(db) == {other}


async def test_another_model_embeds_everything_anew_and_leaves_nothing_in_the_former_store(db: Database) -> None:
    store, former = PlainVectors(db), PlainVectors(db)
    one = await add(db, "o wifi")
    await indexing(db, store).drain()
    longer = WordEmbedding("longer", 96)
    service = Indexing(db, store, plugged(longer), lambda: "longer", FakeClock(NOW), former=[former])
    await service.drain()
    assert longer.embedded == ["o wifi"]
    assert len((await store.get("memories", [one]))[one]) == 96
    await indexing(db, store, longer, "longer").drain()
    assert longer.embedded == ["o wifi"]  # what is right is left as it is


async def test_drift_is_told_and_mended(db: Database) -> None:
    store = PlainVectors(db)
    lost, kept = await add(db, "perdido"), await add(db, "guardado")
    service = indexing(db, store)
    await service.drain()
    await store.remove("memories", [lost])
    await store.put("memories", [Point(uuid4(), unit([1.0] * 64))])
    assert await service.drift() == Drift(lacking=1, orphaned=1)
    await service.reconcile()
    await service.drain()
    assert (await service.drift()).none
    assert await store.ids("memories") == {lost, kept}


async def test_a_start_mends_what_was_lost_meanwhile(db: Database) -> None:
    store = PlainVectors(db)
    one = await add(db, "o wifi")
    await indexing(db, store).drain()
    await store.clear("memories")
    await indexing(db, store).drain()
    assert await store.ids("memories") == {one}


async def test_two_daemons_share_the_work(db: Database) -> None:
    engines = WordEmbedding(), WordEmbedding()
    for number in range(2 * BATCH):
        await add(db, f"fato número {number}")
    first, second = (indexing(db, PlainVectors(db), engine) for engine in engines)
    await asyncio.gather(first.drain(), second.drain())
    assert len(engines[0].embedded) + len(engines[1].embedded) == 2 * BATCH
    assert await PlainVectors(db).count("memories") == 2 * BATCH


async def test_a_lease_of_a_dead_daemon_runs_out(db: Database) -> None:
    one, clock = await add(db, "o wifi"), FakeClock(NOW)
    assert len(await memories.claim(db, NOW, 10, 60.0, "dead", puts=True)) == 1
    service = Indexing(db, PlainVectors(db), plugged(WordEmbedding()), lambda: "test", clock)
    assert await service.once() == 0
    clock.advance(61)
    assert await service.once() == 1
    assert await PlainVectors(db).ids("memories") == {one}


async def test_the_service_is_woken_by_what_is_told(db: Database) -> None:
    store, embedded = PlainVectors(db), asyncio.Event()

    class Telling(WordEmbedding):
        async def embed(self, texts: Sequence[str]) -> list[Numbers]:
            embedded.set()
            return await super().embed(texts)

    service = Indexing(db, store, plugged(Telling()), lambda: "test", FakeClock(NOW))
    running = asyncio.create_task(service.run())
    try:
        await add(db, "o wifi")
        await asyncio.wait_for(embedded.wait(), 10)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
