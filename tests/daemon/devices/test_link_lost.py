"""The link to a broker that is away, dies, or is full of what nobody understands."""

import asyncio
import os
import signal

import pytest
from lamps_on_mqtt import announce_lamp, devices_at, obeying, until
from mqtt_gadget import gadget, running

from daemon.devices.broker import EmbeddedBroker
from daemon.devices.link import Order
from daemon.errors import LinkDown


@pytest.fixture
def prefix(mqtt_prefix: str) -> str:
    return f"{mqtt_prefix}/ha"


async def test_without_a_broker_orders_are_refused_at_once() -> None:
    devices = devices_at("mqtt://127.0.0.1:9", "homeassistant")
    with pytest.raises(LinkDown, match="broker"):
        await devices.run()
    with pytest.raises(LinkDown, match="broker"):
        await devices.carry_out(Order("light.lamp", "turn_on"))
    assert not devices.is_connected


async def test_a_killed_broker_comes_back_and_nothing_is_sent_twice(fresh_broker: EmbeddedBroker) -> None:
    url = fresh_broker.url
    devices = devices_at(url, "homeassistant", 300)
    async with gadget(url, "t") as device:
        await announce_lamp(device, "homeassistant")
        async with running(devices):
            first = await devices.carry_out(Order("light.lamp", "turn_on"))
            killed = fresh_broker.pid
            os.kill(killed, signal.SIGKILL)
            await until(lambda: not devices.is_connected)
            with pytest.raises(LinkDown):
                await devices.carry_out(Order("light.lamp", "turn_off"))
            watching = asyncio.create_task(fresh_broker.run())
            await until(lambda: fresh_broker.pid != killed)
            async with asyncio.timeout(10):
                await devices.settled.wait()
            assert not devices.house.condition("light.lamp").fresh
            async with gadget(url, "t") as back:
                back.answer = obeying()
                await announce_lamp(back, "homeassistant", name="lamp")
                second = await devices.carry_out(Order("light.lamp", "turn_on"))
                assert back.got == [("lamp/set", b"ON")]
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
    assert (first.kind, second.kind) == ("silent", "confirmed")
    assert device.got == [("lamp/set", b"ON")]


async def test_an_order_that_the_broker_never_acknowledges_ends_in_a_lost_link(
    fresh_broker: EmbeddedBroker,
) -> None:
    devices = devices_at(fresh_broker.url, "homeassistant", 300)
    async with gadget(fresh_broker.url, "t") as device:
        await announce_lamp(device, "homeassistant")
        async with running(devices):
            os.kill(fresh_broker.pid, signal.SIGSTOP)
            try:
                order = asyncio.create_task(devices.carry_out(Order("light.lamp", "turn_on")))
                for _ in range(5):  # the order's own steps up to publishing; nobody answers
                    await asyncio.sleep(0)
            finally:
                os.kill(fresh_broker.pid, signal.SIGKILL)
            with pytest.raises(LinkDown):
                await order
            assert not devices.is_connected


async def test_states_come_back_from_what_the_broker_kept(broker_url: str, mqtt_prefix: str, prefix: str) -> None:
    async with gadget(broker_url, mqtt_prefix) as device:
        for number in range(50):
            await announce_lamp(device, prefix, f"lamp{number}")
            await device.say(f"{mqtt_prefix}/lamp{number}/state", "ON" if number % 2 else "OFF")
    async with running(devices_at(broker_url, prefix)) as devices:
        states = [devices.house.condition(f"light.lamp{number}").state for number in range(50)]
    assert states == ["off", "on"] * 25


async def test_retained_garbage_is_counted_and_the_rest_goes_on(broker_url: str, mqtt_prefix: str, prefix: str) -> None:
    async with gadget(broker_url, mqtt_prefix) as device:
        await device.say(f"{prefix}/light/a/config", b"\xff\x00")
        await device.say(f"{prefix}/light/b/config", "[" * 100_000)
        await device.say(f"{prefix}/light/c/config", "[]")
        await device.say(f"{prefix}/device/d/config", {"cmps": {"x": 3}})
        await device.say(f"{prefix}/light/e/config", '{"name": NaN}')
        await announce_lamp(device, prefix)
        await device.say(f"{mqtt_prefix}/lamp/state", b"\xff\xfe")
        async with running(devices_at(broker_url, prefix)) as devices:
            assert [entity.id for entity in devices.house.entities] == ["light.lamp"]
            await until(lambda: devices.house.refused.total() == 6)
            device.answer = obeying()
            assert (await devices.carry_out(Order("light.lamp", "turn_on"))).kind == "confirmed"


async def test_a_flood_of_states_leaves_the_loop_free_and_the_last_word_counts(
    broker_url: str, mqtt_prefix: str, prefix: str
) -> None:
    async with gadget(broker_url, mqtt_prefix) as device:
        device.answer = obeying()
        await announce_lamp(device, prefix)
        await announce_lamp(device, prefix, "busy")
        async with running(devices_at(broker_url, prefix, 5000)) as devices:
            for number in range(2001):
                payload = "ON" if number % 2 == 0 else "OFF"
                await device.client.publish(f"{mqtt_prefix}/busy/state", payload, qos=0)
            outcome = await devices.carry_out(Order("light.lamp", "turn_on"))
            await until(lambda: devices.house.condition("light.busy").state == "on")
    assert outcome.kind == "confirmed"
