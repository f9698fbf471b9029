"""Services and their supervisor.

A service is something with `run()`. `supervise` reruns it when it raises LinkDown, after a jittered and growing pause;
anything else is a bug and ends the process with a clear log, for whoever started it to start it again.
"""

import asyncio
import random
from dataclasses import dataclass
from typing import Protocol

import structlog

from daemon.clock import Clock
from daemon.errors import LinkDown

log = structlog.get_logger(__name__)

FIRST_PAUSE_S = 0.25
LONGEST_PAUSE_S = 30.0
STEADY_S = 60.0


class Service(Protocol):
    """Something that runs until it is cancelled."""

    name: str

    async def run(self) -> None:
        """Work until cancelled. Raises LinkDown when what it depends on is away."""
        ...


@dataclass(slots=True)
class After:
    """A service that begins once something is ready; it has the service's own name."""

    name: str
    ready: asyncio.Event
    service: Service

    async def run(self) -> None:
        """Wait, then run."""
        await self.ready.wait()
        await self.service.run()


async def supervise(service: Service, clock: Clock) -> None:
    """Run `service` for ever; returns only if its `run` does. A run of STEADY_S seconds resets the pause."""
    pause_s = FIRST_PAUSE_S
    told = ""
    while True:
        started = clock.monotonic()
        try:
            await service.run()
        except LinkDown as down:
            if clock.monotonic() - started > STEADY_S:
                pause_s, told = FIRST_PAUSE_S, ""
            wait_s = pause_s * random.uniform(0.5, 1.5)  # noqa: S311 - jitter, not a secret
            # The same news is told once; a house without a microphone needs no line every half minute.
            tell = log.debug if told == str(down) else log.warning
            tell("link_down", service=service.name, link=down.what, why=down.why, retry_in_s=round(wait_s, 2))
            told = str(down)
            await clock.sleep(wait_s)
            pause_s = min(pause_s * 2, LONGEST_PAUSE_S)
        else:
            return
