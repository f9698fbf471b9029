"""What is known of each entity: how it is, whether it can be reached, why it changed, and when that ends by itself."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from daemon.devices.cause import Cause, Causes
from daemon.devices.deadlines import Deadlines, Ending
from daemon.devices.entity import EXTRAS, UNKNOWN, Condition, Entity
from daemon.devices.journal import Change, Journal
from daemon.devices.state import Said, heard, present, reachable


@dataclass(frozen=True, slots=True)
class Last:
    """How the database has an entity: its last state, and when and why it became so."""

    state: str | None
    changed_at: datetime | None
    cause: Cause
    action_id: UUID | None


class Conditions:
    """By source of the entity. What changes leaves a note in `journal`.

    `asking` are messages that wait to be published so that devices tell their states. Methods that change something
    return whether the household sees it.
    """

    def __init__(self) -> None:
        self.causes = Causes()
        self.journal = Journal()
        self.deadlines = Deadlines()
        self.asking: dict[tuple[str, str], None] = {}
        self._known: dict[str, Condition] = {}
        self._presence: dict[str, dict[str, bool]] = {}
        self._expired: set[str] = set()
        self._last: Mapping[str, Last] = {}

    def of(self, entity: Entity) -> Condition:
        """Return what is known of this entity."""
        return self._known.get(entity.source, UNKNOWN)

    def forget(self, source: str) -> None:
        """Forget an entity that is no more."""
        self._known.pop(source, None)
        self._presence.pop(source, None)
        self._expired.discard(source)
        self.deadlines.clear(source, "off")
        self.deadlines.clear(source, "expired")

    def forget_freshness(self) -> None:
        """Note that the link is lost: what changes now goes unheard."""
        for source, condition in self._known.items():
            self._known[source] = replace(condition, fresh=False)

    def remember(self, last: Mapping[str, Last], entities: Iterable[Entity]) -> None:
        """Take over how the database has each entity: what is still so keeps its time and its cause."""
        self._last = last
        for entity in entities:
            condition = self.of(entity)
            if condition.cause == "unknown" and condition.heard_at is not None:
                self._known[entity.source] = self._restored(entity.id, condition) or condition

    def note(self, entity: Entity) -> None:
        """Have the condition stored again."""
        self._note(entity, self.of(entity), None, step=True, history=False)

    def hear(self, entity: Entity, topic: str, said: Said, now: datetime, *, retained: bool) -> bool:
        """Take in what a device said. Raises one of UNREADABLE."""
        before = condition = self._known.get(entity.source, UNKNOWN)
        if entity.presences and (available := reachable(entity, topic, said)) is not None:
            condition = self._reached(entity, condition, topic, available=available)
        # Of a pulse that the broker kept nobody knows the time; but that it is over is known.
        old_pulse = retained and entity.off_delay_s is not None and before.state is not None
        after, told = (condition, False) if old_pulse else heard(entity, condition, topic, said)
        if entity.off_delay_s is not None or entity.expire_s is not None:
            after = self._timed(entity, after, now, told=told, retained=retained)
        why = self.causes.of(entity.id, after, now)
        # The first word of a device is news to us, not a change: of one that nobody knew, or that we have just asked.
        is_news = before.heard_at is None and why[0] != "mordomo" and (entity.id not in self._last or bool(entity.asks))
        return self._set(entity, before, after, now, ("unknown", None) if retained or is_news else why, told=told)

    def assume(self, entity: Entity, state: str, now: datetime, action: UUID | None) -> bool:
        """Note the state that an optimistic entity should have after a command; no device said so."""
        before = self.of(entity)
        return self._set(entity, before, replace(before, state=state, assumed=True), now, ("mordomo", action))

    def end(self, entity: Entity, ending: Ending, now: datetime) -> bool:
        """Have a state end whose time is over."""
        before = self.of(entity)
        if ending == "off":
            return self._set(entity, before, before.told("off", before.attributes), now, ("house", None))
        self._expired.add(entity.source)
        return self._set(entity, before, replace(before, available=False), now, ("house", None))

    def _reached(self, entity: Entity, condition: Condition, topic: str, *, available: bool) -> Condition:
        presence = self._presence.setdefault(entity.source, {})
        presence.pop(topic, None)  # the latest stays last, which the mode "latest" reads
        presence[topic] = available
        if available:
            self.asking |= dict.fromkeys(entity.asks)
        now_so = present(entity, presence)
        if entity.source in self._expired and now_so:
            now_so = False
        return condition if now_so == condition.available else replace(condition, available=now_so)

    def _timed(self, entity: Entity, after: Condition, now: datetime, *, told: bool, retained: bool) -> Condition:
        """Wind up the clocks of an entity that has any.

        What the broker kept starts a clock that stands, but is no sign of life that winds up one that runs: a lost
        link does not lengthen a dead device's time.
        """
        source, deadlines = entity.source, self.deadlines
        if not told:
            return after
        if entity.off_delay_s is not None:
            if after.state != "on":
                deadlines.clear(source, "off")
            elif not (retained and deadlines.is_running(source, "off", now)):
                deadlines.set(source, "off", now + timedelta(seconds=entity.off_delay_s))
        if entity.expire_s is not None:
            if not (retained and deadlines.is_running(source, "expired", now)):
                deadlines.set(source, "expired", now + timedelta(seconds=entity.expire_s))
            if source in self._expired:
                self._expired.discard(source)
                after = replace(after, available=present(entity, self._presence.get(source, {})))
        return after

    def _set(
        self,
        entity: Entity,
        before: Condition,
        after: Condition,
        now: datetime,
        why: tuple[Cause, UUID | None],
        *,
        told: bool = False,
    ) -> bool:
        differs = after.state != before.state or _differ(after.attributes, before.attributes)
        seen = differs or after.available != before.available
        if told or differs:
            after = Condition(
                state=after.state,
                attributes=after.attributes,
                available=after.available,
                changed_at=now if differs else after.changed_at,
                heard_at=now if told else after.heard_at,
                assumed=after.assumed and not told,
                fresh=after.fresh or told,
                cause=why[0] if differs else after.cause,
                action_id=why[1] if differs else after.action_id,
            )
        restored = self._restored(entity.id, after) if differs and after.cause == "unknown" else None
        self._known[entity.source] = after = restored or after
        if seen:
            self._note(entity, after, now, step=_is_step(before, after), history=differs and restored is None)
        return seen or after.attributes is not before.attributes

    def _note(self, entity: Entity, now_so: Condition, now: datetime | None, *, step: bool, history: bool) -> None:
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


def _differ(after: Mapping[str, object], before: Mapping[str, object]) -> bool:
    """Tell whether readings differ, those about the device itself aside: they change with every message."""
    if after is before or after == before:
        return False
    return any(after.get(key) != before.get(key) for key in (after.keys() | before.keys()) - EXTRAS)


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
