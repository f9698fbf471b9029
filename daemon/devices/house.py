"""The house as its devices tell it: entities, where they are, and what is known of each. No link, no effects.

`Devices` feeds it with messages; the language reads `household()`; skills read `condition()`; `DeviceRows` stores what
the journal holds.
"""

from collections import Counter, OrderedDict
from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import islice
from uuid import UUID
from zoneinfo import ZoneInfo

import structlog

from daemon.devices import tasmota
from daemon.devices.by_hand import ByHand
from daemon.devices.cause import Causes
from daemon.devices.conditions import Conditions, Last
from daemon.devices.discovery import MAX_PAYLOAD, BadAnnouncement
from daemon.devices.entity import UNKNOWN, Condition, Entity
from daemon.devices.household import Naming
from daemon.devices.journal import Journal
from daemon.devices.naming import clean_name
from daemon.devices.roster import MAX_ANNOUNCED, MAX_ENTITIES, Roster
from daemon.devices.state import UNREADABLE, Said
from daemon.language.plan import Household, Thing

log = structlog.get_logger(__name__)

MAX_LOGGED = 1000
TASMOTA = f"{tasmota.BRANCH}/"
HOME_ZONE = "America/Sao_Paulo"
"""Where the house is until it is told."""
DEMO_ORIGIN = "mordomo-demo"


class House:
    """Entities by id, with their conditions. Everything is bounded; what is refused is counted and logged once a topic.

    `conditions` is what is known of each: its journal holds the changes that are to be stored, its causes know our own
    commands. `structure` counts how often there were other entities than before.
    """

    def __init__(
        self,
        prefix: str = "homeassistant",
        *,
        max_entities: int = MAX_ENTITIES,
        max_announced: int = MAX_ANNOUNCED,
    ) -> None:
        self.prefix = prefix
        self._announced = f"{prefix}/"
        self.refused: Counter[str] = Counter()
        self.structure = 0
        self.conditions = Conditions()
        self._roster = Roster(prefix, self.refuse, self.conditions.forget, max_entities, max_announced)
        self._naming = Naming()
        self._things: dict[str, Thing | None] = {}
        self._changed: dict[str, None] = {}
        self._household: Household | None = None
        self._logged: OrderedDict[str, None] = OrderedDict()
        self._zone = ZoneInfo(HOME_ZONE)

    def __len__(self) -> int:
        return len(self._roster.entities)

    @property
    def entities(self) -> tuple[Entity, ...]:
        """All entities, those too that nobody names in a sentence."""
        return tuple(self._roster.entities.values())

    @property
    def declared(self) -> frozenset[str]:
        """The ids of the entities that were declared by hand."""
        return self._roster.declared

    @property
    def topics(self) -> frozenset[str]:
        """The topics to listen to; changes only when `structure`, a count, does."""
        return frozenset(self._roster.listening)

    @property
    def only_demo(self) -> bool:
        """True when there are entities and the demo house announced every one of them."""
        return bool(self.entities) and all(entity.origin == DEMO_ORIGIN for entity in self.entities)

    def announced_by(self, origin: str) -> frozenset[str]:
        """Return the discovery topics of the entities that this software announced."""
        return self._roster.announced_by(origin)

    def entity(self, entity_id: str) -> Entity | None:
        """Return the entity of this id, if it is known."""
        return self._roster.entities.get(entity_id)

    @property
    def causes(self) -> Causes:
        """The last command of each entity."""
        return self.conditions.causes

    @property
    def journal(self) -> Journal:
        """The changes that are to be stored."""
        return self.conditions.journal

    def condition(self, entity_id: str) -> Condition:
        """Return what is known of this entity; UNKNOWN for one that is not there."""
        entity = self._roster.entities.get(entity_id)
        return self.conditions.of(entity) if entity else UNKNOWN

    def name(self, entity_id: str) -> str:
        """Return the name this entity goes by: given by hand, else its own, with its device's where two share it."""
        return self._naming.name(entity_id, self._roster.entities.values())

    def announces(self, topic: str) -> bool:
        """Tell whether what comes on this topic is an announcement."""
        return (topic.endswith("/config") and topic.startswith(self._announced)) or topic.startswith(TASMOTA)

    def announce(self, topic: str, payload: bytes) -> None:
        """Take in what came on a discovery topic. Never raises: what is wrong is refused, and what was known stays."""
        try:
            changed = self._roster.announce(topic, payload)
        except BadAnnouncement as problem:
            self.refuse(topic, str(problem))
        else:
            self._restructured(changed=changed)

    def take_asking(self) -> tuple[tuple[str, str], ...]:
        """Return the messages (topic, payload) that have devices tell their states, each once."""
        asking = tuple(self.conditions.asking)
        self.conditions.asking.clear()
        return asking

    @property
    def is_asking(self) -> bool:
        """True while such messages wait."""
        return bool(self.conditions.asking)

    def declare(self, entity_id: str, payload: bytes) -> None:
        """Take in an entity that was declared by hand; an empty payload forgets it. Raises BadAnnouncement."""
        self._restructured(changed=self._roster.declare(entity_id, payload))

    def reserve(self, ids: Mapping[str, str]) -> None:
        """Have each source keep the id that it once had."""
        self._restructured(changed=self._roster.reserve(ids))

    def take_touched(self, most: int) -> list[str]:
        """Return ids of entities that came, went or changed since the last time, `most` of them."""
        taken = list(islice(self._roster.touched, most))
        for entity_id in taken:
            del self._roster.touched[entity_id]
        return taken

    def give_back(self, entity_ids: Iterable[str]) -> None:
        """Have ids that could not be stored taken again."""
        self._roster.touched |= dict.fromkeys(entity_ids)
        self.journal.news.set()

    def touch(self, entity_id: str) -> None:
        """Have an entity and its state stored again."""
        entity = self._roster.entities.get(entity_id)
        if entity is not None:
            self._roster.touched[entity_id] = None
            self.conditions.note(entity)

    def use(self, by_hand: ByHand) -> None:
        """Take over what the household set by hand, all of it anew."""
        self._naming.use(by_hand)
        self._things.clear()
        self._household = None

    def remember(self, last: Mapping[str, Last]) -> None:
        """Take over how the database has each entity: what is still so keeps its time and its cause.

        States themselves are never taken from there: what a device does not tell is not known.
        """
        self.conditions.remember(last, self.entities)

    def hear(self, topic: str, payload: bytes, now: datetime, *, retained: bool = False) -> tuple[str, ...]:
        """Take in what a device said; return the ids of the entities it told anything about.

        `retained` says that the broker kept it from before: when and why it became so is not known.
        """
        if not payload:
            return ()  # a retained message that was cleared: it tells nothing
        if len(payload) > MAX_PAYLOAD:
            self.refuse(topic, "payload is too long")
            return ()
        try:
            said = Said.decoded(payload, now, self._zone)
        except ValueError:
            self.refuse(topic, "state is not text")
            return ()
        told = []
        for listened in self._roster.heard_as(topic):
            for entity_id in self._roster.listening[listened]:
                entity = self._roster.entities[entity_id]
                try:
                    seen = self.conditions.hear(entity, listened, said, now, retained=retained)
                except UNREADABLE as problem:
                    self.refuse(topic, f"state: {problem}")
                    continue
                told.append(entity_id)
                if seen:
                    self._see(entity_id)
        return tuple(told)

    def assume(self, entity_id: str, state: str, now: datetime, action: UUID | None = None) -> None:
        """Note the state that an optimistic entity should have after a command; no device said so."""
        entity = self._roster.entities.get(entity_id)
        if entity is not None and self.conditions.assume(entity, state, now, action):
            self._see(entity_id)

    def end_what_is_due(self, now: datetime) -> tuple[str, ...]:
        """Have the states end whose time is over (`off_delay`, `expire_after`); return whose they were."""
        ended = []
        for source, ending in self.conditions.deadlines.due(now):
            entity = self._roster.of_source(source)
            if entity is not None:
                ended.append(entity.id)
                if self.conditions.end(entity, ending, now):
                    self._see(entity.id)
        return tuple(ended)

    def forget_freshness(self) -> None:
        """Note that the link is lost: what changes now goes unheard, so no command is skipped for what was known."""
        self.conditions.forget_freshness()

    def household(self, people: tuple[str, ...] = (), timezone: str = HOME_ZONE) -> Household:
        """Return all that may be named in a sentence; built again only after a change."""
        cached = self._household
        if timezone != self._zone.key:
            self._zone = ZoneInfo(timezone)
        if cached is not None and (cached.people, cached.timezone) == (people, timezone):
            return cached
        if not self._things:
            self._things = dict.fromkeys(self._roster.entities)
            self._changed = dict.fromkeys(self._things)
        for entity_id in [one for one in self._changed if one in self._things]:
            # In its old place: the language knows by the order that only states differ, and keeps what it prepared.
            entity = self._roster.entities[entity_id]
            self._things[entity_id] = self._naming.thing(entity, self.condition(entity_id), self.name(entity_id))
        self._changed.clear()
        things = tuple(thing for thing in self._things.values() if thing is not None)
        self._household = Household(things, self._naming.areas(things), people, timezone)
        return self._household

    def refuse(self, topic: str, why: str) -> None:
        """Count what was refused, and log it the first time that its topic does so."""
        self.refused[why.partition(":")[0]] += 1
        if topic not in self._logged:
            log.warning("mqtt_message_refused", topic=clean_name(topic), why=clean_name(why))
            self._logged[topic] = None
            if len(self._logged) > MAX_LOGGED:
                self._logged.popitem(last=False)

    def _restructured(self, *, changed: bool) -> None:
        if not changed:
            return
        self._naming.forget()
        self._things.clear()
        self._household = None
        self.structure += 1
        self.journal.news.set()

    def _see(self, entity_id: str) -> None:
        self._changed[entity_id] = None
        self._household = None
