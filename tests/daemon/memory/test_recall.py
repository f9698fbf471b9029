"""Recall on a real database: what is found, in which order, for whom, and within its bound."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from bench.memory import LAST, Quality, places
from support.embeddings import WordEmbedding, plugged

from daemon.clock import SystemClock
from daemon.engines.embedding_local import LocalEmbedding
from daemon.engines.plug import Plug
from daemon.engines.protocols import Embedding, Numbers
from daemon.errors import EngineFailed, LinkDown
from daemon.memory.indexing import Indexing
from daemon.memory.plain import PlainVectors
from daemon.memory.postgres import PostgresVectors
from daemon.memory.recall import RANKED, WORDS_WORTH, Recall, fused
from daemon.memory.related import asked_words
from daemon.memory.vectors import Near, Vectors
from daemon.people.person import DEVICE, GUEST, HOUSE, Person
from db import memories
from db.database import Database, open_database
from db.memories import NewFact
from db.memory_words import Worded
from db.users import named

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
MS = 5000


async def tell(db: Database, *facts: NewFact | str, at: datetime = NOW) -> list[UUID]:
    """Store facts, and have them embedded."""
    ids = [(await memories.add(db, NewFact(fact) if isinstance(fact, str) else fact, at)).id for fact in facts]
    await Indexing(db, PlainVectors(db), plugged(WordEmbedding()), lambda: "words-test", SystemClock()).drain()
    return ids


async def recalled(
    db: Database, question: str, person: Person = HOUSE, area: str | None = None, **options: int
) -> list[str]:
    plug = plugged(WordEmbedding())
    await plug.load()
    recall = Recall(db, PlainVectors(db), plug, lambda: MS)
    return [one.text for one in await recall.recall(question, person, area, NOW, **options)]


async def test_what_was_told_is_found_the_best_first(db: Database) -> None:
    await tell(db, "o wifi da visita é jabuticaba", "a Ana é alérgica a amendoim", "o wifi do sítio é mangueira")
    found = await recalled(db, "qual é o wifi da visita")
    assert found[:2] == ["o wifi da visita é jabuticaba", "o wifi do sítio é mangueira"]
    assert await recalled(db, "wifi da visita", most=1) == ["o wifi da visita é jabuticaba"]


async def test_accents_and_plurals_are_forgiven_by_the_words(db: Database) -> None:
    await tell(db, "as reuniões do condomínio são na portaria")
    recall = Recall(db, PlainVectors(db), plugged(WordEmbedding()), lambda: MS, by_meaning=lambda: False)
    [one] = await recall.recall("onde e a reuniao", HOUSE, None, NOW)
    assert one.sure
    assert one.kind == "fact"
    assert one.at == NOW


async def test_what_is_private_is_for_that_person_alone(db: Database) -> None:
    ana, bruno = await named(db, "Ana"), await named(db, "Bruno")
    await tell(db, NewFact("o diário da Ana está na gaveta", user_id=ana), "a gaveta emperra")
    for_ana, for_bruno = Person(ana, "Ana", "child"), Person(bruno, "Bruno", "administrator")
    assert len(await recalled(db, "o que está na gaveta", for_ana)) == 2
    for other, hears in ((for_bruno, 1), (HOUSE, 1), (GUEST, 0), (DEVICE, 0)):
        assert await recalled(db, "o que está na gaveta, o diário da Ana", other) == ["a gaveta emperra"][:hears]


async def test_guests_and_devices_hear_only_what_is_for_visitors(db: Database) -> None:
    theirs = NewFact("o cofre do quarto das visitas abre com 1234", for_guests=True)
    await tell(db, NewFact("a senha do cofre é 24-8", secret=True), "o cofre fica no armário", theirs)
    await _said(db, "o cofre novo chegou ontem aqui em casa")
    everything = await recalled(db, "cofre", HOUSE)
    assert len(everything) == 4
    for guest in (GUEST, DEVICE):
        assert await recalled(db, "qual a senha do cofre", guest) == [theirs.text]
    child = await recalled(db, "cofre", Person(uuid4(), "Léo", "child"))
    assert "a senha do cofre é 24-8" not in child


async def test_what_holds_in_one_room_is_for_who_is_there_or_names_it(db: Database) -> None:
    await tell(
        db, NewFact("aqui o disjuntor é o cinco", area="cozinha"), NewFact("aqui o disjuntor é o dois", area="sala")
    )
    assert await recalled(db, "qual é o disjuntor", area="cozinha") == ["aqui o disjuntor é o cinco"]
    assert await recalled(db, "qual é o disjuntor da sala", area=None) == ["aqui o disjuntor é o dois"]
    assert await recalled(db, "qual é o disjuntor", area="garagem") == []


async def test_of_two_alike_the_newer_and_then_the_more_important_comes_first(db: Database) -> None:
    await tell(db, "a senha do portão é 1111", at=NOW - timedelta(days=400))
    await tell(db, "a senha do portão é 2222", at=NOW - timedelta(days=1))
    assert (await recalled(db, "senha do portão"))[0] == "a senha do portão é 2222"
    await tell(
        db, NewFact("o Bruno gosta de leite frio", importance=0.1), NewFact("o Bruno gosta de leite não", importance=1)
    )
    assert (await recalled(db, "Bruno leite"))[0] == "o Bruno gosta de leite não"


async def test_what_is_forgotten_or_not_there_is_not_recalled_whatever_the_store_says(db: Database) -> None:
    [one] = await tell(db, "a chave está no vaso")
    await memories.forget(db, [one])
    assert await PlainVectors(db).count("memories") == 1  # its vector is still to be removed
    assert await recalled(db, "onde está a chave") == []


async def test_a_question_of_no_words_finds_nothing(db: Database) -> None:
    await tell(db, "a chave está no vaso")
    for question in ("", "   ", "onde está", "\0", "'; DROP TABLE memories; --", "a" * 5000):
        assert len(await recalled(db, question)) <= 1


class Away(PlainVectors):
    """A store whose server is away, or never answers."""

    hangs = False

    async def near(self, *_: object, **__: object) -> list[Near]:
        if self.hangs:
            await asyncio.Event().wait()
        raise LinkDown("qdrant", "connection refused")


class Failing(WordEmbedding):
    async def embed(self, texts: Sequence[str]) -> list[Numbers]:
        raise EngineFailed("words", "out of memory")


@pytest.mark.parametrize("how", ["away", "hangs", "failing"])
async def test_without_the_store_or_the_engine_words_still_find(db: Database, how: str) -> None:
    await tell(db, "a chave está no vaso")
    plug: Plug[Embedding] = plugged(Failing() if how == "failing" else WordEmbedding())
    await plug.load()
    vectors: Vectors = PlainVectors(db)
    if how != "failing":
        vectors = away = Away(db)
        away.hangs = how == "hangs"
    recall = Recall(db, vectors, plug, lambda: 300)
    assert [one.text for one in await recall.recall("onde está a chave", HOUSE, None, NOW)] == ["a chave está no vaso"]


async def test_a_model_not_loaded_yet_is_loaded_beside(db: Database) -> None:
    await tell(db, "a chave está no vaso")
    loaded = asyncio.Event()
    loop = asyncio.get_running_loop()

    def build() -> Embedding:
        loop.call_soon_threadsafe(loaded.set)
        return WordEmbedding()

    recall = Recall(db, PlainVectors(db), Plug("embedding", build), lambda: MS)
    assert len(await recall.recall("chave", HOUSE, None, NOW)) == 1
    await asyncio.wait_for(loaded.wait(), 5)


async def test_without_a_database_nothing_is_recalled_and_nothing_raised() -> None:
    async with open_database("postgresql://ninguem@127.0.0.1:9/nada") as nowhere:
        recall = Recall(nowhere, PostgresVectors(nowhere), plugged(WordEmbedding()), lambda: 2000)
        assert await recall.recall("o wifi", HOUSE, None, NOW) == []


async def test_what_the_store_does_not_have_yet_is_told_for_sure_by_its_words(db: Database) -> None:
    await tell(db, "o cachorro come ração")
    await memories.add(db, NewFact("o portão do sítio abre com a chave azul"), NOW)
    plug = plugged(WordEmbedding())
    await plug.load()
    first, *_ = await Recall(db, PlainVectors(db), plug, lambda: MS).recall("a chave do portão", HOUSE, None, NOW)
    assert first.text == "o portão do sítio abre com a chave azul"
    assert first.sure


def test_nearness_and_shared_words_are_added() -> None:
    one, two, three = uuid4(), uuid4(), uuid4()
    scores = fused([Near(one, 0.6), Near(two, 0.5)], [Worded(two, 8.0, True), Worded(three, 8.0, True)], 0.2)
    assert scores == pytest.approx({one: 0.5, two: 0.375 + 8 * WORDS_WORTH, three: 8 * WORDS_WORTH})
    assert fused([Near(one, 0.1)], [], 0.2) == {}
    assert fused([Near(one, 1.0)], [Worded(one, 100.0, True)], 0.2) == {one: 1.0}


def test_what_only_words_find_counts_as_near_as_the_last_of_the_nearest() -> None:
    nearest, other = [Near(uuid4(), 0.9 - 0.01 * number) for number in range(RANKED)], uuid4()
    assert fused(nearest, [Worded(other, 1.0, False)], 0.0)[other] == pytest.approx(0.51 + WORDS_WORTH)


def test_what_is_asked_for_is_looked_for_in_other_words_too() -> None:
    asked = asked_words("Quem é o médico da Ana?")
    assert [one.word for one in asked if one.weight == 1] == ["medico", "ana"]
    others = {one.word: one for one in asked if one.weight < 1}
    assert "pediatra" in others
    assert others["pediatra"].place == 0
    assert all(0 < one.weight < 1 for one in others.values())
    assert any(one.word == "convenio" for one in asked_words("qual é o nosso plano de saúde"))
    assert len(asked_words("onde fica o remédio", 5)) <= 1 + 5
    assert asked_words("onde é que está") == []


async def _said(db: Database, text: str) -> None:
    conversation = await db.fetchval("INSERT INTO conversations DEFAULT VALUES RETURNING id")
    await db.execute(
        "INSERT INTO messages (conversation_id, role, content, intent) VALUES ($1, 'user', $2, 'llm')",
        conversation,
        text,
    )


@pytest.fixture(scope="module")
def local() -> Plug[Embedding]:
    return Plug("embedding", LocalEmbedding.load)


async def test_what_is_asked_for_in_other_words_is_found(db: Database, local: Plug[Embedding]) -> None:
    """Not the bar (95 and 80 %): the shares that are reached, kept from slipping; `make bench-memory` has every set."""
    assert Quality.of(await places(db, PostgresVectors(db), local, LAST)).hit3 >= 0.86
    assert Quality.of(await places(db, PostgresVectors(db), None, LAST)).hit3 >= 0.69
