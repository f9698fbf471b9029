"""The parts of memory, put together: the store of vectors, the engine, recall and indexing; and how they are."""

from collections.abc import Callable
from dataclasses import dataclass

from config.environment import Environment
from config.memory import LOCAL, MEMORY_MODEL, MEMORY_RECALL_MS, WORDS_ONLY
from config.preferences import Preferences
from daemon.clock import Clock
from daemon.engines.plug import Plug
from daemon.engines.protocols import Embedding
from daemon.health import Part
from daemon.memory.beside import BesidePostgres
from daemon.memory.indexing import Indexing
from daemon.memory.postgres import PostgresVectors
from daemon.memory.recall import Recall
from daemon.memory.vectors import Vectors
from db.database import Database

NAME, TITLE = "memory", "memória"


def store(env: Environment, db: Database) -> Vectors:
    """Return the store of vectors: the Qdrant that the environment names, or the household's own Postgres."""
    if env.qdrant_url is None:
        return PostgresVectors(db)
    from daemon.memory.qdrant import QdrantVectors  # noqa: PLC0415 - half a second to import

    return BesidePostgres(db, QdrantVectors.at(env.qdrant_url), PostgresVectors(db))


@dataclass(frozen=True, slots=True)
class Memory:
    """What remembers. `indexing` is the service; `vectors` serve voices, too."""

    vectors: Vectors
    embedding: Plug[Embedding]
    recall: Recall
    indexing: Indexing
    model: Callable[[], str]

    @classmethod
    def of(
        cls, env: Environment, db: Database, embedding: Plug[Embedding], prefs: Callable[[], Preferences], clock: Clock
    ) -> "Memory":
        """Put memory together; nothing is asked of any server yet."""

        def model() -> str:
            return prefs()[MEMORY_MODEL]

        vectors = store(env, db)
        recall = Recall(
            db, vectors, embedding, lambda: prefs()[MEMORY_RECALL_MS], by_meaning=lambda: model() != WORDS_ONLY
        )
        former = () if isinstance(vectors, PostgresVectors) else (PostgresVectors(db),)
        return cls(vectors, embedding, recall, Indexing(db, vectors, embedding, model, clock, former=former), model)

    def part(self) -> Part:
        """Tell how memory is, as indexing last saw it."""
        seen, model = self.indexing.seen, self.model()
        where = {"qdrant": "Qdrant", "postgres": "PostgreSQL"}[self.vectors.name]
        if seen is None:
            return Part(NAME, TITLE, "starting", f"guardada no {where}")
        waiting = f"; {seen.waiting} a aprender" if seen.waiting else ""
        kept = f"{seen.memories} lembranças no {where}{waiting}"
        if self.indexing.away:
            mend = "confira MORDOMO_QDRANT_URL e se o Qdrant está ligado" if self.vectors.name == "qdrant" else ""
            return Part(NAME, TITLE, "away", f"{kept}; acho só pelas palavras: {self.indexing.away}", mend)
        if model == WORDS_ONLY:
            return Part(NAME, TITLE, "ok", f"{kept}; achadas pelas palavras")
        if self.embedding.state.condition in ("missing", "failed"):
            detail = f"{kept}; acho só pelas palavras: {self.embedding.state.detail}"
            return Part(NAME, TITLE, "missing", detail, self.embedding.state.mend)
        if seen.fault and seen.waiting:
            return Part(NAME, TITLE, "failed", f"{kept}; {seen.fault}", "mordomo memory check")
        how = "o codificador que vem junto" if model == LOCAL else model
        return Part(NAME, TITLE, "ok", f"{kept}; achadas pelo sentido ({how}) e pelas palavras")

    async def reload(self) -> None:
        """Take up another model, as the preference names it now."""
        await self.embedding.reload()
        self.indexing.look()

    async def close(self) -> None:
        """Give back the store's connections."""
        await self.vectors.close()
