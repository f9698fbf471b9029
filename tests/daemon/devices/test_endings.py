"""States that end by themselves: `off_delay` and `expire_after`, with the time that the test tells."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from mqtt_gadget import gadget, running, until
from support.clock import FakeClock

from daemon.devices.entity import Condition
from daemon.devices.house import House
from daemon.devices.link import Devices

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


class Told:
    """A house with one device, and its time."""

    def __init__(self, component: str, **config: Any) -> None:
        self.house = House()
        self.entity = f"{component}.x"
        payload = json.dumps({"obj_id": "x", "stat_t": "s", **config}).encode()
        self.house.announce(f"homeassistant/{component}/x/config", payload)

    def say(self, payload: str, at_s: float, *, topic: str = "s", retained: bool = False) -> Condition:
        self.house.hear(topic, payload.encode(), NOW + timedelta(seconds=at_s), retained=retained)
        return self.house.condition(self.entity)

    def later(self, at_s: float) -> Condition:
        self.house.end_what_is_due(NOW + timedelta(seconds=at_s))
        return self.house.condition(self.entity)


def test_a_movement_is_over_after_its_delay_and_that_is_told_as_a_change() -> None:
    told = Told("binary_sensor", off_dly=30)
    assert told.say("ON", 0).state == "on"
    assert told.later(29.9).state == "on"
    ended = told.later(30)
    assert (ended.state, ended.cause, ended.changed_at) == ("off", "house", NOW + timedelta(seconds=30))
    assert told.house.household().things[0].state == "off"
    assert len(told.house.journal.due(NOW, 10, settled=True).history) == 2


def test_each_movement_begins_the_delay_anew_and_off_ends_it() -> None:
    told = Told("binary_sensor", off_dly=30)
    told.say("ON", 0)
    told.say("ON", 20)
    assert told.later(45).state == "on"
    assert told.later(50).state == "off"
    told.say("ON", 60)
    told.say("OFF", 70)
    told.say("ON", 80)
    assert told.later(95).state == "on"


def test_a_movement_that_the_broker_kept_is_not_seen_again_on_each_connection() -> None:
    told = Told("binary_sensor", off_dly=30)
    assert told.say("ON", 0, retained=True).state == "on"
    assert told.say("ON", 20, retained=True).state == "on"
    assert told.later(30).state == "off"
    assert told.say("ON", 40, retained=True).state == "off"
    assert told.say("ON", 50).state == "on"


def test_a_sensor_that_says_nothing_for_too_long_is_away_until_it_speaks() -> None:
    told = Told("sensor", exp_aft=60)
    assert told.say("21.5", 0).available is None
    told.say("21.5", 50)
    assert told.later(109).available is None
    gone = told.later(110)
    assert (gone.state, gone.available) == ("21.5", False)
    assert told.house.household().things[0].attributes["available"] is False
    assert told.say("21.5", 200).available is None
    assert told.later(259).available is None
    assert told.later(260).available is False


def test_what_the_broker_kept_is_no_sign_of_life_but_starts_a_clock_that_stands() -> None:
    told = Told("sensor", exp_aft=60)
    told.say("21.5", 0, retained=True)
    told.say("21.5", 50, retained=True)  # a new connection: the same message again
    assert told.later(60).available is False
    assert told.say("21.5", 70, retained=True).available is None
    assert told.later(130).available is False


def test_a_device_that_says_it_is_there_is_away_all_the_same_while_a_sensor_of_it_is_silent() -> None:
    told = Told("sensor", exp_aft=60, avty_t="a")
    told.say("online", 0, topic="a")
    assert told.say("21.5", 0).available is True
    assert told.later(60).available is False
    assert told.say("online", 70, topic="a").available is False
    assert told.say("22", 80).available is True
    assert told.say("offline", 90, topic="a").available is False


def test_attributes_of_the_device_are_no_sign_of_life_of_its_reading() -> None:
    told = Told("sensor", exp_aft=60, json_attr_t="attributes")
    told.say("21.5", 0)
    told.say('{"linkquality":90}', 59, topic="attributes")
    assert told.later(60).available is False


def test_what_has_left_the_house_ends_no_more() -> None:
    told = Told("binary_sensor", off_dly=30, exp_aft=60)
    told.say("ON", 0)
    told.house.announce("homeassistant/binary_sensor/x/config", b"")
    assert told.house.end_what_is_due(NOW + timedelta(hours=1)) == ()


@pytest.mark.parametrize("delay", [0, -5, "nunca", None, 1e300, True])
def test_a_delay_that_is_none_ends_nothing_too_soon(delay: object) -> None:
    told = Told("binary_sensor", off_dly=delay, exp_aft=delay)
    told.say("ON", 0)
    assert told.later(0.5).state == "on"


def test_entities_without_such_an_end_set_no_clock() -> None:
    told = Told("binary_sensor")
    told.say("ON", 0)
    assert not told.house.conditions.deadlines.news.is_set()


async def test_a_clock_that_is_set_anew_ends_nothing(broker_url: str, mqtt_prefix: str) -> None:
    clock = FakeClock()
    devices = Devices(broker_url, clock, lambda: 2000, f"{mqtt_prefix}/ha")
    async with gadget(broker_url, mqtt_prefix) as device:
        config = {"obj_id": "x", "stat_t": f"{mqtt_prefix}/x", "off_dly": 30}
        await device.say(f"{mqtt_prefix}/ha/binary_sensor/x/config", config)
        async with running(devices):
            await device.say(f"{mqtt_prefix}/x", "ON", retain=False)
            for jump_s in (86_400, -7200):
                await until(clock.pending)
                clock.jump(jump_s)
                clock.advance(1)
            await until(clock.pending)
            assert devices.house.condition("binary_sensor.x").state == "on"
            clock.advance(29)
            await until(lambda: devices.house.condition("binary_sensor.x").state == "off")


async def test_over_the_link_a_state_ends_with_time_also_with_the_time_of_a_lost_link(
    broker_url: str, mqtt_prefix: str
) -> None:
    clock = FakeClock()
    devices = Devices(broker_url, clock, lambda: 2000, f"{mqtt_prefix}/ha")
    async with gadget(broker_url, mqtt_prefix) as device:
        for name in ("porta", "corredor"):
            config = {"obj_id": name, "stat_t": f"{mqtt_prefix}/{name}", "off_dly": 30}
            await device.say(f"{mqtt_prefix}/ha/binary_sensor/{name}/config", config)
        async with running(devices):
            await device.say(f"{mqtt_prefix}/porta", "ON", retain=False)
            await until(lambda: devices.house.condition("binary_sensor.porta").state == "on")
            await until(clock.pending)
            clock.advance(30)
            await until(lambda: devices.house.condition("binary_sensor.porta").state == "off")
            await device.say(f"{mqtt_prefix}/corredor", "ON", retain=True)
            await until(lambda: devices.house.condition("binary_sensor.corredor").state == "on")
        clock.advance(3600)
        assert devices.house.condition("binary_sensor.corredor").state == "on"
        async with running(devices):
            await until(lambda: devices.house.condition("binary_sensor.corredor").state == "off")
