"""When the state of an entity ends by itself: `off_delay` and `expire_after` of Home Assistant's announcements."""

import asyncio
from datetime import datetime, timedelta
from typing import Literal

Ending = Literal["off", "expired"]
NOTICEABLE = timedelta(seconds=1)


class Deadlines:
    """By source of the entity and by what ends it. `news` is set while any is pending.

    Nothing here runs by itself: whoever has a clock asks for what is `due`.
    """

    def __init__(self) -> None:
        self.news = asyncio.Event()
        self._at: dict[tuple[str, Ending], datetime] = {}
        self._soonest: datetime | None = None

    def set(self, source: str, ending: Ending, at: datetime) -> None:
        """Have the state end at `at`, and not at the time that was set before."""
        self._at[source, ending] = at
        if self._soonest is None or at < self._soonest:
            self._soonest = at
        self.news.set()

    def clear(self, source: str, ending: Ending) -> None:
        """Have the state stay."""
        self._at.pop((source, ending), None)

    def is_running(self, source: str, ending: Ending, now: datetime) -> bool:
        """Tell whether an end is set that lies ahead."""
        at = self._at.get((source, ending))
        return at is not None and at > now

    def shift(self, by: timedelta) -> None:
        """Move all ends along with a clock that was set anew: what passed is not what the clock says."""
        if abs(by) >= NOTICEABLE:
            self._at = {key: at + by for key, at in self._at.items()}
            self._soonest = min(self._at.values(), default=None)

    def due(self, now: datetime) -> list[tuple[str, Ending]]:
        """Return what ends now, and forget it. Looks through all of them only when one may be due."""
        if self._soonest is None or now < self._soonest:
            return []
        ended = [key for key, at in self._at.items() if at <= now]
        for key in ended:
            del self._at[key]
        self._soonest = min(self._at.values(), default=None)
        if self._soonest is None:
            self.news.clear()
        return ended
