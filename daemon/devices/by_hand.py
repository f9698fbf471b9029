"""What the household set by hand: names, rooms and marks, which win over what devices announce, for ever."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from daemon.devices.naming import slug


@dataclass(frozen=True, slots=True)
class Marks:
    """What was set of one entity. `guarded` None lets its kind decide whether commands need a spoken yes."""

    name: str | None = None
    aliases: tuple[str, ...] = ()
    area: str | None = None
    hidden: bool = False
    favourite: bool = False
    guarded: bool | None = None


@dataclass(frozen=True, slots=True)
class Room:
    """A row of `areas`."""

    name: str
    aliases: tuple[str, ...] = ()
    floor: str | None = None


@dataclass(frozen=True)
class ByHand:
    """All that was set: marks by entity id, areas by device identifier, and rooms."""

    marks: Mapping[str, Marks] = field(default_factory=dict)
    device_areas: Mapping[str, str] = field(default_factory=dict)
    rooms: tuple[Room, ...] = ()

    def rooms_by_word(self) -> dict[str, str]:
        """Return each room's name by everything that it is called, in a form that ignores case and accents."""
        words = {slug(alias): room.name for room in self.rooms for alias in room.aliases}
        return words | {slug(room.name): room.name for room in self.rooms}


NO_MARKS = Marks()
NOTHING_BY_HAND = ByHand()
