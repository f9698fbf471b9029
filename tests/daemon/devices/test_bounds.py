"""Whoever may publish may publish anything: it is refused, counted, told once, and nothing else suffers."""

import asyncio
import json
import os
import signal
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from mqtt_gadget import gadget, running
from support.folders import short_folder

from daemon.clock import SystemClock
from daemon.devices.broker import EmbeddedBroker
from daemon.devices.discovery import MAX_PAYLOAD
from daemon.devices.house import House
from daemon.devices.link import Devices
from daemon.devices.order import Order
from daemon.devices.template import BadTemplate, compiled
from daemon.errors import LinkDown

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
BOMBS = {
    "long": b'{"a":"' + b"x" * MAX_PAYLOAD + b'"}',
    "deep": b"[" * 50_000 + b"]" * 50_000,
    "deep object": b'{"a":' * 20_000 + b"1" + b"}" * 20_000,
    "wide": json.dumps({"cmps": {f"c{number}": {"p": "switch"} for number in range(5000)}}).encode(),
    "huge number": b'{"bri_scl":1e999}',
    "long number": b'{"bri_scl":' + b"9" * 5000 + b"}",
    "not text": bytes(range(256)),
    "half": b'{"name":"x"',
    "twice": b'{"a":1}{"b":2}',
    "infinite": b'{"a":Infinity}',
}


async def waited(so: Callable[[], bool]) -> None:
    """Return once it is so."""
    async with asyncio.timeout(30):
        while not so():
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS)
def test_a_bomb_is_refused_at_once_and_leaves_nothing(bomb: bytes) -> None:
    house = House()
    began = time.process_time()
    for kind in ("light", "device"):
        house.announce(f"homeassistant/{kind}/bomb/config", bomb)
    spent_s = time.process_time() - began
    assert spent_s < 1
    assert house.refused.total() >= 1
    assert len(house) <= 1


def test_a_lamp_told_bombs_stays_as_it_was() -> None:
    house = House()
    lamp = {"schema": "json", "stat_t": "s", "cmd_t": "c", "brightness": True, "obj_id": "x"}
    house.announce("homeassistant/light/x/config", json.dumps(lamp).encode())
    house.hear("s", b'{"state":"ON","brightness":255}', NOW)
    before = house.condition("light.x")
    for bomb in (BOMBS["long"], BOMBS["deep"], BOMBS["deep object"], BOMBS["not text"], BOMBS["half"]):
        assert house.hear("s", bomb, NOW) == ()
    assert (house.condition("light.x").state, house.condition("light.x").attributes) == ("on", before.attributes)


def test_ten_thousand_topics_of_garbage_are_counted_and_logged_within_bounds(
    capsys: pytest.CaptureFixture[str],
) -> None:
    house = House()
    for number in range(10_000):
        house.announce(f"homeassistant/light/garbage{number}/config", b"{")
    house.announce("homeassistant/light/lamp/config", b'{"obj_id":"lamp","cmd_t":"c"}')
    assert house.refused.total() == 10_000
    assert len(house) == 1
    for _ in range(3):
        house.announce("homeassistant/light/garbage9999/config", b"{")
    assert capsys.readouterr().out.count("garbage9999") == 1


def test_no_more_entities_than_there_may_be() -> None:
    house = House()
    for number in range(10_050):
        house.announce(f"homeassistant/switch/s{number}/config", b'{"cmd_t":"c","stat_t":"s/%d"}' % number)
    assert len(house) == 10_000
    assert house.refused["full"] == 50
    assert len(house.topics) == 10_000


@pytest.mark.parametrize(
    "source",
    [
        "{% for a in value_json %}{% for b in value_json %}{% for c in value_json %}{{ a }}{% endfor %}{% endfor %}{% endfor %}",
        "{% for i in range(2000) %}{% set x = value | replace('a', 'b') | upper | lower | title %}{% endfor %}",
        "{% for i in range(2000) %}{% set x = value.split('a') | join('b') %}{% endfor %}",
        "{{ value | regex_replace('(a|a)*b', 'c') }}",
        "{{ value | regex_findall('a.*a.*a.*a.*b') }}",
        "{% set n = namespace(x={}) %}{% for i in range(2000) %}{% set n.x = {'a': n.x, 'b': n.x} %}{% endfor %}{{ n.x }}",
    ],
)
def test_a_template_that_would_take_long_is_stopped_early(source: str) -> None:
    variables: dict[str, Any] = {"value": "a" * 100_000, "value_json": list(range(1000))}
    began = time.process_time()
    with pytest.raises(BadTemplate):
        compiled(source)(variables)
    spent_s = time.process_time() - began
    assert spent_s < 1


@pytest.mark.timeout(60)
async def test_a_broker_full_of_retained_garbage_delays_no_order() -> None:
    with short_folder() as folder:
        async with EmbeddedBroker(folder / "data") as broker, gadget(broker.url, "t") as device:
            for number in range(1500):
                await device.client.publish(f"homeassistant/light/junk{number}/config", "[" * 200, retain=True)
            device.answer = lambda topic, payload: [(topic.replace("/set", "/state"), payload.decode())]
            await device.say("homeassistant/switch/pump/config", {"cmd_t": "t/pump/set", "stat_t": "t/pump/state",
                                                                  "obj_id": "pump"})  # fmt: skip
            async with running(Devices(broker.url, SystemClock(), lambda: 3000)) as devices:
                outcome = await devices.carry_out(Order("switch.pump", "turn_on"))
                assert outcome.kind == "confirmed"
                assert devices.house.refused.total() == 1500


@pytest.mark.timeout(60)
async def test_a_broker_that_was_away_is_found_again_with_how_things_are_now() -> None:
    with short_folder() as folder:
        async with EmbeddedBroker(folder / "data") as broker:
            devices = Devices(broker.url, SystemClock(), lambda: 300)
            async with gadget(broker.url, "t") as device:
                await device.say("homeassistant/switch/pump/config", {"cmd_t": "t/pump/set", "stat_t": "t/pump/state",
                                                                      "obj_id": "pump"})  # fmt: skip
                await device.say("t/pump/state", "OFF")
                async with running(devices):
                    assert devices.house.condition("switch.pump").state == "off"
                    os.kill(broker.pid, signal.SIGSTOP)  # a slow broker: an order is given up, and its link with it
                    try:
                        with pytest.raises(LinkDown):
                            await devices.carry_out(Order("switch.pump", "turn_on"))
                        with pytest.raises(LinkDown):
                            await devices.carry_out(Order("switch.pump", "turn_on"))
                    finally:
                        os.kill(broker.pid, signal.SIGCONT)
                    await waited(devices.settled.is_set)
                    await device.say("t/pump/state", "ON")
                    await device.say("t/pump/state", "ON")  # a duplicate changes nothing
                    await waited(lambda: devices.house.condition("switch.pump").state == "on")
                    assert (await devices.carry_out(Order("switch.pump", "turn_on"))).kind == "already"
