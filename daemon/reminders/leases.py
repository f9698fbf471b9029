"""What one daemon holds just now: leases, and what was spoken and is not recorded yet."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Any
from uuid import UUID, uuid4

import structlog

from daemon.clock import Clock
from daemon.errors import LinkDown
from daemon.reminders.takeover import Takeover
from db.database import Database
from db.recurrence import WorkingDays
from db.reminder_leases import claim_due, extend, next_due, release, triggered_all
from db.reminder_steps import due_again, still_due
from db.reminders import Due
from models.words import Step

log = structlog.get_logger(__name__)

LEAVE_S = 1.0
CONTENDED_S = 0.01
"""Pause before another try where what is due is just being claimed by another daemon."""
AT_ONCE = 200
TOLD = 3
ASK_EVERY_S = 600
"""After so long without an answer a reminder that needs one is repeated, unless it says otherwise."""
ESCALATE_AFTER = 3
"""Spoken so many times without an answer, it goes to the other person too."""
MOST_ASKED = 24
"""Spoken so many times without an answer, it counts as missed."""
RETRY_FIRST_S = 15.0
RETRY_MOST_S = 300.0


@dataclass(frozen=True, slots=True)
class Said:
    """What was spoken, when, as which step; `again` is when it is due once more, None where it is over."""

    due: Due
    at: datetime
    step: Step
    again: datetime | None = None


def said(due: Due, at: datetime, step: Step | None = None) -> Said:
    """Return what follows from speaking a reminder: the end of it, or another time until somebody answers."""
    if step is None and due.ack == "required":
        asked = due.times_spoken + 1
        again = at + timedelta(seconds=due.ack_every_s or ASK_EVERY_S)
        if asked >= MOST_ASKED:
            return Said(due, at, "missed")
        return Said(due, at, "spoken" if asked == 1 else "escalated" if escalates(due) else "repeated", again)
    return Said(due, at, step or "spoken")


def escalates(due: Due) -> bool:
    """Tell whether this time it goes to the other person."""
    return due.escalate_to is not None and due.times_spoken >= ESCALATE_AFTER


class Leases:
    """The leases of one daemon (`worker`). Every method raises LinkDown, and keeps what it could not do for later."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        lease_s: Callable[[], float],
        zone: Callable[[], tzinfo],
        calendar: Callable[[], WorkingDays | None],
    ) -> None:
        self.worker = str(uuid4())
        self._db = db
        self._clock = clock
        self._lease_s = lease_s
        self._zone = zone
        self._calendar = calendar
        self._takeover = Takeover(clock, lease_s)
        self._held: set[UUID] = set()
        self._said: dict[UUID, Said] = {}
        self._attempts: dict[UUID, int] = {}

    async def claim(self, now: datetime, limit: int, late: timedelta = timedelta(0)) -> list[Due]:
        """Lease what is due; what is not settled by the next run is given back."""
        zone, calendar = self._zone(), self._calendar()
        claimed = await claim_due(
            self._db, now, limit, self._lease_s(), self.worker, zone=zone, late=late, calendar=calendar,
            from_the_dead=self._takeover.left(),
        )  # fmt: skip
        self._held.update(due.id for due in claimed)
        return claimed

    async def pause_s(self, looked: datetime) -> float | None:
        """Return how long to wait before the next claim, after one at `looked` found nothing; None without an end."""
        look = await next_due(self._db, looked)
        due_s = None
        if look.at is not None:
            due_s = CONTENDED_S if look.at <= looked else max(0.0, (look.at - self._clock.now()).total_seconds())
        left_s = self._takeover.look(look.ended)
        return min((each for each in (due_s, left_s) if each is not None), default=None)

    def take_along(self, due: Due) -> None:
        """Have a lease kept by somebody else than the loop: it is not given back with the others."""
        self._held.discard(due.id)

    async def give_back(self, dues: Iterable[Due], until: datetime | None = None) -> None:
        """Open them for the next claim, or from `until` on."""
        ids = [due.id for due in dues]
        await release(self._db, ids, self.worker, until)
        self._held.difference_update(ids)

    async def put_off(self, dues: Sequence[Due]) -> None:
        """Open them for another try, each after a pause that grows with its failures."""
        now = self._clock.now()
        for due in dues:
            self._attempts[due.id] = attempt = self._attempts.get(due.id, 0) + 1
            pause_s = min(RETRY_FIRST_S * 2 ** min(attempt - 1, 10), RETRY_MOST_S)
            await self.give_back([due], now + timedelta(seconds=pause_s))

    async def settle(self, dues: Sequence[Due], at: datetime, step: Step) -> set[UUID]:
        """Record at once what became of them; return those that were still ours."""
        ids = [due.id for due in dues]
        ours = await triggered_all(self._db, ids, at, self.worker, step=step) if ids else set()
        self._held.difference_update(ids)
        return ours

    def spoke(self, each: Said) -> None:
        """Remember that it was spoken, until `record` could write it down."""
        self._said[each.due.id] = each

    async def record(self) -> None:
        """Record what was spoken; what the database does not take now stays for the next run."""
        for at, step in {(each.at, each.step) for each in self._said.values()}:
            together = [each for each in self._said.values() if (each.at, each.step) == (at, step)]
            recorded = await self._over([each.due.id for each in together if each.again is None], at, step)
            for each in together:
                if each.again is not None and await self._again(each, each.again):
                    recorded.add(each.due.id)
            if len(recorded) < len(together):
                # Cancelled or put off meanwhile, or our lease ran out while the database was away.
                lost = [str(each.due.id) for each in together if each.due.id not in recorded]
                log.warning("reminder_no_longer_ours", reminders=lost[:TOLD])
            for each in together:
                self._said.pop(each.due.id, None)
                self._held.discard(each.due.id)
                self._attempts.pop(each.due.id, None)

    async def _over(self, ids: Sequence[UUID], at: datetime, step: Step) -> set[UUID]:
        """Record the end of these, a few at a time: whoever talks to the house meanwhile is not to notice."""
        recorded: set[UUID] = set()
        for first in range(0, len(ids), AT_ONCE):
            recorded |= await triggered_all(self._db, ids[first : first + AT_ONCE], at, self.worker, step=step)
        return recorded

    async def _again(self, each: Said, again: datetime) -> bool:
        detail = {"to": each.due.escalate_to if each.step == "escalated" else each.due.addressee}
        return await due_again(self._db, each.due, each.at, self.worker, step=each.step, again=again, detail=detail)

    async def let_go(self) -> None:
        """Give back what an earlier run claimed and could not deliver, so that nobody waits for its lease to end."""
        if self._held:
            await release(self._db, list(self._held), self.worker)
            self._held.clear()

    async def leave(self, others: Iterable[Due] = ()) -> None:
        """Settle, when stopped, for as long as a household waits for a stop; else the leases run out by themselves."""
        with suppress(LinkDown, TimeoutError):
            async with asyncio.timeout(LEAVE_S):
                await self.record()
                self._held.update(due.id for due in others)
                await self.let_go()

    async def still_due(self, dues: Iterable[Due]) -> set[UUID]:
        """Return those that nobody has cancelled, done or put off meanwhile."""
        return await still_due(self._db, [due.id for due in dues], self._clock.now())

    @asynccontextmanager
    async def kept(self, dues: Sequence[Due]) -> AsyncIterator[None]:
        """Prolong the leases meanwhile."""
        beat = asyncio.create_task(self._prolong([due.id for due in dues]))
        try:
            yield
        finally:
            await ended(beat)

    async def _prolong(self, ids: Sequence[UUID]) -> None:
        while True:
            lease_s = self._lease_s()
            await self._clock.sleep(lease_s / 3)
            # Without a database there is nothing to prolong, and what is being said is said to its end.
            with suppress(LinkDown):
                await extend(self._db, ids, self._clock.now() + timedelta(seconds=lease_s), self.worker)


async def ended(*tasks: "asyncio.Task[Any]") -> None:
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
