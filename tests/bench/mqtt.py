"""How soon a Plan is on its way to the device, and what a flood of states costs a turn. Run: `make bench-mqtt`.

    python -m tests.bench.mqtt [--entities 2000] [--turns 400] [--per-s 2000] [--json]

From Plan to published: from the moment at which a plan is answered until the broker (Debian's mosquitto) has acknowledged
the message, so that the action's commit (embedded PostgreSQL, fsync on), the skill and the link are all in it; and until
the device, a process of its own, has it in hand. It obeys at once, and the order is confirmed before the next one.
The flood: typed turns ("acende a luz 7") from text to reply, in quiet and while another process publishes states.
"""

import argparse
import asyncio
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiomqtt

from daemon.acting import Acting
from daemon.answer import Answers
from daemon.butler import Butler, Place
from daemon.clock import SystemClock
from daemon.conversation import Conversations
from daemon.devices.broker import EmbeddedBroker
from daemon.devices.link import Devices
from daemon.devices.order import Command
from daemon.engines.plug import Plug
from daemon.language.language import Language
from daemon.language.plan import Intent, Plan
from daemon.language.replies import Replies
from daemon.skills.devices import device_skills
from daemon.skills.orders import Orders
from daemon.turn import Understood
from db.database import open_database
from db.embedded import EmbeddedPostgres
from db.ledger import open_ledger
from db.upgrade import upgrade

from .figures import Figure, percentile, report
from .mqtt_devices import SENSORS

WARM = 30
END_S = 10.0
DEVICES = Path(__file__).with_name("mqtt_devices.py")
PLACE = Place("text", "Cômodo 1", None)


def _warm(turns: int) -> int:
    """Return how many turns come first that do not count: they open connections and fill caches."""
    return min(WARM, turns)


class Timed(Devices):
    """The link as it is, which notes when the broker had acknowledged each order."""

    published: list[int]

    async def _deliver(self, client: aiomqtt.Client, wanted: Command, *, retain: bool = False) -> None:
        await super()._deliver(client, wanted, retain=retain)
        self.published.append(time.perf_counter_ns())


@asynccontextmanager
async def other_side(*arguments: object) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a process of `mqtt_devices.py`; it is ready when this is entered, and ends when its input does."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(DEVICES), *map(str, arguments), stdin=pipe, stdout=pipe, limit=2**24
    )
    assert process.stdout is not None
    try:
        assert (await process.stdout.readline()).strip() == b"ready"
        yield process
    finally:
        if process.stdin is not None and not process.stdin.is_closing():
            process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), END_S)
        except TimeoutError:
            process.kill()
            await process.wait()


@asynccontextmanager
async def butler_with(devices: Devices, url: str, folder: Path) -> AsyncIterator[Butler]:
    """Run a butler with the real language, ledger, skills and link."""
    clock, replies = SystemClock(), Replies.load("pt_br")
    none: Plug[Any] = Plug("none", lambda: None)
    async with open_database(url) as db, open_ledger(db, folder) as ledger:
        acting = Acting(device_skills(Orders(devices, replies)), ledger, replies, clock)
        answers = Answers(acting)
        conversations = Conversations(ledger, clock, lambda: 60)
        yield Butler(none, Language(), devices.house.household, answers, replies, ledger, conversations, clock)
        await answers.settle()


async def plans(butler: Butler, turns: int, lamps: int) -> list[tuple[int, int]]:
    """Answer plans that turn lamps on and off; return (lamp, nanoseconds at which its plan was there)."""
    chance, lit, began = random.Random(1), set[int](), []
    for _ in range(turns + _warm(turns)):
        lamp = chance.randrange(lamps)
        verb = "HassTurnOff" if lamp in lit else "HassTurnOn"
        lit ^= {lamp}
        plan = Plan("skill", (Intent(verb, (f"light.bench_{lamp}",)),), 1.0)
        began.append((lamp, time.perf_counter_ns()))
        turn = await butler.answer(Understood("acende", plan), PLACE)
        assert [action.status for action in turn.actions] == ["success"], turn
        await asyncio.sleep(0)
    return began


async def typed_turns(butler: Butler, turns: int, lamps: int) -> list[float]:
    """Type sentences and return how long each took until its reply, in milliseconds."""
    chance, lit, spent = random.Random(2), set[int](), []
    for _ in range(turns + _warm(turns)):
        lamp = chance.randrange(lamps)
        began = time.perf_counter()
        turn = await butler.ask(f"{'apaga' if lamp in lit else 'acende'} a luz {lamp}", PLACE)
        spent.append((time.perf_counter() - began) * 1000)
        lit ^= {lamp}
        assert turn.actions, turn.reply
        await asyncio.sleep(0.005)
    return spent[_warm(turns) :]


async def measured(entities: int, turns: int, per_s: int, kind: Any = None) -> dict[str, Any]:
    """Return milliseconds from plan to device, and of turns in quiet and in a flood, and what the flood left unread."""
    with tempfile.TemporaryDirectory(prefix="mordomo-", dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o711)
        postgres = EmbeddedPostgres(folder / "data")
        url = await postgres.start()
        try:
            await upgrade(url)
            async with EmbeddedBroker(folder / "data", kind=kind) as broker:
                return await _measured(url, broker.url, folder, entities, turns, per_s)
        finally:
            await postgres.stop(only_if_unused=False)


async def _measured(url: str, broker: str, folder: Path, entities: int, turns: int, per_s: int) -> dict[str, Any]:
    devices = Timed(broker, SystemClock(), lambda: 2000)
    devices.published = []
    lamps = entities - SENSORS
    async with other_side(broker, "lamps", entities) as obeying:
        running = asyncio.create_task(devices.run())
        try:
            async with asyncio.timeout(60):
                await devices.settled.wait()
            assert len(devices.house) == entities
            async with butler_with(devices, url, folder) as butler:
                began = await plans(butler, turns, lamps)
                got = await _end(obeying)
        finally:
            await _ended(running)
    arrived = [(at - start) / 1e6 for (lamp, start), (same, at) in zip(began, got, strict=True) if lamp == same]
    assert len(arrived) == len(began), "an order was lost, repeated or came out of turn"
    published = [(at - start) / 1e6 for (_, start), at in zip(began, devices.published, strict=True)]
    warm = _warm(turns)
    return {"published": published[warm:], "to_device": arrived[warm:]} | await _flooded(
        url, broker, folder, entities, turns, per_s
    )


async def _ended(running: asyncio.Task[None]) -> None:
    while not running.done():  # aiomqtt's `wait_for` may swallow a cancellation
        running.cancel()
        await asyncio.wait({running}, timeout=1)


async def _end(process: asyncio.subprocess.Process) -> list[tuple[int, int]]:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.close()
    return [(lamp, at) for lamp, at in json.loads(await process.stdout.readline())]


async def _flooded(url: str, broker: str, folder: Path, entities: int, turns: int, per_s: int) -> dict[str, Any]:
    devices = Devices(broker, SystemClock(), lambda: 2000)
    async with other_side(broker, "lamps", entities):
        running = asyncio.create_task(devices.run())
        try:
            async with asyncio.timeout(60):
                await devices.settled.wait()
            async with butler_with(devices, url, folder) as butler:
                quiet = await typed_turns(butler, turns, entities - SENSORS)
                async with other_side(broker, "flood", per_s, entities):
                    flooded = await typed_turns(butler, turns, entities - SENSORS)
        finally:
            await _ended(running)
    return {"quiet": quiet, "flooded": flooded}


def figures_of(found: dict[str, Any], entities: int, per_s: int) -> list[Figure]:
    """Return the figures with their bars."""
    published, to_device, quiet, flooded = (found[name] for name in ("published", "to_device", "quiet", "flooded"))
    middle, high = statistics.median(published), percentile(published, 99)
    moved = percentile(flooded, 99) - percentile(quiet, 99)
    of = f"plan to published, {entities:,} entities"
    return [
        Figure(f"{of}, p50", f"{middle:.2f} ms", "3 ms", middle <= 3),
        Figure(f"{of}, p99", f"{high:.2f} ms", "10 ms", high <= 10),
        Figure("plan to the device's hands, p50", f"{statistics.median(to_device):.2f} ms"),
        Figure("plan to the device's hands, p99", f"{percentile(to_device, 99):.2f} ms"),
        Figure("typed turn in quiet, p50", f"{statistics.median(quiet):.1f} ms"),
        Figure("typed turn in quiet, p99", f"{percentile(quiet, 99):.1f} ms"),
        Figure(f"typed turn in {per_s:,} states a second, p50", f"{statistics.median(flooded):.1f} ms"),
        Figure(f"typed turn in {per_s:,} states a second, p99", f"{percentile(flooded, 99):.1f} ms"),
        Figure("its p99 moved by", f"{moved:.1f} ms", "20 ms", moved <= 20),
    ]


async def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--entities", type=int, default=2000)
    options.add_argument("--turns", type=int, default=400)
    options.add_argument("--per-s", type=int, default=2000)
    options.add_argument("--json", action="store_true")
    given = options.parse_args()
    found = await measured(given.entities, given.turns, given.per_s, "mosquitto")
    figures = figures_of(found, given.entities, given.per_s)
    return report(figures, as_json=given.json)


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
