"""Who waits for which device to obey, and who is told when one does so too late."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from daemon.clock import Clock
from daemon.devices.entity import Condition
from daemon.devices.order import ConfirmedLate, Goal, Order

LATE_S = 300.0
"""How long a silent device may still confirm and be reported."""


@dataclass(slots=True, eq=False)
class Wait:
    """Somebody waits for an entity to reach `goal`; `told` is set when it says that it obeyed."""

    order: Order
    goal: Goal
    before: Condition
    since_s: float
    told: asyncio.Event = field(default_factory=asyncio.Event)


class Confirmations:
    """At most one wait an entity (orders to one are served in turn), and one that was given up but may come late."""

    def __init__(self, clock: Clock, observe: Callable[[object], None]) -> None:
        self._clock = clock
        self._observe = observe
        self._waits: dict[str, Wait] = {}
        self._late: dict[str, Wait] = {}

    def expect(self, order: Order, goal: Goal, before: Condition) -> Wait:
        """Begin to wait, before the order is published. What was still awaited of this entity is forgotten."""
        self._late.pop(order.entity_id, None)
        wait = self._waits[order.entity_id] = Wait(order, goal, before, self._clock.monotonic())
        return wait

    def end(self, wait: Wait) -> None:
        """Stop waiting; if nothing was told, a later confirmation is observed."""
        self._waits.pop(wait.order.entity_id, None)
        if not wait.told.is_set():
            self._late[wait.order.entity_id] = wait

    def told(self, entity_id: str, condition: Condition) -> None:
        """Take in what an entity just said of itself."""
        wait = self._waits.get(entity_id)
        if wait is not None:
            if wait.goal.obeyed(condition, wait.before):
                wait.told.set()
            return
        late = self._late.get(entity_id)
        if late is None:
            return
        late_s = self._clock.monotonic() - late.since_s
        if late_s > LATE_S:
            del self._late[entity_id]
        elif late.goal.obeyed(condition, late.before):
            del self._late[entity_id]
            self._observe(ConfirmedLate(late.order, condition.state, round(late_s * 1000, 2)))
