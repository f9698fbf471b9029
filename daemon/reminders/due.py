"""The due loop: sleeps until the next reminder is due, claims it, has it spoken, and records that it was.

    claim (lease) ──▶ speak, the lease prolonged meanwhile ──▶ record as triggered
                          └── the voice fails: a tone, and it stays open for a later try

NOTIFY wakes the loop early and the query tells the truth: it looks again after LOOK_AGAIN_S at the latest, which is
also how a clock that jumps, or a machine that slept, is noticed. Killed at any point, the lease runs out and whoever
runs then speaks the reminder, under the same id. The database going away after the last word loses nothing either: what
was spoken is remembered, and recorded first thing when it is back.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta, tzinfo
from typing import Any, Protocol
from uuid import UUID, uuid4

import structlog

from daemon.clock import Clock
from daemon.errors import EngineFailed, LinkDown
from db.database import Database
from db.listen import notifications
from db.reminders import Due, claim_due, extend, next_due, release, triggered_all

log = structlog.get_logger(__name__)

CHANNEL = "mordomo_reminders"
LOOK_AGAIN_S = 30.0
CONTENDED_S = 0.01
"""Pause before another try where what is due is just being claimed by another daemon."""
LATE = timedelta(minutes=5)
FEW = 3
"""So many late ones are spoken one by one; more become a single briefing."""
BATCH = 100
MOST_BRIEFED = 10_000
MOST_SPEECH_S = 300.0
RETRY_FIRST_S = 15.0
RETRY_MOST_S = 300.0
LEAVE_S = 1.0


class Delivery(Protocol):
    """How a reminder reaches people. Each returns once it was heard out; cancelling stops the sound."""

    async def speak(self, due: Due) -> None:
        """Speak one reminder. Raises EngineFailed, or LinkDown of a speaker."""
        ...

    async def brief(self, dues: Sequence[Due]) -> None:
        """Speak several late ones (4 to 10,000, the oldest first) as one briefing. Raises as `speak` does."""
        ...

    async def tone(self) -> None:
        """Sound a tone, which needs no voice. Raises as `speak` does."""
        ...


class DueReminders:
    """The service. Several on one database share the work: each occurrence is claimed by one of them."""

    name = "reminders"

    def __init__(
        self,
        db: Database,
        delivery: Delivery,
        clock: Clock,
        lease_s: Callable[[], float],
        *,
        zone: Callable[[], tzinfo],
        listen: Callable[[], AsyncIterator[object]] | None = None,
    ) -> None:
        """Speak through `delivery`. `zone` is the household's; `listen` gives an item whenever to look now."""
        self._db = db
        self._delivery = delivery
        self._clock = clock
        self._lease_s = lease_s
        self._zone = zone
        self._listen = listen or (lambda: notifications(db.direct_url, [CHANNEL]))
        self.worker = str(uuid4())
        self._wake = asyncio.Event()
        self._held: set[UUID] = set()
        self._spoken: dict[UUID, datetime] = {}
        self._attempts: dict[UUID, int] = {}

    async def run(self) -> None:
        """Speak what is due until cancelled. Raises LinkDown while the database is away; run again, it resumes."""
        listener = asyncio.create_task(self._heed())
        try:
            while True:
                self._wake.clear()
                await self._record_spoken()
                await self._let_go()
                now = self._clock.now()
                if not await self._deliver_next(now):
                    await self._rest(now, listener)
        except asyncio.CancelledError:
            await _ended(listener)
            await self._leave()
            raise
        finally:
            await _ended(listener)

    async def _heed(self) -> None:
        async for _ in self._listen():
            self._wake.set()
        raise LinkDown("postgres", "the notifications ended")

    async def _rest(self, looked: datetime, listener: "asyncio.Task[None]") -> None:
        """Sleep until something is due, something changed, or it is time to look again. `looked` is the last look."""
        due = await next_due(self._db, looked)
        pause_s = LOOK_AGAIN_S
        if due is not None:
            pause_s = CONTENDED_S if due <= looked else (due - self._clock.now()).total_seconds()
        sleeping = asyncio.create_task(self._clock.sleep(min(max(pause_s, 0.0), LOOK_AGAIN_S)))
        woken = asyncio.create_task(self._wake.wait())
        try:
            await asyncio.wait({listener, sleeping, woken}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await _ended(sleeping, woken)
        if listener.done():
            listener.result()

    async def _deliver_next(self, now: datetime) -> bool:
        """Deliver the oldest that is due, with others where several are late; False if nothing is."""
        claimed = await self._claim(now, 1)
        if not claimed:
            return False
        if now - claimed[0].scheduled_at > LATE:
            claimed += await self._many_late(now)
        async with self._leased(claimed):
            if len(claimed) > 1:
                await self._deliver(claimed, self._delivery.brief(claimed))
            else:
                await self._deliver(claimed, self._delivery.speak(claimed[0]))
        return True

    async def _many_late(self, now: datetime) -> list[Due]:
        """Claim the other late ones, if together with the one in hand they are more than FEW; else none."""
        others = await self._claim(now, FEW, LATE)
        if len(others) < FEW:
            await release(self._db, [due.id for due in others], self.worker)
            self._held.difference_update(due.id for due in others)
            return []
        while len(others) < MOST_BRIEFED:
            more = await self._claim(now, BATCH, LATE)
            others += more
            if len(more) < BATCH:
                break
        return others

    async def _claim(self, now: datetime, limit: int, late: timedelta = timedelta(0)) -> list[Due]:
        claimed = await claim_due(self._db, now, limit, self._lease_s(), self.worker, zone=self._zone(), late=late)
        self._held.update(due.id for due in claimed)
        return claimed

    async def _deliver(self, dues: Sequence[Due], saying: Coroutine[Any, Any, None]) -> None:
        began = self._clock.now()
        try:
            await self._bounded(saying)
        except Exception as error:
            # Whatever fails in one delivery must not silence the others.
            await self._put_off(dues, error)
            return
        self._spoken.update((due.id, began) for due in dues)
        late_s = (began - dues[0].scheduled_at).total_seconds()
        log.info("reminders_spoken", reminders=[str(due.id) for due in dues[:FEW]], count=len(dues), late_s=late_s)
        await self._record_spoken()

    async def _bounded(self, saying: Coroutine[Any, Any, None]) -> None:
        """Wait for the speech, for MOST_SPEECH_S at most: a speaker that hangs holds up every other reminder."""
        speech = asyncio.create_task(saying)
        limit = asyncio.create_task(self._clock.sleep(MOST_SPEECH_S))
        try:
            await asyncio.wait({speech, limit}, return_when=asyncio.FIRST_COMPLETED)
            if not speech.done():
                raise EngineFailed("voice", f"not done after {MOST_SPEECH_S:g} s")
            speech.result()
        finally:
            await _ended(speech, limit)

    async def _put_off(self, dues: Sequence[Due], error: Exception) -> None:
        """Sound a tone in place of the words, and open the reminders for another try after a growing pause."""
        expected = isinstance(error, EngineFailed | LinkDown)
        log.error("reminder_not_spoken", count=len(dues), why=str(error), exc_info=None if expected else error)
        try:
            await self._bounded(self._delivery.tone())
        except Exception as silent:
            log.error("reminder_without_tone", why=str(silent))  # noqa: TRY400 - its cause was logged just now
        now = self._clock.now()
        for due in dues:
            self._attempts[due.id] = attempt = self._attempts.get(due.id, 0) + 1
            pause_s = min(RETRY_FIRST_S * 2 ** min(attempt - 1, 10), RETRY_MOST_S)
            await release(self._db, [due.id], self.worker, now + timedelta(seconds=pause_s))
            self._held.discard(due.id)

    async def _record_spoken(self) -> None:
        """Record what was spoken; what the database does not take now stays for the next run."""
        for at in set(self._spoken.values()):
            ids = [reminder_id for reminder_id, when in self._spoken.items() if when == at]
            recorded = await triggered_all(self._db, ids, at, self.worker)
            if len(recorded) < len(ids):
                # Cancelled meanwhile, or our lease ran out while the database was away and another daemon has it.
                log.warning("reminder_no_longer_ours", reminders=[str(each) for each in set(ids) - recorded][:FEW])
            for each in ids:
                del self._spoken[each]
                self._held.discard(each)
                self._attempts.pop(each, None)

    async def _let_go(self) -> None:
        """Give back what an earlier run claimed and could not deliver, so that nobody waits for its lease to end."""
        if self._held:
            await release(self._db, list(self._held), self.worker)
            self._held.clear()

    async def _leave(self) -> None:
        """Settle, when stopped, for as long as a household waits for a stop; else the leases run out by themselves."""
        with suppress(LinkDown, TimeoutError):
            async with asyncio.timeout(LEAVE_S):
                await self._record_spoken()
                await self._let_go()

    @asynccontextmanager
    async def _leased(self, dues: Sequence[Due]) -> AsyncIterator[None]:
        beat = asyncio.create_task(self._prolong([due.id for due in dues]))
        try:
            yield
        finally:
            await _ended(beat)

    async def _prolong(self, ids: Sequence[UUID]) -> None:
        while True:
            lease_s = self._lease_s()
            await self._clock.sleep(lease_s / 3)
            # Without a database there is nothing to prolong, and what is being said is said to its end.
            with suppress(LinkDown):
                await extend(self._db, ids, self._clock.now() + timedelta(seconds=lease_s), self.worker)


async def _ended(*tasks: "asyncio.Task[Any]") -> None:
    """Cancel tasks and wait until they have ended, however they do."""
    alive = set(tasks)
    while alive:
        # More than once: `asyncio.wait_for` of Python 3.11 loses a cancellation that meets its result.
        for task in alive:
            task.cancel()
        _, alive = await asyncio.wait(alive, timeout=LEAVE_S)
    for task in tasks:
        if not task.cancelled():
            task.exception()
