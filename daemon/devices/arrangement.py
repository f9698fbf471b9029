"""The service that follows what the household sets by hand: names, rooms, marks, and entities that it declares."""

import structlog

from daemon.devices.by_hand import ByHand, Marks, Room
from daemon.devices.discovery import BadAnnouncement
from daemon.devices.link import Devices
from daemon.devices.naming import clean_name
from daemon.devices.roster import payload_of
from daemon.devices.rows import DeviceRows
from db import areas as area_rows
from db.database import Database
from db.device_rows import set_fault
from db.devices import MarkedEntity, marked
from db.listen import notifications

log = structlog.get_logger(__name__)

CHANNEL = "mordomo_devices"


class Arrangement:
    """Has the house use what the tables say, at once and whenever they change."""

    name = "arrangement"

    def __init__(self, db: Database, listen_url: str, devices: Devices, rows: DeviceRows) -> None:
        self._db = db
        self._listen_url = listen_url
        self._devices = devices
        self._rows = rows

    async def run(self) -> None:
        """Follow the tables. Raises LinkDown; what was known last stays in force."""
        async for _ in notifications(self._listen_url, [CHANNEL]):
            await self.refresh()

    async def refresh(self) -> None:
        """Read the tables and use them; a declared entity that cannot be used gets its reason beside it.

        Raises LinkDown.
        """
        entities = await marked(self._db)
        rooms = tuple(_room(row) for row in await area_rows.areas(self._db))
        device_areas = await area_rows.device_areas(self._db)
        self._devices.house.use(ByHand({row.entity_id: _marks(row) for row in entities}, device_areas, rooms))
        await self._declare({row.entity_id: row for row in entities if row.declared is not None})
        await self._rows.recheck()
        log.debug("arrangement_read", marked=len(entities), areas=len(rooms))

    async def _declare(self, declared: dict[str, MarkedEntity]) -> None:
        for entity_id in self._devices.house.declared - declared.keys():
            self._devices.declare(entity_id, b"")
        for entity_id, row in declared.items():
            fault = self._fault(entity_id, payload_of(row.declared or {}))
            await set_fault(self._db, entity_id, fault)

    def _fault(self, entity_id: str, payload: bytes) -> str | None:
        """Have the house take a declaration in; return in Portuguese why it cannot, or None."""
        try:
            self._devices.declare(entity_id, payload)
        except BadAnnouncement as problem:
            log.warning("declared_entity_refused", entity=clean_name(entity_id), why=str(problem))
            return f"Não consigo usar esta declaração: {problem}"
        entity = self._devices.house.entity(entity_id)
        if entity is None:
            return "A casa está cheia, ou outro aparelho já usa este identificador."
        if entity.problems:
            return f"Um dos modelos (template) não serve: {entity.problems[0]}"
        if not entity.topics and not any(key.endswith("command_topic") for key in entity.config):
            return "Falta um tópico: sem command_topic nem state_topic não há o que comandar nem ouvir."
        return None


def _marks(row: MarkedEntity) -> Marks:
    aliases = tuple(alias for alias in map(clean_name, row.aliases) if alias)
    return Marks(clean_name(row.given_name), aliases, clean_name(row.area), row.hidden, row.favourite, row.guarded)


def _room(row: area_rows.AreaRow) -> Room:
    aliases = tuple(alias for alias in map(clean_name, row.aliases) if alias)
    return Room(clean_name(row.name) or row.name, aliases, clean_name(row.floor))
