"""What the due loop needs of the house: a way to be heard, and hands for what was scheduled."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from daemon.reminders.outage import Outage
from db.reminders import Due


class Delivery(Protocol):
    """How a reminder reaches people. Each returns once it was heard out; cancelling stops the sound."""

    async def speak(self, due: Due) -> None:
        """Speak one reminder, to its addressee. Raises EngineFailed, or LinkDown of a speaker."""
        ...

    async def brief(self, dues: Sequence[Due], outage: Outage | None = None) -> None:
        """Tell of late ones (1 to 10,000, the oldest first) at once, after an outage. Raises as `speak` does."""
        ...

    async def ring(self, due: Due) -> None:
        """Ring until cancelled, or for as long as an alarm rings. Raises as `speak` does."""
        ...

    async def tone(self) -> None:
        """Sound a tone, which needs no voice. Raises as `speak` does."""
        ...

    def quiet_until(self, due: Due, now: datetime) -> datetime | None:
        """Return until when this one waits because the house is quiet now, or None."""
        ...


class Hands(Protocol):
    """What carries out a scheduled command."""

    async def carry_out(self, due: Due) -> None:
        """Carry out `due.plan`, and tell the house where it did not go well."""
        ...
