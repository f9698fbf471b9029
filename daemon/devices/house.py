"""The house as its devices tell it: entities, where they are, and what is known of each. No link, no effects.

`Devices` feeds it with messages; the language reads `household()`; skills read `condition()`; `DeviceRows` stores what
the journal holds.
"""

from collections import Counter, OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from uuid import UUID

import structlog

from daemon.devices.by_hand import ByHand
from daemon.devices.cause import Cause, Causes
from daemon.devices.discovery import MAX_PAYLOAD, BadAnnouncement
from daemon.devices.entity import UNKNOWN, Condition, Entity
from daemon.devices.household import Naming
from daemon.devices.journal import Change, Journal
from daemon.devices.naming import clean_name
from daemon.devices.roster import MAX_ANNOUNCED, MAX_ENTITIES, Roster
from daemon.devices.state import UNREADABLE, Said, heard, present, reachable
from daemon.language.plan import Household, Thing

log = structlog.get_logger(__name__)

MAX_LOGGED = 1000
DEMO_ORIGIN = "mordomo-demo"


@dataclass(frozen=True, slots=True)
class Last:
    """How the database has an entity: its last state, and when and why it became so."""

    state: str | None
    changed_at: datetime | None
    cause: Cause
    action_id: UUID | None


class House:
    """Entities by id, with their conditions. Everything is bounded; what is refused is counted and logged once a topic.

    `journal` holds the changes that are to be stored, `causes` knows our own commands. `structure` counts how often
    there were other entities than before.
    """

    def __init__(
        self,
        prefix: str = "homeassistant",
        *,
        max_entities: int = MAX_ENTITIES,
        max_announced: int = MAX_ANNOUNCED,
    ) -> None:
        self.prefix = prefix
        self.refused: Counter[str] = Counter()
        self.structure = 0
        self.causes = Causes()
        self.journal = Journal()
        self._roster = Roster(prefix, self.refuse, self._forget, max_entities, max_announced)
        self._conditions: dict[str, Condition] = {}
        self._presence: dict[str, dict[str, bool]] = {}
        self._last: Mapping[str, Last] = {}
        self._naming = Naming()
        self._things: dict[str, Thing | None] = {}
        self._changed: dict[str, None] = {}
        self._household: Household | None = None
        self._logged: OrderedDict[str, None] = OrderedDict()

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

    def condition(self, entity_id: str) -> Condition:
        """Return what is known of this entity; UNKNOWN for one that is not there."""
        entity = self._roster.entities.get(entity_id)
        return self._conditions.get(entity.source, UNKNOWN) if entity else UNKNOWN

    def name(self, entity_id: str) -> str:
        """Return the name this entity goes by: given by hand, else its own, with its device's where two share it."""
        return self._naming.name(entity_id, self._roster.entities.values())

    def announce(self, topic: str, payload: bytes) -> None:
        """Take in what came on a discovery topic. Never raises: what is wrong is refused, and what was known stays."""
        try:
            changed = self._roster.announce(topic, payload)
        except BadAnnouncement as problem:
            self.refuse(topic, str(problem))
        else:
            self._restructured(changed=changed)

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
            self._note(entity, self.condition(entity_id), history=False)

    def use(self, by_hand: ByHand) -> None:
        """Take over what the household set by hand, all of it anew."""
        self._naming.use(by_hand)
        self._things.clear()
        self._household = None

    def remember(self, last: Mapping[str, Last]) -> None:
        """Take over how the database has each entity: what is still so keeps its time and its cause.

        States themselves are never taken from there: what a device does not tell is not known.
        """
        self._last = last
        for entity in self.entities:
            condition = self.condition(entity.id)
            if condition.cause == "unknown" and condition.heard_at is not None:
                self._conditions[entity.source] = self._restored(entity.id, condition) or condition

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
            said = Said.decoded(payload)
        except ValueError:
            self.refuse(topic, "state is not text")
            return ()
        told = []
        for listened in self._roster.heard_as(topic):
            for entity_id in self._roster.listening[listened]:
                try:
                    self._told(self._roster.entities[entity_id], listened, said, now, retained=retained)
                except UNREADABLE as problem:
                    self.refuse(topic, f"state: {problem}")
                else:
                    told.append(entity_id)
        return tuple(told)

    def assume(self, entity_id: str, state: str, now: datetime, action: UUID | None = None) -> None:
        """Note the state that an optimistic entity should have after a command; no device said so."""
        if (entity := self._roster.entities.get(entity_id)) is not None:
            before = self.condition(entity_id)
            self._set(entity, replace(before, state=state, assumed=True), now, ("mordomo", action))

    def forget_freshness(self) -> None:
        """Note that the link is lost: what changes now goes unheard, so no command is skipped for what was known."""
        for source, condition in self._conditions.items():
            self._conditions[source] = replace(condition, fresh=False)

    def household(self, people: tuple[str, ...] = (), timezone: str = "America/Sao_Paulo") -> Household:
        """Return all that may be named in a sentence; built again only after a change."""
        cached = self._household
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

    def _forget(self, source: str) -> None:
        self._conditions.pop(source, None)
        self._presence.pop(source, None)

    def _told(self, entity: Entity, topic: str, said: Said, now: datetime, *, retained: bool) -> None:
        before = condition = self._conditions.get(entity.source, UNKNOWN)
        if (available := reachable(entity, topic, said)) is not None:
            presence = self._presence.setdefault(entity.source, {})
            presence.pop(topic, None)  # the latest stays last, which the mode "latest" reads
            presence[topic] = available
            condition = replace(condition, available=present(entity, presence))
        after = heard(entity, condition, topic, said)
        if any(report.topic == topic for report in entity.reports):
            after = replace(after, heard_at=now, fresh=True, assumed=False)
        why = self.causes.of(entity.id, after, now)
        is_news = before.heard_at is None and entity.id not in self._last and why[0] != "mordomo"
        self._set(entity, after, now, ("unknown", None) if retained or is_news else why)

    def _set(self, entity: Entity, after: Condition, now: datetime, why: tuple[Cause, UUID | None]) -> None:
        before = self._conditions.get(entity.source, UNKNOWN)
        differs = (after.state, after.attributes) != (before.state, before.attributes)
        if differs:
            after = replace(after, changed_at=now, cause=why[0], action_id=why[1])
        restored = self._restored(entity.id, after) if differs and after.cause == "unknown" else None
        self._conditions[entity.source] = after = restored or after
        if differs or after.available != before.available:
            self._changed[entity.id] = None
            self._household = None
            self._note(entity, after, now, step=_is_step(before, after), history=differs and restored is None)

    def _note(
        self, entity: Entity, now_so: Condition, now: datetime | None = None, *, step: bool = True, history: bool
    ) -> None:
        at = now or now_so.changed_at
        if at is not None:
            change = Change(entity.id, at, now_so.state, now_so.attributes, now_so.available, now_so.cause,
                            now_so.action_id, now_so.changed_at, step)  # fmt: skip
            self.journal.note(change, history=history)

    def _restored(self, entity_id: str, condition: Condition) -> Condition | None:
        """Return the condition with the time and cause that the database has for this very state, if it has them."""
        last = self._last.get(entity_id)
        if last is None or last.changed_at is None or last.state != condition.state:
            return None
        self.journal.restored(entity_id)
        return replace(condition, changed_at=last.changed_at, cause=last.cause, action_id=last.action_id)


def _is_step(before: Condition, after: Condition) -> bool:
    """Tell a change that counts each time from a reading that wanders."""
    if after.cause == "mordomo":
        return True
    return before.state != after.state and not (_is_number(before.state) and _is_number(after.state))


def _is_number(state: str | None) -> bool:
    try:
        float(state or "")
    except ValueError:
        return False
    return True
