"""Keeps the language model in its server's memory, with the beginning of every conversation read already."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

import structlog

from daemon.brain.brain import Brain
from daemon.errors import EngineFailed, LinkDown
from daemon.language.plan import Household

log = structlog.get_logger(__name__)

AGAIN = 0.8
"""Part of the time that the server keeps the model after which it is asked again."""
LONGEST_S = 1800.0
AWAY_S = 60.0
"""How long to leave a server alone that is away, or has no such model."""
LOOK_S = 60.0
"""How often to look whether the house names other things than were read."""
SETTLE_S = 2.0
"""After a change of the prompt or the model, so that several in a row are one."""


class KeepWarm:
    """As a service: warms the model at the start, before it would be forgotten, and where it begins otherwise now."""

    name = "brain"

    def __init__(
        self,
        brain: Brain,
        household: Callable[[], Household],
        *,
        wanted: Callable[[], bool],
        kept_s: Callable[[], float],
    ) -> None:
        """`wanted` tells whether to, `kept_s` how long a server keeps a model that nobody asks (below 0: for ever)."""
        self._brain = brain
        self._household = household
        self._wanted = wanted
        self._kept_s = kept_s
        self._changed = asyncio.Event()
        self._warmed: object = None

    def change(self) -> None:
        """Have it warmed anew: another prompt, another model."""
        self._changed.set()

    async def run(self) -> None:
        """Warm it again and again."""
        loop = asyncio.get_running_loop()
        due = 0.0
        while True:
            named_anew = self._brain.static(self._household()) != self._warmed
            if self._wanted() and (named_anew or loop.time() >= due):
                due = loop.time() + await self.warm()
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await self._changed.wait()
                    await asyncio.sleep(SETTLE_S)
            self._changed.clear()

    async def warm(self) -> float:
        """Warm it once; return after how many seconds to do so again. What fails is for the next question to tell."""
        beginning = self._brain.static(self._household())
        try:
            async with self._brain.plug.use() as model:
                await model.warm(*beginning)
        except (EngineFailed, LinkDown) as failure:
            log.info("brain_not_warmed", why=failure.why)
            return AWAY_S
        self._warmed = beginning
        kept_s = self._kept_s()
        return min(LONGEST_S, kept_s * AGAIN) if kept_s > 0 else LONGEST_S
