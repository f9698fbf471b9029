"""When somebody else's lease may be taken over: only after two looks, for the wall clock alone tells nobody dead.

A clock that is set forward by an hour ends every lease at once, also that of a daemon in mid-sentence. Whoever lives
prolongs it within a third of its length; so a lease that is over, and still the same after half of its length by a
clock that nobody sets, was left by the dead.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from uuid import UUID

from daemon.clock import Clock

SHARE = 0.5
"""Of a lease's length, so long it is watched. Prolonged it is after a third."""


class Takeover:
    """The leases that are over by the wall clock, each with the moment at which it was first seen so."""

    def __init__(self, clock: Clock, lease_s: Callable[[], float]) -> None:
        self._clock = clock
        self._lease_s = lease_s
        self._seen: dict[tuple[UUID, datetime], float] = {}

    def look(self, ended: Mapping[UUID, datetime]) -> float | None:
        """Note what is over now; return the seconds until the first of them counts as left, None where none is."""
        now = self._clock.monotonic()
        self._seen = {lease: self._seen.get(lease, now) for lease in ended.items()}
        if not self._seen:
            return None
        return max(0.0, min(self._seen.values()) + self._watched_s - now)

    def left(self) -> list[UUID]:
        """Return those that were over all the while."""
        since = self._clock.monotonic() - self._watched_s
        return [reminder for (reminder, _), seen in self._seen.items() if seen <= since]

    @property
    def _watched_s(self) -> float:
        return self._lease_s() * SHARE
