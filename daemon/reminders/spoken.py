"""How a due reminder reaches the house: a tone, then its words, twice; when nobody is being answered."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from uuid import UUID

import structlog

from daemon.audio import earcons
from daemon.clock import Clock, SystemClock
from daemon.errors import EngineMissing, LinkDown
from daemon.events import Observe, ReminderSpoken
from daemon.language.replies import Replies
from daemon.reminders.music import Music
from daemon.reminders.outage import Outage
from daemon.reminders.push import Note, Push
from daemon.reminders.quiet import waits_until
from daemon.reminders.turns import turn_over
from daemon.reminders.words import announced, briefed
from daemon.turn import is_question
from daemon.voice import Voice
from db.reminders import Due

log = structlog.get_logger(__name__)

RINGS_S = 15 * 60.0
LOUDEST_AFTER_S = 90.0
SOFTEST = 0.08
BETWEEN_RINGS_S = 1.5
SAID_EVERY = 6
"""An alarm says what it is for at every sixth ring."""
REMEMBERED = 1000


async def _nowhere(_: Due) -> str | None:
    return None


@dataclass(frozen=True, slots=True)
class SpokenReminders:
    """The Delivery through the house's voices. A title is spoken as text, whatever it holds.

    `voices` are those of a room, or all where it has none or nobody knows the room (`room` asks where the addressee was
    heard last). `screens` show it too, while somebody sits at one; without a speaker that is delivery enough.
    """

    voices: Callable[[str | None], Sequence[Voice]]
    replies: Replies
    observe: Observe
    clock: Clock = field(default_factory=SystemClock)
    zone: Callable[[], tzinfo] = lambda: UTC
    quiet_hours: Callable[[], str] = lambda: ""
    turn_under_way: Callable[[], bool] = lambda: False
    room: Callable[[Due], Awaitable[str | None]] = _nowhere
    music: Music | None = None
    push: Push | None = None
    screens: list[Callable[[str], None]] = field(default_factory=list)
    asked: Callable[[], None] = lambda: None
    """Told after each reminder that wants an answer: then it may be given without the wake word."""
    _pushed: dict[tuple[UUID, int], None] = field(default_factory=dict)

    async def speak(self, due: Due) -> None:
        """Speak one reminder, in the room of whom it is for. Raises EngineFailed, LinkDown."""
        text = announced(self.replies, due, self.clock.now())
        self._push(due, text)
        await self._say(text, await self._room(due), times=2)
        if due.ack == "required" or is_question(text):
            self.asked()
        self.observe(ReminderSpoken(due.id, due.title))

    async def brief(self, dues: Sequence[Due], outage: Outage | None = None) -> None:
        """Speak several late ones as one briefing."""
        await self._say(briefed(self.replies, dues, self.clock.now(), self.zone(), outage), None, times=1)
        for due in dues:
            self.observe(ReminderSpoken(due.id, due.title))

    async def ring(self, due: Due) -> None:
        """Ring ever louder, for RINGS_S at most, and say at times what for; others may speak in between."""
        began = self.clock.monotonic()
        text, room = self.replies.say("alarm.rings", title=due.title), await self._room(due)
        self._push(due, text)
        self.observe(ReminderSpoken(due.id, due.title))
        for number in range(round(RINGS_S)):
            rung_s = self.clock.monotonic() - began
            if rung_s >= RINGS_S:
                return
            loudness = min(1.0, SOFTEST + (1 - SOFTEST) * rung_s / LOUDEST_AFTER_S)
            if not self.turn_under_way():  # who wants it to stop is to be heard
                await asyncio.gather(*(voice.tone(earcons.alarm(loudness)) for voice in self.voices(room)))
                if number % SAID_EVERY == SAID_EVERY - 1:
                    await self._speak(text, room, times=1, tone=False)
            await self.clock.sleep(BETWEEN_RINGS_S)

    async def tone(self) -> None:
        """Sound the tone alone."""
        await asyncio.gather(*(voice.tone(earcons.reminder()) for voice in self.voices(None)))

    def quiet_until(self, due: Due, now: datetime) -> datetime | None:
        """Return until when it waits for the end of the quiet hours, or None."""
        return waits_until(self.quiet_hours(), due, now, self.zone())

    async def _say(self, text: str, room: str | None, *, times: int) -> None:
        for show in self.screens:
            show(text)
        await turn_over(self.turn_under_way, self.clock)
        softly: AbstractAsyncContextManager[None] = nullcontext() if self.music is None else self.music.lowered(room)
        async with softly:
            await self._speak(text, room, times=times)

    async def _speak(self, text: str, room: str | None, *, times: int, tone: bool = True) -> None:
        async def said() -> AsyncGenerator[str, None]:
            for _ in range(times):
                yield text

        before = earcons.reminder() if tone else None
        try:
            await asyncio.gather(*(voice.speak(said(), before=before) for voice in self.voices(room)))
        except EngineMissing:
            if not self.screens:
                raise

    async def _room(self, due: Due) -> str | None:
        try:
            return await self.room(due) or due.area
        except LinkDown:
            return due.area

    def _push(self, due: Due, text: str) -> None:
        """Push it once, however often the voice has to try."""
        if self.push is None or (due.id, due.times_spoken) in self._pushed:
            return
        while len(self._pushed) >= REMEMBERED:
            del self._pushed[next(iter(self._pushed))]
        self._pushed[due.id, due.times_spoken] = None
        self.push.put(Note(due.id, text, self.clock.now(), urgent=due.urgent or due.ack == "required"))
