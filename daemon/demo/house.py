"""The demonstration house: devices to try Mordomo on, in a process of their own, over a real broker.

    python -m daemon.demo.house --url mqtt://127.0.0.1:1883

They announce themselves by Home Assistant's MQTT discovery (origin `mordomo-demo`), obey and report; what is said of
them stays on the broker, and shows them offline when this process is gone. For tests and rehearsals, `--slow`,
`--dead`, `--lying` and `--offline` make one of them misbehave, and `--every` adds one of each rarer component.
"""

import argparse
import asyncio
import random
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import aiomqtt
import psutil

from daemon.demo.gadgets import gadgets
from daemon.demo.toy import STEP_S, Toy, toys
from daemon.devices.address import Address
from daemon.devices.client import new_client

DRIFT_S = 20.0
PARENT_POLL_S = 2.0
FIRST_PAUSE_S = 0.25
LONGEST_PAUSE_S = 10.0


@dataclass(slots=True)
class House:
    """The devices and their link.

    A `slow` one waits that many seconds before it obeys; a `dead` one never does nor says anything; a `lying` one only
    says again how it was; an `offline` one says that it is away.
    """

    address: Address
    prefix: str
    root: str
    slow: dict[str, float] = field(default_factory=dict)
    dead: frozenset[str] = frozenset()
    lying: frozenset[str] = frozenset()
    offline: frozenset[str] = frozenset()
    toys: dict[str, Toy] = field(default_factory=dict)
    _client: aiomqtt.Client | None = None
    _doing: dict[str, asyncio.Task[None]] = field(default_factory=dict)

    async def live(self) -> None:
        """Serve until cancelled, connecting again with growing pauses whenever the broker is away."""
        pause_s = FIRST_PAUSE_S
        while True:
            try:
                will = aiomqtt.Will(f"{self.root}/status", "offline", qos=1, retain=True)
                async with new_client(self.address, will=will) as client:
                    self._client = client
                    try:
                        await self._arrive(client)
                        pause_s = FIRST_PAUSE_S
                        async for message in client.messages:
                            self._hear(message.topic.value, bytes(message.payload))
                    finally:
                        self._client = None
                        with suppress(aiomqtt.MqttError, TimeoutError):
                            async with asyncio.timeout(1):
                                await client.publish(f"{self.root}/status", "offline", qos=1, retain=True)
            except (aiomqtt.MqttError, OSError):
                await asyncio.sleep(pause_s * random.uniform(0.5, 1.5))  # noqa: S311 - jitter, not a secret
                pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

    async def drift(self) -> None:
        """Let what is measured wander a little, for ever."""
        start = {toy.id: toy.value for toy in self.toys.values() if toy.value is not None}
        while True:
            await asyncio.sleep(DRIFT_S)
            for entity_id, value in start.items():
                toy = self.toys[entity_id]
                wander = random.uniform(-0.2, 0.2)  # noqa: S311 - weather, not a secret
                toy.value = max(value - 1.5, min(value + 1.5, (toy.value or value) + wander))
                await self._tell(toy)

    async def _arrive(self, client: aiomqtt.Client) -> None:
        await client.subscribe(f"{self.root}/+/+/set/+", qos=1)
        for toy in self.toys.values():
            topic, payload = toy.announcement(self.prefix)
            here = "offline" if toy.id in self.offline else "online"
            await client.publish(f"{toy.place}/available", here, qos=1, retain=True)
            await client.publish(topic, payload, qos=1, retain=True)
            await self._tell(toy)
        await client.publish(f"{self.root}/status", "online", qos=1, retain=True)

    async def _tell(self, toy: Toy) -> None:
        report = toy.report()
        if report is not None and self._client is not None:
            with suppress(aiomqtt.MqttError):  # told again on the next connection
                await self._client.publish(toy.place, report, qos=1, retain=True)

    def _hear(self, topic: str, payload: bytes) -> None:
        component, name, _, what = topic.removeprefix(f"{self.root}/").split("/")
        toy = self.toys.get(f"{component}.{name}")
        if toy is None or toy.id in self.dead | self.offline:
            return
        before = self._doing.pop(toy.id, None)
        if before is not None and toy.position is not None:
            before.cancel()  # a new order to what moves replaces the old one
        text = payload.decode(errors="replace")
        self._doing[toy.id] = asyncio.create_task(self._do(toy, what, text, before))

    async def _do(self, toy: Toy, what: str, text: str, before: asyncio.Task[None] | None) -> None:
        if before is not None:
            await asyncio.gather(before, return_exceptions=True)
        await asyncio.sleep(self.slow.get(toy.id, 0.0))
        if toy.id in self.lying:
            await self._tell(toy)
            return
        toy.obey(what, text)
        for other, state in toy.sets.items():
            self.toys[other].state = state
            await self._tell(self.toys[other])
        await self._tell(toy)
        while toy.target is not None:
            await asyncio.sleep(STEP_S)
            toy.step(STEP_S)
            await self._tell(toy)


async def until_gone(pid: int) -> None:
    """Return when the process `pid` has ended, within PARENT_POLL_S seconds of that."""
    with suppress(psutil.Error):
        parent = psutil.Process(pid)  # knows its start time, so another process of the same pid is not taken for it
        while parent.is_running() and parent.status() != psutil.STATUS_ZOMBIE:  # noqa: ASYNC110 - it is not our child
            await asyncio.sleep(PARENT_POLL_S)


async def serve(house: House, parent: int | None) -> None:
    """Live until SIGTERM, SIGINT, or the end of the process `parent`."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    tasks = [asyncio.create_task(house.live()), asyncio.create_task(house.drift())]
    ends = [asyncio.create_task(stop.wait()), *tasks]
    if parent is not None:
        ends.append(asyncio.create_task(until_gone(parent)))
    done, _ = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    while left := {task for task in ends if not task.done()}:  # aiomqtt's `wait_for` may swallow a cancellation
        for task in left:
            task.cancel()
        await asyncio.wait(left, timeout=0.5)
    for task in done & set(tasks):
        task.result()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the house from the command line; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m daemon.demo.house", description="Casa de demonstração do Mordomo")
    parser.add_argument("--url", required=True, help="mqtt://usuário:senha@servidor:porta")
    parser.add_argument("--prefix", default="homeassistant", help="ramo dos anúncios")
    parser.add_argument("--root", default="demo", help="ramo dos aparelhos")
    parser.add_argument("--slow", action="append", default=[], metavar="APARELHO:MS", help="demora a obedecer")
    parser.add_argument("--dead", action="append", default=[], metavar="APARELHO", help="não responde")
    parser.add_argument("--lying", action="append", default=[], metavar="APARELHO", help="responde, mas não obedece")
    parser.add_argument("--offline", action="append", default=[], metavar="APARELHO", help="diz que está fora do ar")
    parser.add_argument("--parent-pid", type=int, help="termina quando este processo terminar")
    parser.add_argument("--every", action="store_true", help="também um aparelho de cada tipo mais raro")
    options = parser.parse_args(arguments)
    try:
        address = Address.parse(options.url)
        slow = {name: float(wait_ms) / 1000 for name, _, wait_ms in (text.partition(":") for text in options.slow)}
    except ValueError as problem:
        parser.error(str(problem))
    all_toys = toys(options.root) + (gadgets(options.root) if options.every else [])
    known = {toy.id for toy in all_toys}
    if strange := {*slow, *options.dead, *options.lying, *options.offline} - known:
        parser.error(f"aparelho que não há nesta casa: {', '.join(sorted(strange))}")
    house = House(
        address, options.prefix, options.root, slow, frozenset(options.dead), frozenset(options.lying),
        frozenset(options.offline), {toy.id: toy for toy in all_toys},
    )  # fmt: skip
    rooms = {toy.area for toy in all_toys if toy.area}
    print(f"Casa de demonstração: {len(all_toys)} aparelhos em {len(rooms)} cômodos, no broker {address}.", flush=True)
    asyncio.run(serve(house, options.parent_pid))
    return 0


if __name__ == "__main__":
    sys.exit(main())
