"""The Tasmota devices that there are: each tells itself in two messages, in either order."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from daemon.devices.discovery import BadAnnouncement, device_announced, parse_json, topic_or_none
from daemon.devices.entity import Entity
from daemon.devices.tasmota.components import components
from daemon.devices.tasmota.description import Announced, Description
from daemon.devices.tasmota.sensors import sensors

BRANCH = "tasmota/discovery"
FILTERS = (f"{BRANCH}/+/config", f"{BRANCH}/+/sensors")
MAX_DEVICES = 1000
MAX_TOLD = 32 * 1024
"""Longest message, in bytes: many times what the firmware has room for."""
_TOPIC = re.compile(rf"{BRANCH}/([A-Z0-9_-]{{1,40}})/(config|sensors)")


class Tasmotas:
    """Bounded; what a device said last is what counts."""

    def __init__(self) -> None:
        self.ends: frozenset[str] = frozenset()
        """The last six digits of each device's address."""
        self._told: dict[str, Description] = {}
        self._measured: dict[str, Mapping[str, Any]] = {}

    def announced(self, topic: str, payload: bytes) -> dict[str, tuple[Entity, ...]]:
        """Return, by topic, what a device now announces on its topics. Raises BadAnnouncement."""
        match = _TOPIC.fullmatch(topic)
        if match is None:
            raise BadAnnouncement("topic is not tasmota/discovery/<MAC>/config or sensors")
        mac, what = match.groups()
        found = _object(payload)
        if what == "sensors":
            measured = found.get("sn")
            self._measured.pop(mac, None)
            if isinstance(measured, dict) and len(self._measured) < MAX_DEVICES:
                self._measured[mac] = measured
            return {topic: self._sensors(mac)}
        told = self._described(mac, found) if found else None
        self._told.pop(mac, None)
        if told is not None:
            self._told[mac] = told
        self.ends = frozenset(mac[-6:] for mac in self._told)
        own = _entities(told, topic, components(told)) if told is not None else ()
        return {topic: own, f"{BRANCH}/{mac}/sensors": self._sensors(mac)}

    def tells(self, entity: Entity) -> bool:
        """Tell whether a device announced itself this entity, which was announced in Home Assistant's way as well.

        The old firmware's announcements stay with the broker when a new one no longer makes them; they call the device
        by the end of its address.
        """
        identifier = entity.device_identifier
        return identifier is not None and identifier.upper() in self.ends

    def _described(self, mac: str, found: Mapping[str, Any]) -> Description:
        told = Description(mac, found)
        if mac not in self._told and len(self._told) >= MAX_DEVICES:
            raise BadAnnouncement("full")
        if any(other.commands == told.commands for other in self._told.values() if other.mac != mac):
            raise BadAnnouncement("another device has the same topic")
        return told

    def _sensors(self, mac: str) -> tuple[Entity, ...]:
        told, measured = self._told.get(mac), self._measured.get(mac)
        if told is None or measured is None:
            return ()
        return _entities(told, f"{BRANCH}/{mac}/sensors", sensors(told, measured))


def _object(payload: bytes) -> Mapping[str, Any]:
    if len(payload) > MAX_TOLD:
        raise BadAnnouncement(f"payload is longer than {MAX_TOLD} bytes")
    try:
        found = parse_json(payload) if payload else {}
    except ValueError as problem:
        raise BadAnnouncement(f"payload is not JSON: {type(problem).__name__}") from None
    if not isinstance(found, dict):
        raise BadAnnouncement("payload is not an object")
    return found


def _entities(told: Description, topic: str, announced: Announced) -> tuple[Entity, ...]:
    whole = {
        "device": told.device(), "origin": {"name": "Tasmota"}, **told.availability(),
        "components": {key: {"unique_id": f"{told.mac[-6:]}_{key}", **part} for key, part in announced.items()},
    }  # fmt: skip
    also = {one: [where for where in more if _usable(where)] for one, more in told.also().items()}
    asks = [("STATE", "")] if topic.endswith("config") else []
    if topic.endswith("sensors") or any(key.startswith(("SHT", "SW")) for key in announced):
        asks.append(("STATUS", "10"))
    return tuple(
        replace(
            entity,
            reports=tuple(
                replace(report, topic=where)
                for report in entity.reports
                for where in (report.topic, *also.get(report.topic, ()))
            ),
            asks=tuple(_asked(told, asks)),
        )
        for entity in device_announced(topic, told.mac, whole)
    )


def _asked(told: Description, asks: Iterable[tuple[str, str]]) -> Iterable[tuple[str, str]]:
    return ((told.command(what), payload) for what, payload in asks if _usable(told.command(what)))


def _usable(topic: str) -> bool:
    return topic_or_none(topic) is not None and "+" not in topic
