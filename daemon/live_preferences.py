"""The preferences at this moment: read from the config table, kept fresh while the family edits it."""

from collections.abc import Awaitable, Callable

import structlog

from config.preference import Part, Preference, T
from config.preferences import DECLARED, Preferences
from daemon.events import Observe, PreferenceChanged
from db.audit import Acting, Channel
from db.database import Database
from db.listen import notifications
from db.preferences import load, set_value

log = structlog.get_logger(__name__)

CHANNEL = "mordomo_config"


class LivePreferences:
    """Holds the last good set; as a service it follows the table.

    `rebuild` says how the part that a changed key reloads is built anew; the composition root fills it.
    """

    name = "preferences"

    def __init__(self, db: Database, listen_url: str, observe: Observe) -> None:
        self.rebuild: dict[Part, Callable[[], Awaitable[None]]] = {}
        self._db = db
        self._listen_url = listen_url
        self._observe = observe
        self._now = Preferences()

    def now(self) -> Preferences:
        """Return the set in force."""
        return self._now

    async def run(self) -> None:
        """Follow the table until cancelled. Raises LinkDown when the database goes away; the last good set stays."""
        async for _ in notifications(self._listen_url, [CHANNEL]):
            await self.refresh()

    async def set(self, preference: Preference[T], value: T, by: str, channel: Channel) -> None:
        """Store a value, signed by who asked and by which way, and take it over. Raises InvalidPreference, LinkDown."""
        await set_value(Acting(self._db, by, channel), preference.key, value, by)
        await self.refresh()

    async def refresh(self) -> None:
        """Read the table and take over what changed. Raises LinkDown."""
        fresh, problems = await load(self._db, self._now)
        for problem in problems:
            log.warning("preference_refused", problem=problem)
            self._observe(PreferenceChanged(problem.split(":", 1)[0], problem))
        before, after = self._now.as_dict(), fresh.as_dict()
        changed = [key for key in after if before[key] != after[key]]
        self._now = fresh
        parts: dict[Part, None] = {DECLARED[key].reloads: None for key in changed}
        for part in parts:
            if part in self.rebuild:
                await self.rebuild[part]()
        for key in changed:
            log.info("preference_changed", key=key, value=after[key])
            self._observe(PreferenceChanged(key))
