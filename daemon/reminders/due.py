"""The due loop: sleeps until the next reminder is due, claims it, has it spoken, and records that it was.

    claim (lease) ──▶ speak, the lease prolonged meanwhile ──▶ record as triggered, or as due again until answered
       │                  └── the voice fails: a tone, and it stays open for a later try
       ├── an alarm: rings beside the loop, until somebody stops it
       ├── a command: recorded as carried out, then carried out, so that it never is twice
       └── late: by its rule spoken all the same, told in one briefing, or dropped (daemon/reminders/late.py)

NOTIFY wakes the loop early and the query tells the truth: it looks again after LOOK_AGAIN_S at the latest, which is
also how a clock that jumps, or a machine that slept, is noticed; a sleep is told as an outage is. Killed at any point,
the lease runs out and whoever runs then speaks the reminder, under the same id. The database going away after the last
word loses nothing either: what was spoken is remembered, and recorded first thing when it is back.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from dataclasses import replace
from datetime import datetime, timedelta, tzinfo
from typing import Any

import structlog

from daemon.clock import Clock
from daemon.errors import EngineFailed, LinkDown
from daemon.reminders.delivery import Delivery, Hands
from daemon.reminders.late import LATE, sort
from daemon.reminders.leases import Leases, ended, escalates, said
from daemon.reminders.outage import Outage, Pulse
from daemon.reminders.ringing import Ringing
from db.database import Database
from db.listen import notifications
from db.recurrence import WorkingDays
from db.reminder_changes import snooze
from db.reminders import Due
from models.words import Step

log = structlog.get_logger(__name__)

CHANNEL = "mordomo_reminders"
LOOK_AGAIN_S = 30.0
FEW = 3
"""So many late ones are spoken one by one; more become a single briefing."""
BATCH = 100
MOST_BRIEFED = 10_000
MOST_SPEECH_S = 300.0
OUTAGE_TOLD = timedelta(minutes=10)
"""How long after the start an outage is still told, with what it made late."""


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
        calendar: Callable[[], WorkingDays | None] = lambda: None,
        hands: Hands | None = None,
        pulse: Pulse | None = None,
    ) -> None:
        """Speak through `delivery`, act with `hands` (None: scheduled commands are only told).

        `zone` and `calendar` are the household's; `listen` gives an item whenever to look now; `pulse` knows outages.
        """
        self._db = db
        self._delivery = delivery
        self._clock = clock
        self._listen = listen or (lambda: notifications(db.direct_url, [CHANNEL]))
        self._hands = hands
        self._pulse = pulse or Pulse()
        self._wake = asyncio.Event()
        self._leases = Leases(db, clock, lease_s, zone, calendar)
        self._ringing = Ringing(delivery, self._leases, clock, self._wake.set, self._put_off)
        self._acting: set[asyncio.Task[None]] = set()
        self._speech: asyncio.Task[None] | None = None
        self._hushed = False
        self._outage: Outage | None = None

    async def run(self) -> None:
        """Speak what is due until cancelled. Raises LinkDown while the database is away; run again, it resumes."""
        listener = asyncio.create_task(self._heed())
        self._outage = self._outage or self._pulse.outage(self._clock.now())
        try:
            while True:
                self._wake.clear()
                self._outage = self._pulse.woke(self._clock.now()) or self._outage
                self._pulse.beat(self._clock.now())
                await self._leases.record()
                await self._leases.let_go()
                await self._ringing.look()
                now = self._clock.now()
                if not await self._deliver_next(now):
                    await self._rest(now, listener)
        except asyncio.CancelledError:
            await ended(listener)
            await self._leave()
            raise
        finally:
            await ended(listener)

    def stop(self) -> bool:
        """Stop what rings or is being said, as somebody asked ("para"); False where there is nothing to stop."""
        rang = self._ringing.stop()
        if self._speech is not None and not self._speech.done():
            self._hushed = True
            self._speech.cancel()
            return True
        return rang > 0

    async def _heed(self) -> None:
        async for _ in self._listen():
            self._wake.set()
        raise LinkDown("postgres", "the notifications ended")

    async def _rest(self, looked: datetime, listener: "asyncio.Task[None]") -> None:
        """Sleep until something is due, something changed, or it is time to look again. `looked` is the last look."""
        pause_s = await self._leases.pause_s(looked)
        pause_s = LOOK_AGAIN_S if pause_s is None else min(pause_s, LOOK_AGAIN_S)
        sleeping = asyncio.create_task(self._clock.sleep(pause_s))
        woken = asyncio.create_task(self._wake.wait())
        try:
            await asyncio.wait({listener, sleeping, woken}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await ended(sleeping, woken)
        if listener.done():
            listener.result()

    async def _deliver_next(self, now: datetime) -> bool:
        """Deliver the oldest that is due, with others where several are late; False if nothing is."""
        claimed = await self._leases.claim(now, 1)
        if not claimed:
            return False
        if now - claimed[0].scheduled_at > LATE:
            await self._deliver_late(claimed + await self._others_late(now), now)
        else:
            await self._deliver_one(claimed[0], now)
        return True

    async def _deliver_one(self, due: Due, now: datetime) -> None:
        """Deliver one after the manner of its kind."""
        quiet_until = self._delivery.quiet_until(due, now)
        if quiet_until is not None:
            async with self._db.transaction() as connection:
                await snooze(connection, due.id, quiet_until, now)
        elif due.kind == "alarm":
            self._ringing.start(due)
        elif due.kind == "command" and self._hands is not None:
            # Recorded first: a daemon killed in between leaves it undone rather than doing it twice.
            if due.id in await self._leases.settle([due], now, "carried_out"):
                self._acting.add(act := asyncio.create_task(self._act(self._hands, due)))
                act.add_done_callback(self._acting.discard)
        else:
            to = replace(due, addressee=due.escalate_to) if escalates(due) else due
            async with self._leases.kept([due]):
                await self._deliver([due], self._delivery.speak(to))

    async def _deliver_late(self, dues: Sequence[Due], now: datetime) -> None:
        """Deliver late ones by the rule of each, in one briefing where they are many or something is only told."""
        found = sort(dues, now)
        await self._leases.settle(found.drop, now, "dropped")
        told = self._outage is not None and now - self._outage.until < OUTAGE_TOLD
        if not found.mention and not told and len(found.speak) <= FEW:
            for due in found.speak:
                await self._deliver_one(due, now)
            return
        acted = [due for due in found.speak if due.kind in ("alarm", "command")]
        for due in acted:
            await self._deliver_one(due, now)
        rest = sorted(
            [due for due in found.speak if due not in acted] + found.mention, key=lambda due: due.scheduled_at
        )
        if rest:
            async with self._leases.kept(rest):
                briefing = self._delivery.brief(rest, self._outage if told else None)
                if await self._deliver(rest, briefing, mentioned=found.mention):
                    self._outage = None

    async def _others_late(self, now: datetime) -> list[Due]:
        """Claim the other late ones, if together with the one in hand they are more than FEW; else none."""
        others = await self._leases.claim(now, FEW, LATE)
        if len(others) < FEW and self._outage is None:
            await self._leases.give_back(others)
            return []
        while FEW <= len(others) < MOST_BRIEFED:
            more = await self._leases.claim(now, BATCH, LATE)
            others += more
            if len(more) < BATCH:
                break
        return others

    async def _deliver(
        self, dues: Sequence[Due], saying: Coroutine[Any, Any, None], mentioned: Sequence[Due] = ()
    ) -> bool:
        """Have it said and record that it was; False where it could not be said."""
        began = self._clock.now()
        try:
            await self._bounded(saying)
        except Exception as error:
            # Whatever fails in one delivery must not silence the others.
            await self._put_off(dues, error)
            return False
        only_told = {due.id for due in mentioned}
        for due in dues:
            step: Step | None = "mentioned" if due.id in only_told else None
            self._leases.spoke(said(due, began, step))
        late_s = (began - dues[0].scheduled_at).total_seconds()
        log.info("reminders_spoken", reminders=[str(due.id) for due in dues[:FEW]], count=len(dues), late_s=late_s)
        await self._leases.record()
        return True

    async def _bounded(self, saying: Coroutine[Any, Any, None]) -> None:
        """Wait for the speech, for MOST_SPEECH_S at most: a speaker that hangs holds up every other reminder."""
        speech = self._speech = asyncio.create_task(saying)
        limit = asyncio.create_task(self._clock.sleep(MOST_SPEECH_S))
        try:
            await asyncio.wait({speech, limit}, return_when=asyncio.FIRST_COMPLETED)
            if not speech.done():
                raise EngineFailed("voice", f"not done after {MOST_SPEECH_S:g} s")
            if not (speech.cancelled() and self._hushed):
                speech.result()
        finally:
            self._speech, self._hushed = None, False
            await ended(speech, limit)

    async def _act(self, hands: Hands, due: Due) -> None:
        try:
            await hands.carry_out(due)
        except Exception:
            log.exception("command_not_carried_out", reminder=str(due.id))

    async def _put_off(self, dues: Sequence[Due], error: Exception) -> None:
        """Sound a tone in place of the words, and open the reminders for another try after a growing pause."""
        expected = isinstance(error, EngineFailed | LinkDown)
        log.error("reminder_not_spoken", count=len(dues), why=str(error), exc_info=None if expected else error)
        try:
            await self._bounded(self._delivery.tone())
        except Exception as silent:
            log.error("reminder_without_tone", why=str(silent))  # noqa: TRY400 - its cause was logged just now
        await self._leases.put_off(dues)

    async def _leave(self) -> None:
        """Silence what rings and settle what can be settled."""
        rang = await self._ringing.close()
        if self._acting:
            await asyncio.wait(self._acting, timeout=1.0)
        await self._leases.leave(rang)
