"""Broker, daemon, or both are killed in the middle of commands: the ledger and the devices must agree afterwards.

The daemon is a process of its own, told what to do over HTTP; its devices are ours and keep their own record. Each
command has a (lamp, brightness) that no other has, so that what a device got can be told from what it got twice. Short
here; a thousand commands with `make test-long`.
"""

import asyncio
import json
import os
import random
import signal
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import aiomqtt
import httpx
import pytest
from support.daemon_process import DaemonProcess, daemon_process, until
from support.folders import short_folder

NAMES = "lustre abajur arandela luminária plafon pendente spot refletor lampião candeeiro".split()
Killed = Literal["broker", "daemon", "both"]
Moment = Literal["asked", "received", "obeyed"]
"""When the blow falls: as the request leaves, when the device has it, or when it has told that it obeyed."""

BLOWS: list[tuple[Killed, Moment]] = [
    ("broker", "received"), ("daemon", "received"), ("both", "obeyed"), ("daemon", "asked"), ("both", "received"),
    ("broker", "asked"), ("daemon", "obeyed"), ("both", "asked"), ("broker", "obeyed"),
]  # fmt: skip


@dataclass
class Lamps:
    """Ten lamps that come back after each blow, say what they are and obey. `got` is their own record."""

    data_dir: Path
    got: list[tuple[str, int]] = field(default_factory=list)
    levels: dict[str, int] = field(default_factory=dict)
    received: asyncio.Event = field(default_factory=asyncio.Event)
    obeyed: asyncio.Event = field(default_factory=asyncio.Event)
    present: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        """Be there until cancelled, on whatever port the broker is."""
        while True:
            with suppress(aiomqtt.MqttError, OSError, ValueError):
                await self._session()
            self.present.clear()
            await asyncio.sleep(0.05)

    async def _session(self) -> None:
        state = json.loads((self.data_dir / "broker" / "state.json").read_text())
        async with aiomqtt.Client("127.0.0.1", int(state["port"]), timeout=5) as client:
            await client.subscribe("lamps/+/set", qos=1)
            for name in NAMES:
                topic = f"lamps/{name}"
                config = {"name": name, "schema": "json", "brightness": True, "bri_scl": 100, "stat_t": topic,
                          "cmd_t": f"{topic}/set", "obj_id": name, "uniq_id": name}  # fmt: skip
                await client.publish(f"homeassistant/light/{name}/config", json.dumps(config), qos=1, retain=True)
                await self._tell(client, name)
            self.present.set()
            async for message in client.messages:
                name, said = message.topic.value.split("/")[1], json.loads(message.payload)
                self.got.append((name, said["brightness"]))
                self.received.set()
                self.levels[name] = said["brightness"]
                await self._tell(client, name)
                self.obeyed.set()

    async def _tell(self, client: aiomqtt.Client, name: str) -> None:
        level = self.levels.get(name, 0)
        said = {"state": "ON" if level else "OFF", "brightness": level}
        await client.publish(f"lamps/{name}", json.dumps(said), qos=1, retain=True)


@asynccontextmanager
async def lamps_of(data_dir: Path) -> AsyncIterator[Lamps]:
    lamps = Lamps(data_dir)
    task = asyncio.create_task(lamps.run())
    try:
        yield lamps
    finally:
        while not task.done():  # aiomqtt's `wait_for` may swallow a cancellation
            task.cancel()
            await asyncio.wait({task}, timeout=0.1)


async def command(daemon: DaemonProcess, name: str, level: int) -> None:
    """Ask, and take whatever comes of it: the ledger tells, not the answer."""
    with suppress(httpx.HTTPError, OSError, AssertionError):
        await daemon.ask(f"coloca o {name} em {level} por cento")


async def strike(daemon: DaemonProcess, what: Killed) -> None:
    if what in {"broker", "both"}:
        state = json.loads((daemon.data_dir / "broker" / "state.json").read_text())
        with suppress(ProcessLookupError):
            os.kill(int(state["pid"]), signal.SIGKILL)
    if what in {"daemon", "both"}:
        await daemon.end(signal.SIGKILL)


async def struck(daemon: DaemonProcess, lamps: Lamps, order: tuple[str, int], what: Killed, when: Moment) -> None:
    """Give an order, strike in the middle of it, and set all up again."""
    lamps.received.clear()
    lamps.obeyed.clear()
    asked = asyncio.create_task(command(daemon, *order))
    signal_of = {"received": lamps.received, "obeyed": lamps.obeyed}.get(when)
    waiting = {asked} if signal_of is None else {asked, asyncio.create_task(signal_of.wait())}
    if signal_of is not None:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED, timeout=10)
    await asyncio.sleep(0)
    await strike(daemon, what)
    await asyncio.wait({asked}, timeout=30)
    for task in waiting:
        task.cancel()
    if what != "broker":
        await daemon.start()
    await ready(daemon, lamps)


async def ready(daemon: DaemonProcess, lamps: Lamps) -> None:
    """Wait until the daemon knows all lamps again, through a broker that is there."""

    async def known() -> bool:
        with suppress(httpx.HTTPError, OSError):
            health = (await daemon.get("/health")).json()["parts"]["broker"]
            things = (await daemon.get("/household")).json()["devices"]
            states = [thing["state"] for thing in things if thing["name"] in NAMES]
            return (
                lamps.present.is_set()
                and health["condition"] == "ok"
                and len(states) == len(NAMES)
                and None not in states
            )
        return False

    await until(known, within_s=90)


async def battered(data_dir: Path, commands: int, blows: int, seed: int) -> tuple[Lamps, list[dict[str, Any]]]:
    """Give so many commands with so many blows among them; return the devices' record and the ledger's."""
    chance = random.Random(seed)
    orders = [(name, level) for name in NAMES for level in range(1, 1 + commands // len(NAMES))]
    chance.shuffle(orders)
    struck_at = dict(zip(sorted(chance.sample(range(len(orders)), blows)), BLOWS * blows, strict=False))
    async with (
        daemon_process(data_dir, arguments=("--no-prompt", "--no-demo-house")) as daemon,
        lamps_of(data_dir) as lamps,
    ):
        await ready(daemon, lamps)
        for number, order in enumerate(orders):
            if number in struck_at:
                await struck(daemon, lamps, order, *struck_at[number])
            else:
                await command(daemon, *order)

        async def settled() -> bool:
            return not await daemon.rows("SELECT 1 FROM actions WHERE status IN ('pending', 'executing')")

        await until(settled, within_s=90)
        rows = await daemon.rows("SELECT status, parameters, result FROM actions ORDER BY created_at")
    return lamps, [dict(row) for row in rows]


def agree(lamps: Lamps, rows: list[dict[str, Any]]) -> None:
    """Check that nothing is open, nothing is claimed that no device got, and nothing was given twice."""
    got = Counter(lamps.got)
    assert {row["status"] for row in rows} <= {"success", "failed"}
    assert [order for order, times in got.items() if times > 1] == []
    claimed = [
        (wanted["entity_id"].partition(".")[2], round(wanted["value"]))
        for row in rows
        if row["status"] == "success"
        and json.loads(row["result"])["outcome"] != "already"  # within a hundredth: nothing was to be done
        and (wanted := json.loads(row["parameters"]))
    ]
    spoken = {"luminaria": "luminária", "lampiao": "lampião"}
    assert [order for order in claimed if (spoken.get(order[0], order[0]), order[1]) not in got] == []
    assert len(claimed) == len(set(claimed))


@pytest.mark.timeout(400)
async def test_ledger_and_devices_agree_after_blows(made_data: Path) -> None:
    lamps, rows = await battered(made_data, commands=40, blows=5, seed=1)
    agree(lamps, rows)
    assert len(rows) >= 30
    assert sum(row["status"] == "success" for row in rows) >= 25


@pytest.mark.long
@pytest.mark.timeout(3600)
async def test_ledger_and_devices_agree_after_a_thousand_commands() -> None:
    with short_folder() as folder:
        lamps, rows = await battered(folder / "data", commands=1000, blows=45, seed=2)
    agree(lamps, rows)
    assert sum(row["status"] == "success" for row in rows) >= 900
