"""Devices over a real broker: found, commanded, confirmed."""

import asyncio

import pytest
from lamps_on_mqtt import announce_lamp, devices_at, obeying, until
from mqtt_gadget import gadget, running
from support.folders import short_folder

from daemon.devices.broker import EmbeddedBroker
from daemon.devices.link import ConfirmedLate, Order
from daemon.errors import CannotDo


@pytest.fixture
def prefix(mqtt_prefix: str) -> str:
    return f"{mqtt_prefix}/ha"


async def test_a_lamp_is_found_and_turned_on_and_off(broker_url: str, mqtt_prefix: str, prefix: str) -> None:
    async with gadget(broker_url, mqtt_prefix) as device:
        device.answer = obeying()
        await announce_lamp(device, prefix)
        await device.say(f"{mqtt_prefix}/lamp/state", "OFF")
        async with running(devices_at(broker_url, prefix)) as devices:
            assert devices.house.condition("light.lamp").state == "off"
            on = await devices.carry_out(Order("light.lamp", "turn_on"))
            again = await devices.carry_out(Order("light.lamp", "turn_on"))
            off = await devices.carry_out(Order("light.lamp", "toggle"))
        assert (on.kind, on.state, on.previous) == ("confirmed", "on", {"state": "off"})
        assert (again.kind, again.state) == ("already", "on")
        assert (off.kind, off.state) == ("confirmed", "off")
        assert device.got == [("lamp/set", b"ON"), ("lamp/set", b"OFF")]


async def test_what_is_announced_while_connected_is_found_too_and_removal_forgets_it(
    broker_url: str, mqtt_prefix: str, prefix: str
) -> None:
    async with gadget(broker_url, mqtt_prefix) as device, running(devices_at(broker_url, prefix)) as devices:
        await announce_lamp(device, prefix)
        await device.say(f"{mqtt_prefix}/lamp/state", "ON")
        await until(lambda: devices.house.condition("light.lamp").state == "on")
        await device.say(f"{prefix}/light/lamp/config", "")
        await until(lambda: len(devices.house) == 0)
        with pytest.raises(CannotDo, match="Não encontrei"):
            await devices.carry_out(Order("light.lamp", "turn_on"))


async def test_a_device_without_state_is_only_said_to_be_sent(broker_url: str, mqtt_prefix: str, prefix: str) -> None:
    async with gadget(broker_url, mqtt_prefix) as device:
        await device.say(f"{prefix}/switch/bomb/config", {"cmd_t": f"{mqtt_prefix}/bomb/set", "obj_id": "bomb"})
        async with running(devices_at(broker_url, prefix)) as devices:
            first = await devices.carry_out(Order("switch.bomb", "turn_on"))
            second = await devices.carry_out(Order("switch.bomb", "turn_on"))
        await device.told(2)
        assert [first.kind, second.kind] == ["sent", "sent"]
        assert devices.house.condition("switch.bomb").assumed


async def test_a_silent_device_is_not_said_to_have_obeyed_and_a_late_one_is_reported(
    broker_url: str, mqtt_prefix: str, prefix: str
) -> None:
    events: list[object] = []
    async with gadget(broker_url, mqtt_prefix) as device:
        await announce_lamp(device, prefix)
        async with running(devices_at(broker_url, prefix, 80, events)) as devices:
            order = Order("light.lamp", "turn_on")
            outcome = await devices.carry_out(order)
            assert (outcome.kind, outcome.state) == ("silent", None)
            assert 75 <= outcome.ms < 1000
            await device.told()
            await device.say(f"{mqtt_prefix}/lamp/state", "ON")
            await until(lambda: bool(events))
    assert isinstance(events[0], ConfirmedLate)
    assert (events[0].order, events[0].state, len(events)) == (order, "on", 1)


async def test_a_lying_device_is_silent_and_its_own_word_is_kept(
    broker_url: str, mqtt_prefix: str, prefix: str
) -> None:
    async with gadget(broker_url, mqtt_prefix) as device:
        device.answer = lambda _topic, _payload: [("lamp/state", "OFF")]
        await announce_lamp(device, prefix)
        async with running(devices_at(broker_url, prefix, 150)) as devices:
            outcome = await devices.carry_out(Order("light.lamp", "turn_on"))
            assert (outcome.kind, outcome.state) == ("silent", "off")


async def test_an_unavailable_device_is_told_nothing(broker_url: str, mqtt_prefix: str, prefix: str) -> None:
    async with gadget(broker_url, mqtt_prefix) as device:
        await announce_lamp(device, prefix, avty_t=f"{mqtt_prefix}/lamp/here")
        await device.say(f"{mqtt_prefix}/lamp/here", "offline")
        async with running(devices_at(broker_url, prefix)) as devices:
            assert (await devices.carry_out(Order("light.lamp", "turn_on"))).kind == "unavailable"
            device.answer = obeying()
            await device.say(f"{mqtt_prefix}/lamp/here", "online")
            await until(lambda: devices.house.condition("light.lamp").available is True)
            assert (await devices.carry_out(Order("light.lamp", "turn_on"))).kind == "confirmed"
        assert device.got == [("lamp/set", b"ON")]


async def test_two_orders_to_one_lamp_are_served_one_after_the_other(
    broker_url: str, mqtt_prefix: str, prefix: str
) -> None:
    async with gadget(broker_url, mqtt_prefix) as device:
        device.answer = obeying()
        await announce_lamp(device, prefix)
        async with running(devices_at(broker_url, prefix)) as devices:
            orders = [Order("light.lamp", "turn_on" if i % 2 == 0 else "turn_off") for i in range(10)]
            outcomes = await asyncio.gather(*map(devices.carry_out, orders))
        assert [outcome.kind for outcome in outcomes] == ["confirmed"] * 10
        assert [payload for _, payload in device.got] == [b"ON", b"OFF"] * 5


async def test_a_device_that_cannot_says_so_in_portuguese(broker_url: str, mqtt_prefix: str, prefix: str) -> None:
    async with gadget(broker_url, mqtt_prefix) as device:
        await announce_lamp(device, prefix)
        async with running(devices_at(broker_url, prefix)) as devices:
            with pytest.raises(CannotDo, match="luz, não tem ajuste de brilho"):
                await devices.carry_out(Order("light.lamp", "set_brightness", 50))
        assert device.got == []


async def test_mordomo_tells_the_broker_whether_it_is_there(fresh_broker: EmbeddedBroker) -> None:
    async with gadget(fresh_broker.url, "t") as watcher:
        await watcher.client.subscribe("mordomo/status", qos=1)
        async with running(devices_at(fresh_broker.url, "homeassistant")):
            await watcher.told(1)
        await watcher.told(2)
        assert [payload for _, payload in watcher.got] == [b"online", b"offline"]


async def test_the_broker_for_trials_serves_too() -> None:
    with short_folder() as folder:
        async with (
            EmbeddedBroker(folder / "data", kind="amqtt") as broker,
            gadget(broker.url, "t") as device,
        ):
            device.answer = obeying()
            await announce_lamp(device, "homeassistant")
            await device.say("t/lamp/state", "OFF")
            async with running(devices_at(broker.url, "homeassistant")) as devices:
                assert devices.house.condition("light.lamp").state == "off"
                assert (await devices.carry_out(Order("light.lamp", "turn_on"))).kind == "confirmed"
