"""Why a state changed: because of a command of ours, by something else in the house, or nobody knows."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from daemon.devices.entity import Condition
from daemon.devices.order import Goal

Cause = Literal["mordomo", "house", "unknown"]

SETTLING = timedelta(seconds=10)
"""How long after it obeyed a device may go on telling more of the same: a dimmer's ramp, a measured temperature."""
LATE = timedelta(minutes=5)
"""After this, what a device does is no longer put down to a command that it had left unanswered."""


@dataclass(slots=True)
class _Commanded:
    action: UUID | None
    goal: Goal
    before: Condition
    at: datetime
    arrived_at: datetime | None = None


class Causes:
    """The last command of each entity, for as long as a change may come of it."""

    def __init__(self) -> None:
        self._commanded: dict[str, _Commanded] = {}

    def commanded(self, entity_id: str, action: UUID | None, goal: Goal, before: Condition, now: datetime) -> None:
        """Note a command, before it is published. `action` is its row, if it has one."""
        self._commanded[entity_id] = _Commanded(action, goal, before, now)

    def of(self, entity_id: str, after: Condition, now: datetime) -> tuple[Cause, UUID | None]:
        """Return why an entity has just become as `after` says, and the action that did it."""
        command = self._commanded.get(entity_id)
        if command is None:
            return "house", None
        arrived = command.arrived_at
        if now - command.at > LATE or (arrived is not None and now - arrived > SETTLING):
            del self._commanded[entity_id]
            return "house", None
        if not command.goal.obeyed(after, command.before):
            if arrived is not None:
                del self._commanded[entity_id]  # somebody undid it
            return "house", None
        if arrived is None and command.goal.reached(after):
            command.arrived_at = now
        return "mordomo", command.action
