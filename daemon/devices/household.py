"""Entities as things of the household: by which name, in which room, with which marks and readings."""

from collections import Counter
from collections.abc import Iterable

from daemon.devices.by_hand import NO_MARKS, NOTHING_BY_HAND, ByHand, Marks
from daemon.devices.entity import Condition, Entity
from daemon.devices.naming import clean_name, slug
from daemon.language.plan import Area, Thing

NOT_THINGS = frozenset({"device_automation", "tag", "device_tracker", "update", "image", "camera", "notify", "event"})
"""Components that are kept as seen, but that nobody names in a sentence."""


class Naming:
    """The names and rooms of entities: what was set by hand first, then what was announced."""

    def __init__(self) -> None:
        self._by_hand = NOTHING_BY_HAND
        self._rooms: dict[str, str] = {}
        self._names: dict[str, str] | None = None
        self._spelt: dict[str, str] = {}

    def use(self, by_hand: ByHand) -> None:
        """Take over what was set by hand, all of it anew."""
        self._by_hand, self._rooms = by_hand, by_hand.rooms_by_word()
        self._names = None

    def forget(self) -> None:
        """Note that there are other entities now."""
        self._names = None

    def marks(self, entity_id: str) -> Marks:
        """Return what was set by hand of an entity."""
        return self._by_hand.marks.get(entity_id, NO_MARKS)

    def name(self, entity_id: str, entities: Iterable[Entity]) -> str:
        """Return the name that an entity goes by: see `_announced_names`; what was given by hand wins."""
        if self._names is None:
            given = {one: marks.name for one, marks in self._by_hand.marks.items() if marks.name}
            self._names = _announced_names(entity for entity in entities if entity.id not in given) | given
        return self._names.get(entity_id, entity_id)

    def area(self, entity: Entity) -> str | None:
        """Return the room: the entity's by hand, else its device's by hand, else the suggested one in our spelling."""
        set_by_hand = self.marks(entity.id).area or self._by_hand.device_areas.get(entity.device_identifier or "")
        if set_by_hand is not None or entity.area is None:
            return set_by_hand
        # "Sala" and "sala" are one room, in the spelling that was there first.
        return self._rooms.get(slug(entity.area)) or self._spelt.setdefault(entity.area.casefold(), entity.area)

    def areas(self, things: Iterable[Thing]) -> tuple[Area, ...]:
        """Return the rooms of the table, and those that only devices tell of, by name."""
        rooms = {room.name: Area(room.name, room.aliases, room.floor) for room in self._by_hand.rooms}
        told = {name: Area(name) for name in {thing.area for thing in things if thing.area}}
        return tuple(area for _, area in sorted((told | rooms).items()))

    def thing(self, entity: Entity, condition: Condition, name: str) -> Thing | None:
        """Return the entity as the language sees it; None where nobody should name it."""
        marks = self.marks(entity.id)
        if marks.hidden or entity.category is not None or entity.component in NOT_THINGS:
            return None
        return Thing(
            id=entity.id,
            domain=entity.component,
            name=name,
            aliases=marks.aliases,
            area=self.area(entity),
            device_class=entity.device_class,
            state=condition.state,
            attributes=_attributes(entity, condition) | _marked(marks),
        )


def _marked(marks: Marks) -> dict[str, object]:
    marked: dict[str, object] = {"favourite": True} if marks.favourite else {}
    return marked if marks.guarded is None else marked | {"guarded": marks.guarded}


def _attributes(entity: Entity, condition: Condition) -> dict[str, object]:
    attributes: dict[str, object] = dict.fromkeys(
        sorted(entity.abilities & {"brightness", "color", "color_temp"}), True
    )
    attributes |= entity.traits
    for reading, value in condition.attributes.items():
        attributes[f"{reading}_now" if reading in attributes else reading] = value
    if entity.unit is not None:
        attributes["unit_of_measurement"] = entity.unit
    if condition.available is False:
        attributes["available"] = False
    return attributes


def _announced_names(entities: Iterable[Entity]) -> dict[str, str]:
    """Return each one's own name where no other has it, else with its device's before it."""
    named = list(entities)
    plain = {entity.id: entity.name or entity.device_name or entity.id.partition(".")[2].replace("_", " ")
             for entity in named}  # fmt: skip
    count = Counter(name.casefold() for name in plain.values())
    return {
        entity.id: clean_name(f"{entity.device_name} {entity.name}") or plain[entity.id]
        if count[plain[entity.id].casefold()] > 1 and entity.name and entity.device_name
        else plain[entity.id]
        for entity in named
    }
