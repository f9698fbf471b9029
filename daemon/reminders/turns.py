"""Whether somebody is being listened to or answered just now, by what the daemon's observers are told."""

from collections.abc import Callable

from daemon.clock import Clock
from daemon.events import Event, ListeningOn, NothingHeard, TurnEnded, TurnFailed, WakeWordHeard

MOST_S = 60.0
"""A turn whose end nobody told (it was cut short) counts as over after this."""
LOOK_S = 0.2
MOST_WAIT_S = 30.0
"""A turn that takes longer than this is interrupted at its next pause: the voice is one."""


async def turn_over(under_way: Callable[[], bool], clock: Clock) -> None:
    """Wait until nobody is being listened to or answered, for MOST_WAIT_S at most."""
    began = clock.monotonic()
    while under_way() and clock.monotonic() - began < MOST_WAIT_S:
        await clock.sleep(LOOK_S)


class TurnsUnderWay:
    """Call `note` with every event."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._called: dict[str, float] = {}

    def note(self, event: Event) -> None:
        """Take an event in."""
        if isinstance(event, WakeWordHeard | ListeningOn):
            self._called[event.source] = self._clock.monotonic()
        elif isinstance(event, NothingHeard | TurnEnded | TurnFailed):
            self._called.pop(event.source, None)

    def any(self) -> bool:
        """Tell whether there is one."""
        now = self._clock.monotonic()
        return any(now - called < MOST_S for called in self._called.values())
