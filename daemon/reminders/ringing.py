"""Alarms that ring: each beside the due loop, so that a medicine is spoken while an alarm clock goes on."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any
from uuid import UUID

import structlog

from daemon.clock import Clock
from daemon.reminders.delivery import Delivery
from daemon.reminders.leases import Leases, ended, said
from db.reminders import Due

log = structlog.get_logger(__name__)


class Ringing:
    """The alarms that ring now. `wake` is called when one is over; `failed` when it could not be heard."""

    def __init__(
        self,
        delivery: Delivery,
        leases: Leases,
        clock: Clock,
        wake: Callable[[], None],
        failed: Callable[[list[Due], Exception], Coroutine[Any, Any, None]],
    ) -> None:
        self._delivery = delivery
        self._leases = leases
        self._clock = clock
        self._wake = wake
        self._failed = failed
        self._tasks: dict[UUID, tuple[Due, asyncio.Task[None]]] = {}
        self._stopped: set[UUID] = set()

    def __len__(self) -> int:
        return len(self._tasks)

    def start(self, due: Due) -> None:
        """Let an alarm ring, its lease kept meanwhile."""
        self._leases.take_along(due)
        self._tasks[due.id] = (due, asyncio.create_task(self._ring(due)))

    def stop(self) -> int:
        """Stop them all, as somebody asked; return how many rang."""
        for reminder_id, (_, task) in self._tasks.items():
            self._stopped.add(reminder_id)
            task.cancel()
        return len(self._stopped)

    async def look(self) -> None:
        """Stop those that somebody cancelled or put off elsewhere. Raises LinkDown."""
        if self._tasks:
            still = await self._leases.still_due(due for due, _ in self._tasks.values())
            gone = [task for reminder_id, (_, task) in self._tasks.items() if reminder_id not in still]
            await ended(*gone)

    async def close(self) -> list[Due]:
        """Silence them all because Mordomo stops; return them, for their leases to be given back."""
        rang = [due for due, _ in self._tasks.values()]
        await ended(*(task for _, task in self._tasks.values()))
        return rang

    async def _ring(self, due: Due) -> None:
        began = self._clock.now()
        try:
            async with self._leases.kept([due]):
                await self._delivery.ring(due)
            self._leases.spoke(said(due, began))
        except asyncio.CancelledError:
            if due.id not in self._stopped:
                raise
            self._leases.spoke(said(due, began, "done"))
        except Exception as error:
            await self._failed([due], error)
        finally:
            self._stopped.discard(due.id)
            self._tasks.pop(due.id, None)
            self._wake()
