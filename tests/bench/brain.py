"""Our own part of a turn that the language model answers: `make bench-brain`. Exits 1 where a bar is missed.

    python -m tests.bench.brain [--turns 300] [--memories 10000] [--things 60] [--json] [--url postgresql://…]

The real client talks over loopback to a server in a process of its own, which writes each piece when it is due, every
TOKEN_S from the moment that it has read the request; where it is late, that counts as ours. Everything between is real:
the ledger on PostgreSQL, recall by meaning and by words, the prompt with the names of the house, tools, claims, cutting
into sentences. Engines take no time, but for the model: questions are embedded beforehand, text to speech is mute, and
a lamp confirms at once. Our part is the whole turn, from the words until all is spoken and recorded, without what the
model was due to take. First sound is measured from the moment that the server writes the piece with which the first
sentence ends.
"""

import argparse
import asyncio
import gc
import sys
import time
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from support.house import HOUSE, Ear, Home, home
from support.ollama_server import OllamaServer, Said, ollama_at
from support.served import served

from daemon.audio.frames import Pcm
from daemon.engines.embedding_local import LocalEmbedding
from daemon.engines.plug import Plug
from daemon.engines.protocols import Embedding, Numbers
from daemon.heap import keep_for_good
from daemon.language.plan import Area, Household, Thing
from daemon.memory.postgres import PostgresVectors
from daemon.memory.recall import Recall
from db.database import open_database

from .apart import Apart, Tell, apart
from .figures import Figure, doing, percentile, report, scratch
from .ledger import server
from .memory import fill

TOKEN_S = 0.020
BARS = {"ours": 30.0, "first sound": 20.0}
"""p99, in ms. Processor time has none: it tells how much of the rest was waiting for the disk, or for this machine."""
CALL: Said = {"name": "ligar", "arguments": {"nomes": ["luz da sala"]}}
WISH = "eu queria que você fosse gentil de acender a luz da sala, Mordomo, se não for pedir muito"
TALK: tuple[tuple[str, list[Said]], ...] = (
    (
        "quem descobriu o Brasil, hein?",
        ["Foi", " Pedro", " Álvares", " Cabral", ".", " Ele", " chegou", " em", " abril", "."],
    ),
    (
        "me conta uma curiosidade sobre o mar",
        ["O", " mar", " cobre", " quase", " tudo", "!", " São", " três", " quartos", "."],
    ),
    ("por que o céu é azul, você sabe?", ["A", " luz", " azul", " se", " espalha", " mais", ".", " Por", " isso", "."]),
)
ENDS = (4, 5, 6)
"""Which piece of each ends its first sentence."""
DONE: list[Said] = ["Boa", " noite", " para", " você", "."]


class Scripted(OllamaServer):
    """The server with the answers of the bench, which tells when it wrote each piece of one."""

    tell: Tell

    async def _chat(self, body: dict[str, Any], reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.written = []
        await super()._chat(body, reader, writer)
        self.tell(self.written)


@asynccontextmanager
async def scripted(tell: Tell) -> AsyncIterator[str]:
    """Serve the answers of the bench."""

    def script(body: dict[str, Any]) -> Sequence[Said]:
        last = body["messages"][-1]
        if last["role"] == "tool":
            return DONE
        return next((said for asked, said in TALK if last["content"].endswith(asked)), [CALL])

    model = Scripted(script=script, delay_s=TOKEN_S)
    model.tell = tell
    async with served(model.serve) as url:
        yield url


class Known(LocalEmbedding):
    """The local embedding engine with the questions of the bench embedded before: an engine that takes no time."""

    def __init__(self, engine: LocalEmbedding, questions: dict[str, Numbers]) -> None:
        self.alike, self.sure = engine.alike, engine.sure
        self._questions = questions

    async def embed(self, texts: Sequence[str]) -> list[Numbers]:
        return [self._questions[text] for text in texts]

    def close(self) -> None:
        """Nothing to give back."""


class Mute:
    """Text to speech that takes no time."""

    name = "bench"

    async def synthesise(self, sentence: str) -> AsyncGenerator[Pcm, None]:
        yield Pcm(b"\x01\x10" * 512, 16_000)

    def close(self) -> None:
        """Nothing to give back."""


class FirstSound(Ear):
    """A speaker that notes when the first sound reaches it, on the event loop's clock."""

    def __init__(self) -> None:
        super().__init__()
        self.at = 0.0

    async def play(self, speech: AsyncIterator[Pcm]) -> None:
        self.at = 0.0
        async for _ in speech:
            self.at = self.at or asyncio.get_running_loop().time()


@dataclass
class Bench:
    """A house with its server and its ear."""

    house: Home
    model: Apart
    ear: FirstSound


def household(things: int) -> Household:
    """Return the house of the tests with more in it."""
    rooms = [f"cômodo {number}" for number in range(max(1, things // 6))]
    more = [
        Thing(f"light.x{n}", "light", f"luminária {n}", area=rooms[n % len(rooms)], state="off") for n in range(things)
    ]
    return replace(HOUSE, things=(*HOUSE.things, *more), areas=(*HOUSE.areas, *(Area(room) for room in rooms)))


@asynccontextmanager
async def benched(url: str, folder: Path, *, memories: int, things: int) -> AsyncIterator[Bench]:
    """Give a house with so many memories and things."""
    asked = [WISH, *(question for question, _ in TALK)]
    async with open_database(url, statement_s=600) as db:
        engine = await asyncio.to_thread(LocalEmbedding.load)
        await fill(db, [PostgresVectors(db)], memories, engine)
        known = Known(engine, dict(zip(asked, await engine.embed(asked), strict=True)))
        engine.close()
        async with apart(scripted) as model:
            embedding: Plug[Embedding] = Plug("embedding", lambda: known)
            recall = Recall(db, PostgresVectors(db), embedding, lambda: 200)
            ear = FirstSound()
            brain = ollama_at(model.url)
            async with home(
                url, folder, brain=brain, ear=ear, tts=[Mute()], household=household(things), recall=recall
            ) as house:
                keep_for_good()  # as the daemon does when its engines are loaded
                try:
                    yield Bench(house, model, ear)
                finally:
                    gc.unfreeze()


async def talk(bench: Bench, number: int) -> tuple[float, float, float]:
    """Ask something that the model answers in words; return our part, its processor time, and first sound, in ms."""
    (asked, said), end = TALK[number % len(TALK)], ENDS[number % len(TALK)]
    cpu_s = time.process_time()
    took_ms = await _timed(bench, asked)
    cpu_ms = (time.process_time() - cpu_s) * 1000
    lag_ms = (bench.ear.at - bench.model.told()[end]) * 1000
    return took_ms - len(said) * TOKEN_S * 1000, cpu_ms, lag_ms


async def deed(bench: Bench) -> float:
    """Have the model light a lamp and say so; return our part in ms."""
    bench.house.links.orders.clear()
    took_ms = await _timed(bench, WISH)
    assert len(bench.house.links.orders) == 1
    rounds = [bench.model.told() for _ in range(2)]
    return took_ms - sum(map(len, rounds)) * TOKEN_S * 1000


async def _timed(bench: Bench, asked: str) -> float:
    now = asyncio.get_running_loop().time
    began = now()
    turn = await bench.house.butler.ask(asked, bench.house.aloud)
    took_ms = (now() - began) * 1000
    assert turn.outcome == "answered", turn
    assert turn.rag_context is not None
    return took_ms


async def measured(
    url: str, folder: Path, *, turns: int, memories: int, things: int, warming: int = 5
) -> dict[str, list[float]]:
    """Return the figures of each kind of turn, in ms, but for the first `warming`, which open connections."""
    found: dict[str, list[float]] = {
        name: [] for name in ("ours, words", "its processor time", "first sound", "ours, a deed")
    }
    async with benched(url, folder, memories=memories, things=things) as bench:
        for number in range(-warming, turns):
            taken = (*await talk(bench, number), await deed(bench))
            for name, value in zip(found, taken, strict=True):
                found[name] += [value] if number >= 0 else []
    return found


def figures_of(found: dict[str, list[float]]) -> list[Figure]:
    """Return the figures with their bars."""
    figures = []
    for name, values in found.items():
        bar = BARS.get(name.split(",")[0])
        p50, p99 = percentile(values, 50), percentile(values, 99)
        told = f"p50 {p50:.1f} ms, p99 {p99:.1f} ms, most {max(values):.1f} ms"
        figures.append(Figure(name, told, f"p99 {bar:g} ms" if bar else "", p99 <= bar if bar else None))
    return figures


async def main(arguments: Sequence[str] | None = None) -> int:
    """Run the bench and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=300)
    parser.add_argument("--memories", type=int, default=10_000)
    parser.add_argument("--things", type=int, default=60)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--url")
    given = parser.parse_args(arguments)
    async with server(given.url) as url, scratch(url, "bench_brain") as own:
        doing(f"{given.turns} turns of each kind, {given.memories} memories, {given.things} things")
        with TemporaryDirectory(prefix="mordomo-bench-") as folder:
            found = await measured(own, Path(folder), turns=given.turns, memories=given.memories, things=given.things)
    return report(figures_of(found), as_json=given.json)


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
