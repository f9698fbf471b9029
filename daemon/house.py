"""The household as the language sees it: devices from MQTT, people from the database, the zone from the preferences."""

from collections.abc import Callable
from dataclasses import dataclass

from config.preferences import HOUSE_TIMEZONE, Preferences
from daemon.devices.house import House as Devices
from daemon.language.plan import Household


@dataclass(slots=True)
class House:
    """Puts the household together whenever it is asked for; `people` gives the names known."""

    devices: Devices
    prefs: Callable[[], Preferences]
    people: Callable[[], tuple[str, ...]] = tuple

    def household(self) -> Household:
        """Return what may be named in a sentence now."""
        return self.devices.household(self.people(), self.prefs()[HOUSE_TIMEZONE])
