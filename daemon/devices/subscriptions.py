"""What a connection listens to: announcements, then the topics that they name, as the house changes."""

import asyncio
from collections.abc import Callable, Iterable, Iterator

import aiomqtt

from daemon.devices import tasmota
from daemon.devices.house import House

ECHO_S = 3.0
"""How long an echo may take; a broker whose rules forbid us that topic never gives one."""
SUBSCRIBE_AT_ONCE = 100


class Subscriptions:
    """Those of one connection. `connected` is set once announcements and the topics known so far are subscribed to.

    `settled` is called once all that the broker kept has been handed over. A broker hands that over before what is
    published from now on, so an echo of our own, on the topic `echo`, comes after all of it.
    """

    def __init__(
        self,
        client: aiomqtt.Client,
        house: House,
        identifier: str,
        connected: asyncio.Event,
        settled: Callable[[], None],
    ) -> None:
        self.echo = f"mordomo/echo/{identifier}"
        self._client = client
        self._house = house
        self._connected = connected
        self._settled = settled
        self._is_settled = False
        self._announced = False
        self._structure = house.structure
        self._changed = asyncio.Event()
        self._without_echo: asyncio.TimerHandle | None = None
        self._subscribed: frozenset[str] = frozenset()

    async def follow(self) -> None:
        """Subscribe, and go on as the house changes, until cancelled. Raises MqttError."""
        prefix = self._house.prefix
        await self._client.subscribe(self.echo)
        await self._subscribe()  # what was known before, so that no order goes out unheard
        announcements = [f"{prefix}/+/+/config", f"{prefix}/+/+/+/config", *tasmota.FILTERS]
        await self._client.subscribe([(topic, 0) for topic in announcements])
        self._connected.set()
        await self._ask_echo(b"announced")
        while True:
            heed_cancellation()
            await self._changed.wait()
            self._changed.clear()
            await self._subscribe()
            for topic, payload in self._house.take_asking():
                await self._client.publish(topic, payload)
            if self._announced and not self._changed.is_set() and not self._is_settled:
                await self._ask_echo(b"settled")

    def look(self) -> None:
        """Have the topics looked at again, if the house has other entities than it had, or asks for states."""
        if self._house.structure != self._structure or self._house.is_asking:
            self._structure = self._house.structure
            self._changed.set()

    def echoed(self, payload: bytes) -> None:
        """Take in our own words, or go on without them."""
        self.stop()
        if payload == b"announced":
            self._announced = True
            self._changed.set()
        elif not self._is_settled:
            self._is_settled = True
            self._settled()

    def stop(self) -> None:
        """Wait for no echo any more."""
        if self._without_echo is not None:
            self._without_echo.cancel()

    async def _subscribe(self) -> None:
        wanted = self._house.topics
        for batch in _batches(self._subscribed - wanted):
            await self._client.unsubscribe(batch)
        for batch in _batches(wanted - self._subscribed):
            await self._client.subscribe([(topic, 0) for topic in batch])
        self._subscribed = wanted

    async def _ask_echo(self, payload: bytes) -> None:
        self.stop()
        self._without_echo = asyncio.get_running_loop().call_later(ECHO_S, self.echoed, payload)
        await self._client.publish(self.echo, payload)


def heed_cancellation() -> None:
    """Raise CancelledError if this task was cancelled: aiomqtt waits with `wait_for`, which may swallow that."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


def _batches(topics: Iterable[str]) -> Iterator[list[str]]:
    rest = sorted(topics)
    for start in range(0, len(rest), SUBSCRIBE_AT_ONCE):
        yield rest[start : start + SUBSCRIBE_AT_ONCE]
