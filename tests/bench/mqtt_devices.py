"""The other side of the broker, in processes of their own: lamps that obey, and devices that never stop talking.

Run by `tests.bench.mqtt`:
    python mqtt_devices.py URL lamps COUNT      announce lamps, obey, and print (lamp, nanoseconds) of each order at the end
    python mqtt_devices.py URL flood PER_S      say states of those lamps that nobody orders about
Both print "ready" when they are, and end when their standard input does.
"""

import asyncio
import itertools
import json
import socket
import sys
import time
from collections.abc import Coroutine
from typing import Any
from urllib.parse import urlsplit

import aiomqtt

TICK_S = 0.01
SENSORS = 500
"""So many sensors tell what the flood consists of, each many times."""


def client_of(url: str) -> aiomqtt.Client:
    parts = urlsplit(url)
    # Without it, what a device says waits up to 40 ms for the network's acknowledgement of what it said before.
    at_once = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)]
    client = aiomqtt.Client(parts.hostname or "", parts.port or 1883, socket_options=at_once)
    client.pending_calls_threshold = 100_000
    return client


async def lamps(url: str, count: int) -> None:
    """Announce lamps and sensors, `count` together, and obey."""
    got: list[tuple[int, int]] = []
    async with client_of(url) as client:
        for number in range(count):
            await _announce(client, number, is_sensor=number >= count - SENSORS)
        await client.subscribe("bench/+/set", qos=1)
        print("ready", flush=True)

        async def obey() -> None:
            async for message in client.messages:
                got.append((int(message.topic.value.split("/")[1]), time.perf_counter_ns()))
                await client.publish(f"bench/{got[-1][0]}", message.payload, qos=1)

        await _until_the_end(obey())
    print(json.dumps(got), flush=True)


async def _announce(client: aiomqtt.Client, number: int, *, is_sensor: bool) -> None:
    topic, device = (
        f"bench/{number}",
        {"ids": [f"bench_{number}"], "name": f"Aparelho {number}", "sa": f"Cômodo {number % 40}"},
    )
    config: dict[str, object] = {"dev": device, "uniq_id": f"bench_{number}", "stat_t": topic}
    if is_sensor:
        config |= {"name": f"Sensor {number}", "val_tpl": "{{ value_json.temperature }}", "unit_of_meas": "°C"}
    else:
        config |= {"name": f"Luz {number}", "schema": "json", "cmd_t": f"{topic}/set", "brightness": True}
    kind = "sensor" if is_sensor else "light"
    await client.publish(f"homeassistant/{kind}/bench_{number}/config", json.dumps(config), qos=1, retain=True)
    if not is_sensor:
        await client.publish(topic, '{"state":"OFF","brightness":0}', qos=1, retain=True)


async def flood(url: str, per_s: int, count: int) -> None:
    """Publish so many states a second, evenly."""
    async with client_of(url) as client:
        print("ready", flush=True)

        async def talk() -> None:
            began, sent = time.perf_counter(), 0
            for tick in itertools.count(1):
                while sent < per_s * TICK_S * tick:
                    sensor = count - 1 - sent % SENSORS
                    await client.publish(f"bench/{sensor}", json.dumps({"temperature": 20 + sent % 97 / 10}))
                    sent += 1
                await asyncio.sleep(max(0.0, began + tick * TICK_S - time.perf_counter()))

        await _until_the_end(talk())


async def _until_the_end(work: Coroutine[Any, Any, None]) -> None:
    task = asyncio.create_task(work)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    while not task.done():  # aiomqtt's `wait_for` may swallow a cancellation
        task.cancel()
        await asyncio.wait({task}, timeout=0.1)


if __name__ == "__main__":
    given = sys.argv[1:]
    if given[1] == "lamps":
        asyncio.run(lamps(given[0], int(given[2])))
    else:
        asyncio.run(flood(given[0], int(given[2]), int(given[3])))
