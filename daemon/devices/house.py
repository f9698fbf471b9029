"""The house as its devices tell it: entities, where they are, and what is known of each. No link, no effects.

`Devices` feeds it with messages; the language reads `household()`; skills read `condition()`.
"""

from collections import Counter, OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import blake2s

import structlog

from daemon.devices.discovery import MAX_PAYLOAD, BadAnnouncement, announced
from daemon.devices.entity import UNKNOWN, Condition, Entity
from daemon.devices.naming import clean_name
from daemon.devices.state import UNREADABLE, Said, heard, present, reachable
from daemon.language.plan import Area, Household, Thing

log = structlog.get_logger(__name__)

MAX_ENTITIES = 10_000
MAX_ANNOUNCED = 64 * 1024 * 1024
"""Most that all announcements together may take, in bytes."""
MAX_LOGGED = 1000
DEMO_ORIGIN = "mordomo-demo"
NOT_THINGS = frozenset({"device_automation", "tag", "device_tracker", "update", "image", "camera", "notify", "event"})
"""Components that are kept as seen, but that nobody names in a sentence."""


@dataclass(slots=True)
class _Known:
    entity: Entity
    condition: Condition = UNKNOWN
    presence: dict[str, bool] = field(default_factory=dict)


class House:
    """Entities by id, with their conditions. Everything is bounded; what is refused is counted and logged once a topic.

    Ids are those of the announcements. Where two sources announce the same id, the first keeps it and the other gets a
    suffix made from its topic, so that an id does not depend on how many others there are.
    """

    def __init__(
        self,
        prefix: str = "homeassistant",
        *,
        max_entities: int = MAX_ENTITIES,
        max_announced: int = MAX_ANNOUNCED,
    ) -> None:
        self.prefix = prefix
        self._max_entities = max_entities
        self._max_announced = max_announced
        self.refused: Counter[str] = Counter()
        self.structure = 0
        self._known: dict[str, _Known] = {}
        self._ids_of: dict[str, tuple[str, ...]] = {}
        self._payload_of: dict[str, tuple[int, bytes]] = {}
        self._announced_bytes = 0
        self._areas: dict[str, str] = {}
        self._listening: dict[str, dict[str, None]] = {}
        self._things: dict[str, Thing] = {}
        self._names: dict[str, str] = {}
        self._named_at = -1
        self._household: Household | None = None
        self._logged: OrderedDict[str, None] = OrderedDict()

    def __len__(self) -> int:
        return len(self._known)

    @property
    def entities(self) -> tuple[Entity, ...]:
        """All entities, those too that nobody names in a sentence."""
        return tuple(known.entity for known in self._known.values())

    @property
    def topics(self) -> frozenset[str]:
        """The topics to listen to; changes only when `structure`, a count, does."""
        return frozenset(self._listening)

    @property
    def only_demo(self) -> bool:
        """True when there are entities and the demo house announced every one of them."""
        return bool(self._known) and all(known.entity.origin == DEMO_ORIGIN for known in self._known.values())

    def announced_by(self, origin: str) -> frozenset[str]:
        """Return the discovery topics of the entities that this software announced."""
        return frozenset(
            topic for topic, ids in self._ids_of.items() if any(self._known[one].entity.origin == origin for one in ids)
        )

    def entity(self, entity_id: str) -> Entity | None:
        """Return the entity of this id, if it is known."""
        known = self._known.get(entity_id)
        return known.entity if known else None

    def condition(self, entity_id: str) -> Condition:
        """Return what is known of this entity; UNKNOWN for one that is not there."""
        known = self._known.get(entity_id)
        return known.condition if known else UNKNOWN

    def name(self, entity_id: str) -> str:
        """Return the name this entity goes by: its own where no other has it, else with its device's before it."""
        if self._named_at != self.structure:
            self._names = _names(self.entities)
            self._named_at = self.structure
        return self._names.get(entity_id, entity_id)

    def announce(self, topic: str, payload: bytes) -> None:
        """Take in what came on a discovery topic. Never raises: what is wrong is refused, and what was known stays."""
        digest = blake2s(payload).digest()
        size_before, digest_before = self._payload_of.get(topic, (0, b""))
        if digest == digest_before:
            return  # the broker tells its retained announcements again on every connection
        if payload and not self._has_room(topic, len(payload) - size_before):
            self.refuse(topic, "full")
            return
        try:
            entities = announced(self.prefix, topic, payload)
        except BadAnnouncement as problem:
            self.refuse(topic, str(problem))
            return
        before = {known.entity.source: known for known in map(self._known.__getitem__, self._ids_of.get(topic, ()))}
        self._remove(topic)
        for entity in entities:
            for refused in entity.problems:
                self.refuse(topic, f"template: {refused}")
            self._add(topic, entity, before.get(entity.source))
        if entities:
            self._payload_of[topic] = (len(payload), digest)
            self._announced_bytes += len(payload)
        self._things.clear()
        self._household = None
        self.structure += 1

    def hear(self, topic: str, payload: bytes, now: datetime) -> tuple[str, ...]:
        """Take in what a device said; return the ids of the entities it told anything about."""
        if not payload:
            return ()  # a retained message that was cleared: it tells nothing
        if len(payload) > MAX_PAYLOAD:
            self.refuse(topic, "payload is too long")
            return ()
        try:
            said = Said.decoded(payload)
        except ValueError:
            self.refuse(topic, "state is not text")
            return ()
        told = []
        for entity_id in self._listening.get(topic, ()):
            known = self._known[entity_id]
            try:
                self._told(known, topic, said, now)
            except UNREADABLE as problem:
                self.refuse(topic, f"state: {problem}")
            else:
                told.append(entity_id)
        return tuple(told)

    def assume(self, entity_id: str, state: str, now: datetime) -> None:
        """Note the state that an optimistic entity should have after a command; no device said so."""
        if (known := self._known.get(entity_id)) is not None:
            self._set(known, replace(known.condition, state=state, assumed=True, changed_at=now))

    def forget_freshness(self) -> None:
        """Note that the link is lost: what changes now goes unheard, so no command is skipped for what was known."""
        for known in self._known.values():
            known.condition = replace(known.condition, fresh=False)

    def household(self, people: tuple[str, ...] = (), timezone: str = "America/Sao_Paulo") -> Household:
        """Return all that may be named in a sentence; built again only after a change."""
        cached = self._household
        if cached is not None and (cached.people, cached.timezone) == (people, timezone):
            return cached
        for entity_id, known in self._known.items():
            if entity_id not in self._things and _may_be_named(known.entity):
                self._things[entity_id] = _thing(known, self.name(entity_id))
        areas = sorted({thing.area for thing in self._things.values() if thing.area})
        self._household = Household(tuple(self._things.values()), tuple(map(Area, areas)), people, timezone)
        return self._household

    def refuse(self, topic: str, why: str) -> None:
        """Count what was refused, and log it the first time that its topic does so."""
        self.refused[why.partition(":")[0]] += 1
        if topic not in self._logged:
            log.warning("mqtt_message_refused", topic=clean_name(topic), why=clean_name(why))
            self._logged[topic] = None
            if len(self._logged) > MAX_LOGGED:
                self._logged.popitem(last=False)

    def _has_room(self, topic: str, more_bytes: int) -> bool:
        has_place = topic in self._ids_of or len(self._known) < self._max_entities
        return has_place and self._announced_bytes + more_bytes <= self._max_announced

    def _add(self, topic: str, entity: Entity, before: _Known | None) -> None:
        if len(self._known) >= self._max_entities:
            self.refuse(topic, "full")
            return
        if entity.id in self._known:
            suffix = blake2s(entity.source.encode(), digest_size=3).hexdigest()
            entity = replace(entity, id=f"{entity.id}_{suffix}")
            if entity.id in self._known:
                self.refuse(topic, "id is taken")
                return
        entity = replace(entity, area=self._same_area(entity.area))
        self._known[entity.id] = (
            _Known(entity, before.condition, before.presence) if before is not None else _Known(entity)
        )
        self._ids_of[topic] = (*self._ids_of.get(topic, ()), entity.id)
        for listened in entity.topics:
            self._listening.setdefault(listened, {})[entity.id] = None

    def _same_area(self, area: str | None) -> str | None:
        """Return the spelling that was there first: "Sala" and "sala" are one room."""
        return self._areas.setdefault(area.casefold(), area) if area is not None else None

    def _remove(self, topic: str) -> None:
        for entity_id in self._ids_of.pop(topic, ()):
            known = self._known.pop(entity_id)
            for listened in known.entity.topics:
                self._listening[listened].pop(entity_id, None)
                if not self._listening[listened]:
                    del self._listening[listened]
        size, _ = self._payload_of.pop(topic, (0, b""))
        self._announced_bytes -= size

    def _told(self, known: _Known, topic: str, said: Said, now: datetime) -> None:
        condition = known.condition
        if (available := reachable(known.entity, topic, said)) is not None:
            known.presence.pop(topic, None)  # the latest stays last, which the mode "latest" reads
            known.presence[topic] = available
            condition = replace(condition, available=present(known.entity, known.presence))
        after = heard(known.entity, condition, topic, said)
        is_report = any(report.topic == topic for report in known.entity.reports)
        if is_report:
            after = replace(after, heard_at=now, fresh=True, assumed=False)
        if (after.state, after.attributes) != (known.condition.state, known.condition.attributes):
            after = replace(after, changed_at=now)
        self._set(known, after)

    def _set(self, known: _Known, condition: Condition) -> None:
        seen = (known.condition.state, known.condition.attributes, known.condition.available)
        known.condition = condition
        if seen != (condition.state, condition.attributes, condition.available):
            self._things.pop(known.entity.id, None)
            self._household = None


def _may_be_named(entity: Entity) -> bool:
    return entity.category is None and entity.component not in NOT_THINGS


def _names(entities: Iterable[Entity]) -> dict[str, str]:
    plain = {entity.id: entity.name or entity.device_name or entity.id.partition(".")[2].replace("_", " ")
             for entity in entities}  # fmt: skip
    count = Counter(name.casefold() for name in plain.values())
    return {
        entity.id: clean_name(f"{entity.device_name} {entity.name}") or plain[entity.id]
        if count[plain[entity.id].casefold()] > 1 and entity.name and entity.device_name
        else plain[entity.id]
        for entity in entities
    }


def _thing(known: _Known, name: str) -> Thing:
    entity, condition = known.entity, known.condition
    attributes: dict[str, object] = dict.fromkeys(
        sorted(entity.abilities & {"brightness", "color", "color_temp"}), True
    )
    for reading, value in condition.attributes.items():
        attributes[f"{reading}_now" if reading in attributes else reading] = value
    if entity.unit is not None:
        attributes["unit_of_measurement"] = entity.unit
    if condition.available is False:
        attributes["available"] = False
    return Thing(
        id=entity.id,
        domain=entity.component,
        name=name,
        area=entity.area,
        device_class=entity.device_class,
        state=condition.state,
        attributes=attributes,
    )
