"""What a device says on its topics, taken into a Condition: state, readings, and whether it can be reached."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, tzinfo

from daemon.devices.discovery import parse_json
from daemon.devices.entity import Condition, Entity
from daemon.devices.readings import read
from daemon.devices.template import compiled

UNREADABLE = (ValueError, OverflowError)
"""What `heard` raises for a payload that cannot be understood; the state stays what it was."""


@dataclass(slots=True)
class Said:
    """One payload, decoded once however many entities listen to its topic; `now` is in the household's zone."""

    text: str
    now: datetime
    variables: dict[str, object] = field(default_factory=dict)

    @classmethod
    def decoded(cls, payload: bytes, now: datetime, zone: tzinfo) -> "Said":
        """Decode UTF-8. Raises ValueError for anything else."""
        return cls(payload.decode(), now.astimezone(zone))

    def through(self, template: str | None) -> str:
        """Return the text, or what the template makes of it. Raises BadTemplate."""
        if template is None:
            return self.text
        if not self.variables:
            self.variables |= {"value": self.text, "_now": self.now}
            with suppress(ValueError):  # then `value_json` is undefined, as in Home Assistant
                self.variables["value_json"] = parse_json(self.text)
        return compiled(template)(self.variables)


def heard(entity: Entity, condition: Condition, topic: str, said: Said) -> tuple[Condition, bool]:
    """Return the condition after `said` on `topic`, without its times, and whether anything was told of the entity.

    A device tells on one topic now this and now that: what it leaves out, or what cannot be read, leaves the rest to be
    heard. Raises ValueError for a payload that says nothing at all that this entity understands.
    """
    understood = told = False
    problem = None
    for report in entity.reports:
        if report.topic == topic:
            try:
                value = said.through(report.template)
                if value:
                    condition = read(entity, report, condition, value)
                    told = told or report.aspect != "extras"
                understood = True
            except UNREADABLE as trouble:
                problem = trouble
    if problem is not None and not understood:
        raise problem
    return condition, told


def reachable(entity: Entity, topic: str, said: Said) -> bool | None:
    """Return what `said` on `topic` tells of the entity's presence; None where it tells nothing."""
    for presence in entity.presences:
        if presence.topic == topic:
            value = said.through(presence.template)
            if value in {presence.available, presence.not_available}:
                return value == presence.available
    return None


def present(entity: Entity, known: Mapping[str, bool]) -> bool | None:
    """Return whether the entity can be reached; None where that is not known.

    `known` is what each of its presence topics said last, the latest at the end. Unlike in Home Assistant, silence is
    not absence: a device that never told is tried, and said to be silent if it is.
    """
    topics = {presence.topic for presence in entity.presences}
    said = [available for topic, available in known.items() if topic in topics]
    if not said:
        return None
    if entity.presence_mode == "any":
        return any(said) or (None if len(said) < len(topics) else False)
    return all(said) if entity.presence_mode == "all" else said[-1]
