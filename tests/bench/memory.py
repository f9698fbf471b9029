"""How well and how fast the house remembers: `make bench-memory`.

Quality: told facts of the two hand-written sets are stored and embedded as the daemon does it, then each question is
recalled by the same code; hit@k is how often the fact that belongs to it is among the first k. Speed: recall at many
memories, embedding the question included, on each store.
"""

import argparse
import asyncio
import random
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

import numpy as np
import yaml
from support.qdrant_server import qdrant_server

from daemon.clock import SystemClock
from daemon.engines.embedding_local import LocalEmbedding
from daemon.engines.plug import Plug
from daemon.engines.protocols import Embedding, Numbers
from daemon.errors import LinkDown
from daemon.memory.indexing import Indexing
from daemon.memory.pgvector import PgVectors
from daemon.memory.plain import PlainVectors
from daemon.memory.qdrant import QdrantVectors
from daemon.memory.recall import Recall
from daemon.memory.vectors import Point, Vectors
from daemon.people.person import HOUSE
from db import memories
from db.database import Database, open_database
from db.memories import NewFact

from .apart import Tell, apart
from .edge import collections
from .figures import Figure, doing, missed, percentile, scratch, show
from .ledger import server

SETS = Path(__file__).parents[1] / "daemon/memory"
NATURAL, FAR = SETS / "facts.yaml", SETS / "far_facts.yaml"
BLIND, LAST = SETS / "blind_facts.yaml", SETS / "last_facts.yaml"
NAMES = {
    NATURAL: "things called by their names",
    FAR: "no word in common",
    BLIND: "in other words, first set",
    LAST: "in other words, last set",
}
PATIENT_MS = 10_000
INDEXING_S = 600
AT = datetime(2026, 11, 20, 12, tzinfo=UTC)


class Quality(NamedTuple):
    """Shares of the questions whose fact is the first, among the first 3, among the first 6."""

    hit1: float
    hit3: float
    hit6: float

    @classmethod
    def of(cls, places: Sequence[int]) -> "Quality":
        found = np.array(places)
        return cls(*(float(np.mean(found < most)) for most in (1, 3, 6)))


def facts(path: Path) -> list[tuple[str, str]]:
    """Return the pairs of fact and question of a set."""
    return [(told, asked) for told, asked in yaml.safe_load(path.read_text(encoding="utf-8"))]


async def places(db: Database, vectors: Vectors, embedding: Plug[Embedding] | None, path: Path) -> list[int]:
    """Store and embed a set's facts; return at which place each question finds its fact (99: not at all)."""
    plug = embedding or Plug("embedding", LocalEmbedding.load)
    told = {fact: (await memories.add(db, NewFact(fact), AT)).id for fact, _ in facts(path)}
    await db.execute("ANALYZE memories")
    if embedding is not None:
        await embedding.load()
        await Indexing(db, vectors, plug, lambda: "local", SystemClock()).drain()
    recall = Recall(db, vectors, plug, lambda: PATIENT_MS, lambda: embedding is not None)
    found = []
    for fact, asked in facts(path):
        ids = [one.id for one in await recall.recall(asked, HOUSE, None, AT, most=20)]
        found.append(ids.index(told[fact]) if told[fact] in ids else 99)
    await memories.forget(db, list(told.values()))
    await vectors.clear("memories")
    return found


PEOPLE = "Ana Bruno Clara Davi Elisa Fábio Gabi Hugo Iara Júlio Lia Marcos Nina Otávio Paula Rui Sônia Téo".split()
THINGS = (
    "a chave do sítio|o passaporte|a furadeira|o carregador|a mala azul|o termômetro|a bicicleta|o violão|a barraca|o"
    " guarda-chuva|a escritura|o controle do portão|a panela de pressão|o livro de receitas|a câmera|o capacete|a corda"
).split("|")
PLACES = (
    "na gaveta de baixo|em cima do armário|na garagem|no porta-malas|na casa da {p}|atrás do sofá|no quarto de visitas|"
    "na caixa azul|na lavanderia|no escritório|embaixo da cama|na prateleira de cima|com o vizinho|no banco"
).split("|")
OTHERS = (
    "o aniversário de {p} é dia {n} de maio|{p} é alérgico a {f}|a senha de {p} é {w}{n}|{p} trabalha das {n} horas em diante|"
    "{p} calça {n}|a consulta de {p} é no dia {n} às {m}|a conta de luz veio {n} reais e {m} centavos|{p} gosta de {f} com {g}|"
    "o médico de {p} atende na rua {w} número {n}|{p} viajou para {w} com {q}|o ônibus {n} passa às {m} perto de {w}"
).split("|")
FOODS = "amendoim camarão leite coentro cebola manga milho ovo trigo mel abacaxi canela feijão couve".split()
SYLLABLES = "ba ca do fe gui jo la mi no pe que ru sa te vi xa zu lha nho bri".split()


def made_up(number: int, chance: random.Random) -> str:
    """Return a fact as households tell them; `number` makes it one of its kind."""
    word = "".join(chance.choices(SYLLABLES, k=3))
    person, other = chance.sample(PEOPLE, 2)
    if chance.random() < 0.4:
        return f"{chance.choice(THINGS)} {number} de {person} está {chance.choice(PLACES).format(p=other)}"
    food, second = chance.sample(FOODS, 2)
    return chance.choice(OTHERS).format(p=person, q=other, f=food, g=second, w=word, n=number, m=chance.randint(1, 59))


async def fill(db: Database, stores: Sequence[Vectors], many: int, engine: LocalEmbedding) -> None:
    """Store `many` made-up facts, and their vectors in each store."""
    chance = random.Random(5)
    for start in range(0, many, 1000):
        texts = [made_up(start + n, chance) for n in range(min(1000, many - start))]
        ids = [uuid4() for _ in texts]
        vectors = await engine.embed(texts)
        points = [Point(each, vector) for each, vector in zip(ids, vectors, strict=True)]
        for store in stores:
            await store.put("memories", points)
        await db.execute(
            "INSERT INTO memories (id, kind, text, embedded_by) SELECT *, 'bench' FROM"
            " (SELECT id, 'fact', text FROM unnest($1::uuid[], $2::text[]) AS given(id, text)) AS one",
            ids,
            texts,
        )
    await db.execute("DELETE FROM memory_outbox", timeout=120)
    for table in ("memories", "vectors_indexed", "vectors"):
        await db.execute(f"VACUUM ANALYZE {table}", timeout=300)


async def answering(vectors: Vectors, vector: Numbers) -> None:
    """Return when a store answers: an engine may build its index over what it was given first."""
    async with asyncio.timeout(INDEXING_S):
        while True:
            try:
                await vectors.near("memories", vector, 1)
            except LinkDown:
                continue
            return


async def recall_ms(db: Database, vectors: Vectors, plug: Plug[Embedding], questions: Sequence[str]) -> list[float]:
    """Return how long each question took to recall, in milliseconds, the question's embedding included."""
    recall = Recall(db, vectors, plug, lambda: PATIENT_MS)
    async with plug.use() as engine:
        [first] = await engine.embed(questions[:1])
    await answering(vectors, first)
    for question in questions[:10]:
        await recall.recall(question, HOUSE, None, AT)
    taken = []
    for question in questions:
        began = time.perf_counter()
        found = await recall.recall(question, HOUSE, None, AT)
        taken.append((time.perf_counter() - began) * 1000)
        assert len(found) <= 6
    assert await vectors.near("memories", first, 1)  # words alone would have been quick
    return taken


@asynccontextmanager
async def qdrant(_: Tell) -> AsyncIterator[str]:
    """Serve Qdrant's protocol."""
    async with collections() as made, qdrant_server(made) as server:
        yield server.url


@asynccontextmanager
async def stores(db: Database) -> AsyncIterator[list[Vectors]]:
    """Yield each store, empty; Qdrant's server is another process, as PostgreSQL is."""
    async with apart(qdrant) as server:
        store = QdrantVectors.at(server.url)
        yield [PgVectors(db), store, PlainVectors(db)]
        await store.close()


async def speed(db: Database, many: int, asked: int) -> dict[str, list[float]]:
    """Return each store's recall times at so many memories."""
    plug: Plug[Embedding] = Plug("embedding", LocalEmbedding.load)
    await plug.load()
    questions = [question for path in (NATURAL, FAR) for _, question in facts(path)]
    random.Random(3).shuffle(questions)
    questions = (questions * (asked // len(questions) + 1))[:asked]
    async with stores(db) as every, plug.use() as engine:
        assert isinstance(engine, LocalEmbedding)
        await fill(db, every, many, engine)
        return {store.name: await recall_ms(db, store, plug, questions) for store in every}


def figures_of_quality(found: dict[tuple[Path, bool], Quality]) -> list[Figure]:
    """Return the figures of quality; the bars are for the last set, by which nothing was chosen."""
    figures = []
    for (path, by_meaning), got in found.items():
        how = "meaning and words" if by_meaning else "words alone"
        bar = (0.95 if by_meaning else 0.80) if path == LAST else None
        measured = f"hit@1 {got.hit1:.1%}, hit@3 {got.hit3:.1%}, hit@6 {got.hit6:.1%}"
        good = None if bar is None else got.hit3 >= bar
        figures.append(Figure(f"{NAMES[path]}, {how}", measured, f"hit@3 {bar:.0%}" if bar else "", good))
    return figures


def figures_of_speed(found: dict[str, list[float]], many: int) -> list[Figure]:
    """Return the figures of speed; plain rows are for small houses and have no bar."""
    return [
        Figure(
            f"recall at {many:,} memories, {name}",
            f"p50 {percentile(taken, 50):.1f} ms, p95 {percentile(taken, 95):.1f} ms, p99 {percentile(taken, 99):.1f} ms",
            "" if name == "plain" else "p95 20 ms",
            None if name == "plain" else percentile(taken, 95) <= 20,
        )
        for name, taken in found.items()
    ]


async def measured(url: str, many: int, asked: int) -> list[Figure]:
    """Measure everything in a database of the server at `url`."""
    plug: Plug[Embedding] = Plug("embedding", LocalEmbedding.load)
    async with scratch(url, "bench_memory") as own, open_database(own, statement_s=600) as db:
        quality = {}
        for path in NAMES:
            for by_meaning in (True, False):
                doing(f"{path.stem}, {'meaning' if by_meaning else 'words'}")
                found = await places(db, PgVectors(db), plug if by_meaning else None, path)
                quality[path, by_meaning] = Quality.of(found)
        doing(f"{many} memories")
        taken = await speed(db, many, asked)
    plug.close()
    return [*figures_of_quality(quality), *figures_of_speed(taken, many)]


async def main() -> int:
    """Run the bench and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--memories", type=int, default=100_000)
    parser.add_argument("--questions", type=int, default=400)
    parser.add_argument("--url")
    given = parser.parse_args()
    async with server(given.url) as url:
        figures = await measured(url, given.memories, given.questions)
    show(figures)
    return missed(figures)


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
