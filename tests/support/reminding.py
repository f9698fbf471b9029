"""A daemon's reminders alone, as a process that may be killed: `python -m support.reminding URL JOURNAL OFFSET NAME`.

What it says is a line of the journal when it begins and one when it has ended, each written at once, so that they
outlive a SIGKILL. The file OFFSET holds by how many seconds the machine's wall clock has been set wrong.
"""

import asyncio
import contextlib
import os
import sys
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from daemon.clock import SystemClock
from daemon.errors import LinkDown
from daemon.reminders.due import DueReminders
from daemon.reminders.outage import Outage
from db.database import open_database
from db.reminders import Due

SPEECH_S = 0.004
LEASE_S = 10.0


class WrongClock(SystemClock):
    """The system's clock, set wrong."""

    def __init__(self, offset: Path) -> None:
        self._offset = offset

    def now(self) -> datetime:
        return super().now() + timedelta(seconds=float(self._offset.read_text() or 0))


class Journal:
    """The Delivery that writes down what it says."""

    def __init__(self, file: Path, name: str) -> None:
        self._descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        self._name = name

    async def speak(self, due: Due) -> None:
        await self.brief([due])

    async def brief(self, dues: Sequence[Due], outage: Outage | None = None) -> None:
        """Say several in one breath: the clock was set forward, and all of them are late at once."""
        self._write("begins", dues)
        await asyncio.sleep(SPEECH_S)
        self._write("ended", dues)

    async def ring(self, due: Due) -> None:
        raise AssertionError("nothing rings here")

    async def tone(self) -> None:
        raise AssertionError("the voice does not fail")

    def quiet_until(self, due: Due, now: datetime) -> datetime | None:
        return None

    def _write(self, what: str, dues: Sequence[Due]) -> None:
        os.write(self._descriptor, f"{self._name} {what} {','.join(str(due.id) for due in dues)}\n".encode())


async def main(url: str, journal: str, offset: str, name: str) -> None:
    delivery, clock = Journal(Path(journal), name), WrongClock(Path(offset))
    async with open_database(url) as db:
        service = DueReminders(db, delivery, clock, lambda: LEASE_S, zone=lambda: ZoneInfo("America/Sao_Paulo"))
        while True:  # as the supervisor does
            with contextlib.suppress(LinkDown):
                await service.run()
            await asyncio.sleep(0.2)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
