"""A house and the services that keep its rows, without a broker."""

import json
from dataclasses import dataclass
from typing import Any

from support.clock import FakeClock

from daemon.devices.arrangement import Arrangement
from daemon.devices.house import House
from daemon.devices.link import Devices
from daemon.devices.rows import DeviceRows
from db import devices as by_hand
from db.database import Database

LAMP = {"name": "Luz", "schema": "json", "stat_t": "s", "brightness": True, "cmd_t": "c",
        "dev": {"ids": ["0x1"], "name": "Abajur", "mf": "Philips", "mdl": "LCT", "sa": "sala"}}  # fmt: skip


@dataclass
class Kept:
    """A house and the services that keep its rows; `again` is the daemon started anew."""

    db: Database
    url: str
    clock: FakeClock
    devices: Devices
    rows: DeviceRows
    arrangement: Arrangement

    @property
    def house(self) -> House:
        return self.devices.house

    def announce(self, component: str = "light", name: str = "x", config: dict[str, Any] | None = None) -> None:
        payload = b"" if config == {} else json.dumps({"obj_id": name, **(config or LAMP)}).encode()
        self.house.announce(f"homeassistant/{component}/{name}/config", payload)

    def hear(self, said: object, topic: str = "s", *, retained: bool = False) -> None:
        self.house.hear(topic, json.dumps(said).encode(), self.clock.now(), retained=retained)

    async def entity(self, entity_id: str = "light.x") -> by_hand.EntityRow:
        await self.rows.write()
        return await by_hand.one(self.db, entity_id)

    async def again(self) -> "Kept":
        kept = started(self.db, self.url, self.clock)
        await kept.rows._learn()
        await kept.arrangement.refresh()
        return kept


def started(db: Database, url: str, clock: FakeClock) -> Kept:
    devices = Devices("mqtt://127.0.0.1:1", clock, lambda: 1000)
    devices.settled.set()
    rows = DeviceRows(db, devices.house, devices.settled, clock)
    return Kept(db, url, clock, devices, rows, Arrangement(db, url, devices, rows))
