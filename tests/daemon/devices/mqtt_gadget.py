"""A device of a test's own: an MQTT client that announces itself, notes what it is told, and says what the test wants."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import aiomqtt
from support.hurried import hurried

from daemon.devices.address import Address
from daemon.devices.client import new_client
from daemon.devices.link import Devices


class Gadget:
    """Notes every message below `base` in `got`; `answer` is called with each and may return messages to send back."""

    def __init__(self, client: aiomqtt.Client, base: str) -> None:
        self.client = client
        self.base = base
        self.got: list[tuple[str, bytes]] = []
        self.answer: Callable[[str, bytes], list[tuple[str, str]]] = lambda _topic, _payload: []
        self.heard = asyncio.Condition()

    async def say(self, topic: str, payload: object, *, retain: bool = True) -> None:
        text = payload if isinstance(payload, str | bytes) else json.dumps(payload)
        await self.client.publish(topic, text, qos=1, retain=retain)

    async def told(self, count: int = 1) -> list[tuple[str, bytes]]:
        """Return what it was told, once that is `count` messages."""
        async with asyncio.timeout(5), self.heard:
            await self.heard.wait_for(lambda: len(self.got) >= count)
        return self.got

    async def listen(self) -> None:
        with suppress(aiomqtt.MqttError):
            async for message in self.client.messages:
                self.got.append((message.topic.value.removeprefix(f"{self.base}/"), bytes(message.payload)))
                for topic, payload in self.answer(*self.got[-1]):
                    await self.say(f"{self.base}/{topic}", payload)
                async with self.heard:
                    self.heard.notify_all()


@asynccontextmanager
async def gadget(url: str, base: str) -> AsyncIterator[Gadget]:
    """A connected gadget that hears `<base>/+/set`."""
    async with new_client(Address.parse(url)) as client:
        device = Gadget(client, base)
        await client.subscribe(f"{base}/+/set", qos=1)
        listening = asyncio.create_task(device.listen())
        yield device
        while not listening.done():  # aiomqtt's `wait_for` may swallow a cancellation
            listening.cancel()
            await asyncio.wait({listening}, timeout=0.1)


async def until(so: Callable[[], object]) -> None:
    """Return once it is so."""
    async with asyncio.timeout(10):
        while not so():
            await asyncio.sleep(0.005)


@asynccontextmanager
async def running(devices: Devices) -> AsyncIterator[Devices]:
    """Devices that run, and know what the broker kept."""
    async with hurried(devices):
        async with asyncio.timeout(10):
            await devices.settled.wait()
        yield devices
