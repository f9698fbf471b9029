"""The due loop on a clock of the test's own, and a Delivery that tests listen to."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from daemon.reminders.due import DueReminders
from daemon.reminders.outage import Outage
from db.database import Database
from db.reminders import Due
from support.clock import FakeClock

ZONE = ZoneInfo("America/Sao_Paulo")
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


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


@pytest.fixture
def clock() -> FakeClock:
    """The clock that the loop goes by."""
    return FakeClock()


@pytest.fixture
def room() -> Room:
    """Where it is heard."""
    return Room()


def service(db: Database, room: Room, clock: FakeClock, **more: Any) -> DueReminders:
    """Return the loop over a database, with leases of a minute."""
    return DueReminders(db, room, clock, lambda: 60.0, zone=lambda: ZONE, **more)


async def recorded(db: Database, how_many: int, status: str = "triggered") -> None:
    """Wait until so many reminders have this status."""
    async with asyncio.timeout(10):
        while await db.fetchval("SELECT count(*) FROM reminders WHERE status = $1", status) != how_many:
            pass
