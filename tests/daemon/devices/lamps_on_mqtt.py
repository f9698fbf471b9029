"""Lamps of a test's own on a broker, and the devices that Mordomo sees there."""

import asyncio
from collections.abc import Callable

from mqtt_gadget import Gadget

from daemon.clock import SystemClock
from daemon.devices.link import Devices


def obeying(name: str = "lamp") -> Callable[[str, bytes], list[tuple[str, str]]]:
    return lambda topic, payload: [(f"{name}/state", payload.decode())] if topic == f"{name}/set" else []


async def announce_lamp(device: Gadget, prefix: str, name: str = "lamp", **more: object) -> None:
    config = {"~": f"{device.base}/{name}", "name": "luz", "obj_id": name, "cmd_t": "~/set", "stat_t": "~/state"}
    await device.say(f"{prefix}/light/{name}/config", {**config, **more})


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.005)


def devices_at(url: str, prefix: str, confirm_ms: int = 2000, events: list[object] | None = None) -> Devices:
    return Devices(url, SystemClock(), lambda: confirm_ms, prefix, None if events is None else events.append)
