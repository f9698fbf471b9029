"""A Delivery that tests listen to, and the due loop run as the supervisor runs it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from uuid import UUID

from daemon.errors import LinkDown
from daemon.reminders.due import DueReminders
from daemon.reminders.outage import Outage
from db.reminders import Due


class Room:
    """Hears what is delivered. `mute` makes the voice fail; while `hold` is clear, speech goes on."""

    def __init__(self) -> None:
        self.heard: asyncio.Queue[str] = asyncio.Queue()
        self.ids: list[UUID] = []
        self.dues: list[Due] = []
        self.mute: Exception | None = None
        self.hold = asyncio.Event()
        self.hold.set()
        self.cut_off = 0
        self.ring_over = asyncio.Event()
        self.quiet: datetime | None = None
        self.outages: list[Outage | None] = []

    async def speak(self, due: Due) -> None:
        if self.mute:
            raise self.mute
        self.ids.append(due.id)
        self.dues.append(due)
        self.heard.put_nowait(due.title)
        await self._sound()

    async def brief(self, dues: Sequence[Due], outage: Outage | None = None) -> None:
        if self.mute:
            raise self.mute
        self.ids += [due.id for due in dues]
        self.outages.append(outage)
        self.heard.put_nowait("briefing: " + ", ".join(due.title for due in dues[:6]))
        await self._sound()

    async def ring(self, due: Due) -> None:
        if self.mute:
            raise self.mute
        self.ids.append(due.id)
        self.heard.put_nowait(f"ring: {due.title}")
        try:
            await self.ring_over.wait()
        finally:
            self.heard.put_nowait(f"silence: {due.title}")

    async def tone(self) -> None:
        self.heard.put_nowait("tone")

    def quiet_until(self, due: Due, now: datetime) -> datetime | None:
        return self.quiet

    async def next(self) -> str:
        return await asyncio.wait_for(self.heard.get(), 10)

    async def _sound(self) -> None:
        try:
            await self.hold.wait()
        except asyncio.CancelledError:
            self.cut_off += 1
            raise


@asynccontextmanager
async def running(*services: DueReminders) -> AsyncIterator[None]:
    """Run them, again whenever their link is down, as the supervisor does."""

    async def again(each: DueReminders) -> None:
        while True:
            with suppress(LinkDown):
                await each.run()
            await asyncio.sleep(0.01)

    tasks = [asyncio.create_task(again(each)) for each in services]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        for task in tasks:
            assert task.cancelled() or task.exception() is None, task.exception()
