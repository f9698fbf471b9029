"""Which entities there are: what was announced or declared, under which id, and on which topics they speak.

Ids are those of the announcements. Where two sources announce the same id, the first keeps it and the other gets a
suffix made from its topic, so that an id does not depend on how many others there are. An id that a source once had
(`reserve`) stays its own, whatever it calls itself later: names given by hand hang on it.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from hashlib import blake2s

from daemon.devices import tasmota
from daemon.devices.discovery import BadAnnouncement, announced
from daemon.devices.entity import Entity
from daemon.devices.naming import slug

MAX_ENTITIES = 10_000
MAX_ANNOUNCED = 64 * 1024 * 1024
"""Most that all announcements together may take, in bytes."""
OWN_ORIGIN = "mordomo"
"""The origin of what Mordomo announces of itself, for Home Assistant: it is no device of the house."""
HAND = "hand:"
"""What the source of an entity that was declared by hand begins with."""


class Roster:
    """Entities by id. Everything is bounded.

    `touched` are the ids that came, went or changed and that nobody has taken note of yet.
    `refuse` is told (topic, why) of what is not taken in, `forget` the source of each entity that is no more.
    """

    def __init__(
        self,
        prefix: str,
        refuse: Callable[[str, str], None],
        forget: Callable[[str], None],
        max_entities: int,
        max_announced: int,
    ) -> None:
        self.entities: dict[str, Entity] = {}
        self.listening: dict[str, dict[str, None]] = {}
        self.touched: dict[str, None] = {}
        self._prefix = prefix
        self._refuse = refuse
        self._forget = forget
        self._max_entities = max_entities
        self._max_announced = max_announced
        self._ids_of: dict[str, tuple[str, ...]] = {}
        self._payload_of: dict[str, tuple[int, bytes]] = {}
        self._announced_bytes = 0
        self._reserved: dict[str, str] = {}
        self._filters: dict[str, dict[str, None]] = {}
        self._id_of: dict[str, str] = {}
        self._tasmotas = tasmota.Tasmotas()

    def heard_as(self, topic: str) -> tuple[str, ...]:
        """Return what is listened to that `topic` belongs to: itself, and filters with `+` that it matches."""
        exact = (topic,) if topic in self.listening else ()
        filters = self._filters.get(topic.rpartition("/")[2])
        return exact if filters is None else (*exact, *(one for one in filters if _fits(one, topic)))

    def of_source(self, source: str) -> Entity | None:
        """Return the entity of this source, if it is there."""
        return self.entities.get(self._id_of.get(source, ""))

    @property
    def declared(self) -> frozenset[str]:
        """The ids of the entities that were declared by hand."""
        return frozenset(one for topic, ids in self._ids_of.items() if topic.startswith(HAND) for one in ids)

    def announced_by(self, origin: str) -> frozenset[str]:
        """Return the discovery topics of the entities that this software announced."""
        return frozenset(
            topic for topic, ids in self._ids_of.items() if any(self.entities[one].origin == origin for one in ids)
        )

    def announce(self, topic: str, payload: bytes) -> bool:
        """Take in what came on a discovery topic; tell whether anything is different. Raises BadAnnouncement."""
        digest = blake2s(payload).digest()
        size_before, digest_before = self._payload_of.get(topic, (0, b""))
        if digest == digest_before:
            return False  # the broker tells its retained announcements again on every connection
        if payload and not self._has_room(topic, len(payload) - size_before):
            raise BadAnnouncement("full")
        if topic.startswith(tasmota.BRANCH):
            return self._announce_tasmota(topic, payload, digest)
        entities = tuple(
            one
            for one in announced(self._prefix, topic, payload)
            if one.origin != OWN_ORIGIN and not self._tasmotas.tells(one)
        )
        return self._take(topic, entities, len(payload), digest)

    def _announce_tasmota(self, topic: str, payload: bytes, digest: bytes) -> bool:
        changed, known = False, self._tasmotas.ends
        told = self._tasmotas.announced(topic, payload)
        for old_way, entity in self._told_twice() if self._tasmotas.ends - known else []:
            self._drop(old_way, entity.id)  # first: what follows takes its id over, and all that hangs on it
            self._forget(entity.source)
            self._announced_bytes -= self._payload_of.pop(old_way, (0, b""))[0]
            changed = True
        for told_on, entities in told.items():
            mark = (len(payload), digest) if told_on == topic else self._payload_of.get(told_on, (0, b""))
            changed |= self._take(told_on, entities, *mark)
        return changed

    def _told_twice(self) -> list[tuple[str, Entity]]:
        """Return, with their topics, the entities that Tasmotas announced in Home Assistant's way as well."""
        others = {topic: ids for topic, ids in self._ids_of.items() if not topic.startswith((tasmota.BRANCH, HAND))}
        return [
            (topic, self.entities[one])
            for topic, ids in others.items()
            for one in ids
            if self._tasmotas.tells(self.entities[one])
        ]

    def declare(self, entity_id: str, payload: bytes) -> bool:
        """Take in a discovery payload written by hand; an empty one forgets it. Raises BadAnnouncement.

        Returns whether anything is different. Its id is `entity_id`, whatever the payload says.
        """
        topic, digest = HAND + entity_id, blake2s(payload).digest()
        if digest == self._payload_of.get(topic, (0, blake2s(b"").digest()))[1]:
            return False
        component, _, name = entity_id.partition(".")
        if payload and not self._has_room(topic, len(payload)):
            raise BadAnnouncement("full")
        read_as = f"{self._prefix}/{component}/{slug(name) or 'sem_nome'}/config"
        entities = tuple(
            replace(entity, id=entity_id, source=topic) for entity in announced(self._prefix, read_as, payload)
        )
        if entities:
            self._reserved[topic] = entity_id
        return self._take(topic, entities, len(payload), digest)

    def reserve(self, ids: Mapping[str, str]) -> bool:
        """Have each source keep the id that it once had; tell whether an entity of now changed its id for that."""
        self._reserved.update(ids)
        moved = [entity for entity in self.entities.values() if ids.get(entity.source, entity.id) != entity.id]
        for entity in moved:
            topic = next(topic for topic, of in self._ids_of.items() if entity.id in of)
            self._drop(topic, entity.id)
            self._add(topic, entity)
        return bool(moved)

    def _take(self, topic: str, entities: tuple[Entity, ...], size: int, digest: bytes) -> bool:
        before = self._ids_of.get(topic, ())
        sources = {self.entities[entity_id].source for entity_id in before}
        for entity_id in before:
            self._drop(topic, entity_id)
        self._announced_bytes -= self._payload_of.pop(topic, (0, b""))[0]
        for entity in entities:
            for refused in entity.problems:
                self._refuse(topic, f"template: {refused}")
            self._add(topic, entity)
        if entities:
            self._payload_of[topic] = (size, digest)
            self._announced_bytes += size
        for gone in sources - {entity.source for entity in entities}:
            self._forget(gone)
        return bool(before or entities)

    def _has_room(self, topic: str, more_bytes: int) -> bool:
        has_place = topic in self._ids_of or len(self.entities) < self._max_entities
        return has_place and self._announced_bytes + more_bytes <= self._max_announced

    def _add(self, topic: str, entity: Entity) -> None:
        if len(self.entities) >= self._max_entities:
            self._refuse(topic, "full")
            return
        reserved = self._reserved.get(entity.source)
        wanted = reserved or entity.id
        holder = self.entities.get(wanted)
        if holder is not None and reserved is not None and self._reserved.get(holder.source) != wanted:
            self._move(holder)
        elif holder is not None:
            wanted = _suffixed(entity)
            if wanted in self.entities:
                self._refuse(topic, "id is taken")
                return
        self._put(topic, replace(entity, id=wanted))

    def _move(self, holder: Entity) -> None:
        """Have an entity give its id up, to the one that had it before."""
        topic = next(topic for topic, ids in self._ids_of.items() if holder.id in ids)
        self._drop(topic, holder.id)
        self._put(topic, replace(holder, id=_suffixed(holder)))

    def _put(self, topic: str, entity: Entity) -> None:
        self.entities[entity.id] = entity
        self._id_of[entity.source] = entity.id
        self.touched[entity.id] = None
        self._ids_of[topic] = (*self._ids_of.get(topic, ()), entity.id)
        for listened in entity.topics:
            self.listening.setdefault(listened, {})[entity.id] = None
            if "+" in listened:
                self._filters.setdefault(listened.rpartition("/")[2], {})[listened] = None

    def _drop(self, topic: str, entity_id: str) -> None:
        self.touched[entity_id] = None
        left = tuple(one for one in self._ids_of[topic] if one != entity_id)
        if left:
            self._ids_of[topic] = left
        else:
            del self._ids_of[topic]
        gone = self.entities.pop(entity_id)
        self._id_of.pop(gone.source, None)
        for listened in gone.topics:
            self.listening[listened].pop(entity_id, None)
            if not self.listening[listened]:
                del self.listening[listened]
                self._filters.get(listened.rpartition("/")[2], {}).pop(listened, None)


def payload_of(declared: Mapping[str, object]) -> bytes:
    """Return a declaration as a device would announce it."""
    return json.dumps(declared, ensure_ascii=False).encode()


def _fits(listened: str, topic: str) -> bool:
    pairs = zip(listened.split("/"), topic.split("/"), strict=False)
    return listened.count("/") == topic.count("/") and all(level in ("+", named) for level, named in pairs)


def _suffixed(entity: Entity) -> str:
    return f"{entity.id}_{blake2s(entity.source.encode(), digest_size=3).hexdigest()}"
