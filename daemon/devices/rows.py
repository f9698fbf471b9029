"""The service that keeps the tables of devices true: what is announced, and how everything is.

Off the way of messages: it writes what the house's journal holds, in batches. While the database is away everything
else goes on, and what changed is written afterwards, as far back as the journal reaches.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar, cast

import asyncpg
import structlog

from daemon.clock import Clock
from daemon.devices.cause import Cause
from daemon.devices.conditions import Last
from daemon.devices.entity import Entity
from daemon.devices.house import House
from daemon.devices.journal import Change
from daemon.devices.naming import clean_name
from daemon.devices.roster import HAND
from daemon.errors import LinkDown
from db import device_rows
from db.database import Database, Unstorable
from db.device_rows import DeviceAnnounced, EntityAnnounced, StateRow

log = structlog.get_logger(__name__)

T = TypeVar("T")
REFUSED = (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError, asyncpg.ProgramLimitExceededError, Unstorable)
"""What no retry helps: a device told something that the table cannot hold."""
EVERY_S = 0.5
"""How long changes gather before they are written together."""
MOST_AT_ONCE = 200
"""Rows in one statement: a few milliseconds of this process, between which turns go on."""
MOST_SOURCE = 600
"""A longer discovery topic fits no index of the table; such an entity works, and is not stored."""
VERSIONS = ("sw_version", "hw_version", "serial_number", "model_id", "via_device")


class DeviceRows:
    """Stores announcements and states; `settled` says that the broker has told all that it kept.

    What the tables have and nobody announces is marked as removed, once the broker is settled.
    """

    name = "device_rows"

    def __init__(self, db: Database, house: House, settled: asyncio.Event, clock: Clock) -> None:
        self._db = db
        self._house = house
        self._settled = settled
        self._clock = clock
        self._stored: set[str] = set()
        self._unseen: set[str] = set()
        self._told_dropped = 0

    async def run(self) -> None:
        """Learn what the tables have, then write until cancelled. Raises LinkDown; nothing is lost by that."""
        await self._learn()
        journal = self._house.journal
        while True:
            await journal.news.wait()
            await self._clock.sleep(EVERY_S)
            await self.write()

    async def write(self) -> None:
        """Write what is due now. Raises LinkDown."""
        await self._announce()
        while True:
            now = self._clock.now()
            batch = self._house.journal.due(now, MOST_AT_ONCE, settled=self._settled.is_set())
            if batch:
                known = [_row(change) for change in batch.latest if change.entity_id in self._stored]
                lines = [_row(change) for change in batch.history.values()]
                await self._each(known, lambda rows: device_rows.write_states(self._db, rows, ()))
                await self._each(lines, lambda rows: device_rows.write_states(self._db, (), rows))
            self._house.journal.written(batch, now)
            if max(len(batch.latest), len(batch.history)) < MOST_AT_ONCE:
                break
        self._tell_dropped()

    async def recheck(self) -> None:
        """Store again what somebody deleted though it is still announced. Raises LinkDown."""
        for entity_id in await device_rows.missing(self._db, list(self._stored)):
            self._stored.discard(entity_id)
            self._house.touch(entity_id)

    async def _learn(self) -> None:
        last, ids = dict[str, Last](), dict[str, str]()
        async for page in device_rows.stored(self._db):
            for row in page:
                last[row.entity_id] = Last(row.state, row.changed_at, cast("Cause", row.cause), row.action_id)
                self._stored.add(row.entity_id)
                if not row.source.startswith((HAND, "before:")):
                    ids[row.source] = row.entity_id
                    if not row.is_removed:
                        self._unseen.add(row.entity_id)
        self._house.reserve(ids)
        self._house.remember(last)
        self._house.journal.news.set()

    async def _announce(self) -> None:
        while touched := self._house.take_touched(MOST_AT_ONCE):
            try:
                await self._announce_some(touched)
            except LinkDown:
                self._house.give_back(touched)
                raise
        if self._unseen and self._settled.is_set():
            await self._remove([entity_id for entity_id in self._unseen if self._house.entity(entity_id) is None])
            self._unseen.clear()

    async def _announce_some(self, touched: list[str]) -> None:
        here = [entity for entity in map(self._house.entity, touched) if entity is not None]
        gone = [entity_id for entity_id in touched if self._house.entity(entity_id) is None]
        storable = [entity for entity in here if len(entity.source) <= MOST_SOURCE]
        rows = [_announced(entity) for entity in storable if not entity.source.startswith(HAND)]
        devices = {device.identifier: device for entity in storable if (device := _device(entity)) is not None}
        now = self._clock.now()

        async def announce(some: Sequence[EntityAnnounced]) -> None:
            theirs = [devices[one] for one in dict.fromkeys(row.identifier for row in some) if one is not None]
            await device_rows.announce(self._db, theirs, some, now)

        await self._each(rows, announce)
        self._stored |= {entity.id for entity in storable}
        self._unseen -= {entity.id for entity in here}
        await self._remove(gone)

    async def _remove(self, gone: list[str]) -> None:
        if gone:
            await device_rows.removed(self._db, gone, self._clock.now())
            for entity_id in gone:
                self._stored.discard(entity_id)
                self._house.journal.forget(entity_id)

    async def _each(self, rows: Sequence[T], store: Callable[[Sequence[T]], Awaitable[None]]) -> None:
        """Store rows together, or, where the database refuses one of them for good, all the others."""
        if not rows:
            return
        try:
            await store(rows)
        except REFUSED as refused:
            if len(rows) == 1:
                log.warning("device_row_refused", row=clean_name(repr(rows[0])), why=type(refused).__name__)
                return
            for row in rows:
                await self._each([row], store)

    def _tell_dropped(self) -> None:
        dropped = self._house.journal.dropped
        if dropped > self._told_dropped:
            log.warning("state_history_has_a_gap", changes=dropped - self._told_dropped)
            self._told_dropped = dropped


def _announced(entity: Entity) -> EntityAnnounced:
    return EntityAnnounced(
        entity.id, entity.source, entity.component, entity.name, entity.device_class, entity.unit, entity.category,
        entity.device_identifier,
    )  # fmt: skip


def _device(entity: Entity) -> DeviceAnnounced | None:
    identifier = entity.device_identifier
    if identifier is None:
        return None
    told = cast("dict[str, Any]", entity.config["device"])
    versions = {key: clean_name(told[key]) for key in VERSIONS if isinstance(told.get(key), str)}
    return DeviceAnnounced(
        identifier, entity.device_name, clean_name(told.get("manufacturer")), clean_name(told.get("model")),
        entity.origin, entity.area, versions,
    )  # fmt: skip


def _row(change: Change) -> StateRow:
    return StateRow(change.entity_id, change.at, change.state, change.attributes, change.available, change.cause,
                    change.action_id, change.changed_at)  # fmt: skip
