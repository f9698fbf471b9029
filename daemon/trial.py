"""The trial: while only demonstration devices can be moved, a small model of our own may stand in for a real one."""

from dataclasses import dataclass

import structlog

from daemon.clock import Clock
from daemon.devices.house import House
from daemon.engines.plug import Plug
from daemon.engines.protocols import SpeechToText

log = structlog.get_logger(__name__)

LOOK_EVERY_S = 1.0


@dataclass(slots=True)
class Trial:
    """Knows whether this is a trial. `demo_house` is set once the demonstration house was started."""

    house: House
    demo_house: bool = False

    @property
    def goes_on(self) -> bool:
        """Tell whether nothing but demonstration devices can be moved."""
        return self.demo_house and (len(self.house) == 0 or self.house.only_demo)


@dataclass(slots=True)
class TrialEnd:
    """A service that takes the stand-in away when the first real device announces itself.

    The stand-in turns whatever it hears into some sentence of its grammar: a real lamp must not obey it. Building anew
    finds the real model, or says that it is missing.
    """

    trial: Trial
    stt: Plug[SpeechToText]
    clock: Clock
    name: str = "trial"

    async def run(self) -> None:
        """Look until the trial is over."""
        while self.trial.goes_on:
            await self.clock.sleep(LOOK_EVERY_S)
        log.warning("trial_over", reason="a real device announced itself")
        self.stt.close()
        await self.stt.load()


async def announced(house: House, clock: Clock, within_s: float) -> bool:
    """Wait until the demonstration house has announced itself and told its states; False if it does not in time."""
    until_s = clock.monotonic() + within_s
    before = 0
    while clock.monotonic() < until_s:
        told = sum(1 for thing in house.household().things if thing.state is not None)
        if told and told == before:
            return True
        before = told
        await clock.sleep(0.2)
    return False
