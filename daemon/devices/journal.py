"""What changed and is not in the database yet. Written into on the way of every message; read by `DeviceRows`."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import count, islice
from uuid import UUID

from daemon.devices.cause import Cause

MOST_WAITING = 50_000
"""Changes that wait while the database is away; then the oldest give way, and are counted in `dropped`."""
LATEST_EVERY = timedelta(seconds=5)
"""How often at most a reading that wanders (a temperature, a power) becomes the last value in the table."""
HISTORY_EVERY = timedelta(minutes=1)
"""How often at most it enters the history. A lamp turned on, and all that we caused, enters each time."""


@dataclass(frozen=True, slots=True)
class Change:
    """How an entity has become. `step` is false for a reading that only wanders."""

    entity_id: str
    at: datetime
    state: str | None
    attributes: Mapping[str, object]
    available: bool | None
    cause: Cause
    action_id: UUID | None
    changed_at: datetime | None
    step: bool = True


@dataclass(frozen=True, slots=True)
class Batch:
    """What is to be written: the latest of each entity, and lines of the history, in their order, by their number."""

    latest: tuple[Change, ...]
    history: Mapping[int, Change]

    def __bool__(self) -> bool:
        return bool(self.latest or self.history)


class Journal:
    """Bounded, and nothing here waits. `news` is set while there may be something to write."""

    def __init__(self, most: int = MOST_WAITING) -> None:
        self.news = asyncio.Event()
        self.dropped = 0
        self._most = most
        self._number = count()
        self._latest: dict[str, Change] = {}
        self._history: dict[int, Change] = {}
        self._numbers: dict[str, list[int]] = {}
        self._wandering: dict[str, Change] = {}
        self._latest_at: dict[str, datetime] = {}
        self._history_at: dict[str, datetime] = {}

    def __len__(self) -> int:
        return len(self._latest) + len(self._history) + len(self._wandering)

    def note(self, change: Change, *, history: bool = True) -> None:
        """Take a change in; without `history` it only becomes the last value."""
        waiting = self._latest.get(change.entity_id)
        self._latest[change.entity_id] = change if waiting is None or not waiting.step else replace(change, step=True)
        if history and change.step:
            self._wandering.pop(change.entity_id, None)
            self._append(change)
        elif history:
            self._wandering[change.entity_id] = change
        self.news.set()

    def restored(self, entity_id: str) -> None:
        """Forget the changes of an entity that turned out to be as the database has it."""
        self._latest.pop(entity_id, None)
        self._wandering.pop(entity_id, None)
        for number in self._numbers.pop(entity_id, ()):
            self._history.pop(number, None)

    def forget(self, entity_id: str) -> None:
        """Forget an entity that is gone, but for the history that waits."""
        for known in (self._latest, self._wandering, self._latest_at, self._history_at):
            known.pop(entity_id, None)

    def due(self, now: datetime, most: int, *, settled: bool) -> Batch:
        """Return what is due, `most` of each kind; it waits on until `written`.

        Until the broker has told all that it kept (`settled`), what was found at the start waits: more of it may come.
        """
        self._wanderings(now)
        latest = (change for change in self._latest.values() if self._is_due(change, now, settled=settled))
        history = ((number, change) for number, change in self._history.items() if settled or change.cause != "unknown")
        return Batch(tuple(islice(latest, most)), dict(islice(history, most)))

    def written(self, batch: Batch, now: datetime) -> None:
        """Forget what was written; what came since waits on."""
        for change in batch.latest:
            self._latest_at[change.entity_id] = now
            if self._latest.get(change.entity_id) is change:
                del self._latest[change.entity_id]
        for number, change in batch.history.items():
            self._forget_line(number, change.entity_id)
        if not self:
            self.news.clear()

    def _is_due(self, change: Change, now: datetime, *, settled: bool) -> bool:
        if change.cause == "unknown" and not settled:
            return False
        written = self._latest_at.get(change.entity_id)
        return change.step or written is None or not timedelta() <= now - written < LATEST_EVERY

    def _wanderings(self, now: datetime) -> None:
        for change in list(self._wandering.values()):
            written = self._history_at.get(change.entity_id)
            if written is None or not timedelta() <= now - written < HISTORY_EVERY:
                del self._wandering[change.entity_id]
                self._append(change)

    def _append(self, change: Change) -> None:
        number = next(self._number)
        self._history[number] = change
        self._history_at[change.entity_id] = change.at
        self._numbers.setdefault(change.entity_id, []).append(number)
        while len(self._history) > self._most:
            oldest, gone = next(iter(self._history.items()))
            self._forget_line(oldest, gone.entity_id)
            self.dropped += 1

    def _forget_line(self, number: int, entity_id: str) -> None:
        self._history.pop(number, None)
        numbers = self._numbers.get(entity_id)
        if numbers is not None and number in numbers:
            numbers.remove(number)
            if not numbers:
                del self._numbers[entity_id]
