"""Indexing: carries the outbox's errands to the store of vectors, and sees that the store has what the rows say.

    claim (lease) ──▶ embed, put or remove ──▶ settle: the errand's row goes
                          └── fails: given back, tried again later, ever more seldom

NOTIFY wakes it and the outbox is the truth. Killed at any point, the lease runs out and the errand is done again, which
does no harm. Where the store or the model is another than the one that embedded the memories, all are embedded anew.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4

import structlog

from config.memory import LOCAL, WORDS_ONLY
from daemon.clock import Clock
from daemon.engines.plug import Plug
from daemon.engines.protocols import Embedding
from daemon.engines.use import NAME
from daemon.errors import EngineFailed, EngineMissing, LinkDown
from daemon.memory.related import relations_of_homes
from daemon.memory.vectors import OtherLength, Point, Vectors
from db import memories
from db.database import Database
from db.listen import notifications
from db.memories import State, Task

log = structlog.get_logger(__name__)

CHANNEL = "mordomo_memory"
BATCH = 32
LEASE_S = 120.0
LOOK_AGAIN_S = 30.0
FIRST_TRY_S = 5.0
SELDOM_S = 3600.0


@dataclass(frozen=True, slots=True)
class Drift:
    """What the store and the rows differ in: how many points lack, and how many belong to no memory."""

    lacking: int
    orphaned: int

    @property
    def none(self) -> bool:
        """Tell whether they agree."""
        return not self.lacking and not self.orphaned


class Indexing:
    """The service. `model` names the model that embeds now; several daemons on one database share the work."""

    name = "memory"

    def __init__(
        self,
        db: Database,
        vectors: Vectors,
        embedding: Plug[Embedding],
        model: Callable[[], str],
        clock: Clock,
        *,
        listen: Callable[[], AsyncIterator[object]] | None = None,
        former: Sequence[Vectors] = (),
    ) -> None:
        """Work for `vectors`; what `former` stores still hold of memories is deleted once this one begins anew."""
        self._db = db
        self._vectors = vectors
        self._embedding = embedding
        self._model = model
        self._clock = clock
        self._listen = listen or (lambda: notifications(db.direct_url, [CHANNEL]))
        self._former = former
        self._worker = uuid4().hex
        self.seen: State | None = None
        self.away = ""
        self._wake = asyncio.Event()
        self._aligned = ""

    @property
    def mark(self) -> str:
        """What is written beside a memory that was embedded now: the store and the model."""
        model = self._model()
        return f"{self._vectors.name}:{NAME if model == LOCAL else model}"

    async def run(self) -> None:
        """Do errands until cancelled. Raises LinkDown while the database is away; run again, it resumes."""
        listener = asyncio.create_task(self._heed())
        try:
            while True:
                self._wake.clear()
                done = await self.once()
                self.seen = await memories.state(self._db)
                await self._warm(self.seen)
                if not done:
                    await self._rest(listener)
        finally:
            listener.cancel()
            with suppress(asyncio.CancelledError, LinkDown):
                await listener

    async def _warm(self, seen: State) -> None:
        """Have what finds loaded once there is something to find: a house that told nothing does without."""
        if seen.memories:
            await asyncio.to_thread(relations_of_homes)
        if seen.memories and self._model() != WORDS_ONLY and self._embedding.state.condition == "empty":
            await self._embedding.load()

    def look(self) -> None:
        """Look at once: the model may be another now."""
        self._wake.set()

    async def drain(self) -> None:
        """Do every errand that is due now."""
        while await self.once():
            pass

    async def once(self) -> int:
        """Do some errands that are due; return how many were done. Raises LinkDown where the database is away."""
        puts = self._model() != WORDS_ONLY
        try:
            if puts:
                await self._align()
            else:
                await self._vectors.check()
            self.away = ""
            tasks = await memories.claim(self._db, self._clock.now(), BATCH, LEASE_S, self._worker, puts=puts)
            return await self._do(tasks)
        except LinkDown as down:
            if down.what == "postgres":
                raise
            log.warning("memory_store_away", store=down.what, why=down.why)
            self.away = f"{down.what}: {down.why}"
            return 0

    async def drift(self) -> Drift:
        """Return what store and rows differ in; what is on its way counts for neither. Raises LinkDown."""
        lacking, orphaned = await self._differences()
        return Drift(len(lacking), len(orphaned))

    async def reconcile(self) -> Drift:
        """Have put what lacks and removed what belongs to no memory; return what it was. Raises LinkDown."""
        lacking, orphaned = await self._differences()
        await memories.errands(self._db, list(lacking), "put")
        await memories.errands(self._db, list(orphaned), "remove")
        return Drift(len(lacking), len(orphaned))

    async def rebuild(self) -> int:
        """Empty the store and have everything embedded anew; return how many memories wait. Raises LinkDown."""
        await self._vectors.clear("memories")
        return await memories.put_all(self._db, self.mark, again=True)

    async def _align(self) -> None:
        """Begin anew where another store or model embedded the memories; once after a start, mend what differs."""
        mark = self.mark
        if mark == self._aligned:
            await self._vectors.check()
            return
        if await memories.embedded_otherwise(self._db, mark):
            log.info("memories_embedded_anew", by=mark)
            for store in self._former:
                await store.clear("memories")
            await self.rebuild()
        else:
            drift = await self.reconcile()
            if not drift.none:
                log.warning("memory_drift", lacking=drift.lacking, orphaned=drift.orphaned)
        self._aligned = mark

    async def _do(self, tasks: Sequence[Task]) -> int:
        puts = [task for task in tasks if task.what == "put" and task.text is not None]
        gone = [task for task in tasks if task not in puts]
        return await self._try(gone, self._remove) + await self._try(puts, self._put)

    async def _try(self, tasks: Sequence[Task], work: Callable[[Sequence[Task]], Awaitable[None]]) -> int:
        """Do these together; where that fails for the engine's reasons, each by itself: one text spoils no other."""
        if not tasks:
            return 0
        ids = [task.memory_id for task in tasks]
        try:
            await work(tasks)
        except (LinkDown, EngineFailed, OtherLength) as failed:
            if isinstance(failed, LinkDown) and failed.what == "postgres":
                raise
            if isinstance(failed, EngineFailed) and not isinstance(failed, EngineMissing) and len(tasks) > 1:
                return sum([await self._try([task], work) for task in tasks])
            wait_s = min(SELDOM_S, FIRST_TRY_S * 4.0 ** min(tasks[0].tries, 8))
            until = self._clock.now() + timedelta(seconds=wait_s)
            log.warning("memory_not_embedded", memories=len(tasks), why=str(failed))
            await memories.postpone(self._db, ids, self._worker, str(failed), until)
            return 0
        await memories.settle(self._db, ids, self._worker, self.mark)
        return len(tasks)

    async def _remove(self, tasks: Sequence[Task]) -> None:
        await self._vectors.remove("memories", [task.memory_id for task in tasks])

    async def _put(self, tasks: Sequence[Task]) -> None:
        async with self._embedding.use() as engine:
            found = await engine.embed([task.text or "" for task in tasks])
        points = [Point(task.memory_id, vector, task.user_id) for task, vector in zip(tasks, found, strict=True)]
        await self._vectors.put("memories", points)

    async def _differences(self) -> tuple[set[UUID], set[UUID]]:
        there = await self._vectors.ids("memories")
        expected, waiting = await memories.expected(self._db), await memories.waiting(self._db)
        return expected - there, there - expected - waiting

    async def _rest(self, listener: "asyncio.Task[None]") -> None:
        """Sleep until something is due, or changes, or for LOOK_AGAIN_S."""
        due = await memories.next_due(self._db, puts=self._model() != WORDS_ONLY)
        until_s = LOOK_AGAIN_S if due is None else (due - self._clock.now()).total_seconds()
        rest = asyncio.ensure_future(self._clock.sleep(min(max(until_s, 1.0), LOOK_AGAIN_S)))
        woken = asyncio.ensure_future(self._wake.wait())
        try:
            await asyncio.wait({rest, woken, listener}, return_when=asyncio.FIRST_COMPLETED)
            if listener.done():
                await listener  # raises why it ended
        finally:
            rest.cancel()
            woken.cancel()

    async def _heed(self) -> None:
        async for _ in self._listen():
            self._wake.set()
