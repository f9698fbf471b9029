"""Tasmota's own announcements, beside what each of them means (makers/tasmota_native.yaml): how they come and go."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import yaml
from kept_rows import started
from mqtt_gadget import gadget, running, until
from support.clock import FakeClock

from daemon.clock import SystemClock
from daemon.devices.conditions import Last
from daemon.devices.house import House
from daemon.devices.link import Devices
from daemon.devices.order import Order
from db import devices as by_hand
from db.database import open_database

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
MAKERS = Path(__file__).with_name("makers")
PLUG = yaml.safe_load((MAKERS / "tasmota_native.yaml").read_text())["announced"][0]
TOPIC, TOLD = PLUG["topic"], PLUG["payload"]
((SENSORS, MEASURED),) = PLUG["also"].items()
RELAY = "switch.f17f56_rl_1"
POWER = "sensor.f17f56_energy_power"
OLD_TOPIC = "homeassistant/switch/F17F56_RL_1/config"
OLD_WAY = {
    "name": "Tomada", "stat_t": "tele/tasmota_F17F56/STATE", "avty_t": "tele/tasmota_F17F56/LWT",
    "pl_avail": "Online", "pl_not_avail": "Offline", "cmd_t": "cmnd/tasmota_F17F56/POWER",
    "val_tpl": "{{value_json.POWER}}", "pl_off": "OFF", "pl_on": "ON", "uniq_id": "F17F56_RL_1",
    "dev": {"ids": ["F17F56"], "name": "Tomada"},
}  # fmt: skip


def announce(house: House, topic: str, payload: object) -> None:
    house.announce(topic, payload if isinstance(payload, bytes) else json.dumps(payload).encode())


def ids(house: House) -> set[str]:
    return {entity.id for entity in house.entities}


def test_the_two_messages_may_come_in_either_order_and_each_may_go() -> None:
    house, other = House(), House()
    announce(house, TOPIC, TOLD)
    assert ids(house) == {RELAY}
    announce(house, SENSORS, MEASURED)
    announce(other, SENSORS, MEASURED)
    assert ids(other) == set()
    announce(other, TOPIC, TOLD)
    assert ids(house) == ids(other) == set(PLUG["entities"])
    house.announce(SENSORS, b"")
    assert ids(house) == {RELAY}
    other.announce(TOPIC, b"")
    assert ids(other) == set()
    assert house.topics
    assert other.topics == frozenset()


def test_an_update_keeps_what_is_known_and_the_same_again_changes_nothing() -> None:
    house = House()
    announce(house, TOPIC, TOLD)
    announce(house, SENSORS, MEASURED)
    house.hear("stat/tasmota_F17F56/RESULT", b'{"POWER":"ON"}', NOW)
    structure = house.structure
    announce(house, TOPIC, TOLD)
    announce(house, SENSORS, MEASURED)
    assert house.structure == structure
    announce(house, TOPIC, {**TOLD, "fn": ["Cafeteira", None]})
    assert (house.name(RELAY), house.condition(RELAY).state) == ("Cafeteira", "on")
    assert POWER in ids(house)


def test_a_device_that_was_announced_in_the_old_way_too_is_there_once_under_its_old_id() -> None:
    house, other = House(), House()
    for one in (house, other):
        announce(one, "homeassistant/light/other/config", {"obj_id": "other", "dev": {"ids": ["ABCDEF"]}})
    announce(house, OLD_TOPIC, OLD_WAY)
    house.hear("tele/tasmota_F17F56/STATE", b'{"POWER":"ON"}', NOW)
    assert ids(house) == {RELAY, "light.other"}
    announce(house, TOPIC, TOLD)
    announce(other, TOPIC, TOLD)
    announce(other, OLD_TOPIC, OLD_WAY)
    for one in (house, other):
        assert ids(one) == {RELAY, "light.other"}
        assert [entity.source for entity in one.entities if entity.id == RELAY] == [f"{TOPIC}#RL_1"]
    announce(house, TOPIC, b"")
    announce(house, OLD_TOPIC, OLD_WAY)
    assert [entity.source for entity in house.entities if entity.id == RELAY] == [OLD_TOPIC]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"mac": "E09806F17F57"}, "mac is not the topic's"),
        ({"ft": "casa/%topic%/"}, "its topic has no %prefix%"),
        ({"ft": None}, "its topic is missing"),
        ({"tp": ["cmnd"]}, "prefixes or words"),
        ({"state": ["OFF", None]}, "prefixes or words"),
    ],
)
def test_a_description_that_cannot_be_used_is_refused_and_says_why(change: dict[str, Any], why: str) -> None:
    house = House()
    announce(house, TOPIC, {**TOLD, **change})
    assert len(house) == 0
    assert any(told.startswith(why) for told in house.refused)


def test_two_devices_that_share_a_topic_are_not_both_taken() -> None:
    house = House()
    announce(house, TOPIC, TOLD)
    announce(house, TOPIC.replace("E09806", "AABBCC"), {**TOLD, "mac": "AABBCCF17F56"})
    assert ids(house) == {RELAY}
    assert house.refused["another device has the same topic"] == 1


@pytest.mark.parametrize(
    "payload",
    [
        b"{", b"[]", b"\xff", b"[" * 50_000 + b"]" * 50_000, b'{"a":"' + b"x" * 300_000 + b'"}',
        {**TOLD, "rl": "relés", "fn": 7, "so": [], "lt_st": "x", "sho": {}, "sht": [[1]], "swc": {"a": 1}},
        {**TOLD, "rl": [2] * 50_000, "lt_st": 99, "fn": [["x"]] * 40},
        {**TOLD, "rl": [3, 3, 3], "sht": [["a", 2, 3]], "t": "../#/+/$SYS", "hn": 5, "dn": "\u202e{{ 7 * 7 }}"},
        {**TOLD, "t": "mordomo", "ft": "mordomo/%prefix%/", "state": ["{{ range(9) }}", "'\"}}{% for %}", "", ""]},
    ],
)  # fmt: skip
def test_what_is_hostile_is_bounded_and_breaks_nothing(payload: object) -> None:
    house = House()
    announce(house, TOPIC, payload)
    announce(house, SENSORS, {"sn": {"A" * 500: {"x": 1}, "B": {"{{ x }}": 1, "'": [1] * 5000}, "C": 5, "D": {}}})
    assert len(house) <= 300
    for topic in house.topics:
        assert not topic.startswith(("mordomo/", "$"))
        assert "#" not in topic
        house.hear(topic, b'{"POWER":"ON","B":{"{{ x }}":1}}', NOW)
    assert all(not entity.problems for entity in house.entities if entity.component != "light")
    house.household()


def test_a_device_is_asked_how_it_is_whenever_it_comes_on_line() -> None:
    house = House()
    announce(house, TOPIC, TOLD)
    announce(house, SENSORS, MEASURED)
    house.hear("tele/tasmota_F17F56/LWT", b"Online", NOW, retained=True)
    asked = {("cmnd/tasmota_F17F56/STATE", ""), ("cmnd/tasmota_F17F56/STATUS", "10")}
    assert set(house.take_asking()) == asked
    assert house.take_asking() == ()
    house.hear("tele/tasmota_F17F56/LWT", b"Offline", NOW)
    assert house.take_asking() == ()
    house.hear("tele/tasmota_F17F56/LWT", b"Online", NOW)
    assert set(house.take_asking()) == asked


def test_what_it_answers_at_the_start_is_what_the_table_has_or_changed_unheard() -> None:
    house = House()
    announce(house, TOPIC, TOLD)
    since, action = NOW - timedelta(days=1), uuid4()
    house.remember({RELAY: Last("on", since, "mordomo", action)})
    house.hear("stat/tasmota_F17F56/RESULT", b'{"POWER":"ON"}', NOW)
    same = house.condition(RELAY)
    assert (same.state, same.changed_at, same.cause, same.action_id) == ("on", since, "mordomo", action)
    house.hear("stat/tasmota_F17F56/RESULT", b'{"POWER":"OFF"}', NOW)
    assert house.condition(RELAY).cause == "house"


async def test_a_name_that_was_given_before_the_firmware_was_renewed_stays(database_url: str) -> None:
    async with open_database(database_url) as db:
        kept = started(db, database_url, FakeClock())
        announce(kept.house, OLD_TOPIC, OLD_WAY)
        await kept.rows.write()
        await by_hand.rename(db, RELAY, "cafeteira")
        again = await kept.again()
        announce(again.house, TOPIC, TOLD)
        await again.rows.write()
        await again.arrangement.refresh()
        assert again.house.name(RELAY) == "cafeteira"
        (row,) = await by_hand.listed(db, removed=True)
        assert (row.source, row.given_name) == (f"{TOPIC}#RL_1", "cafeteira")


def test_what_another_declared_by_hand_stays() -> None:
    house = House()
    house.declare("climate.f17f56", json.dumps({"mode_cmd_t": "c", "dev": {"ids": ["F17F56"]}}).encode())
    announce(house, TOPIC, TOLD)
    assert ids(house) == {RELAY, "climate.f17f56"}


async def test_over_a_broker_a_tasmota_is_found_asked_and_commanded(broker_url: str, mqtt_prefix: str) -> None:
    told = {**TOLD, "ft": f"{mqtt_prefix}/%topic%/%prefix%/"}
    base = f"{mqtt_prefix}/tasmota_F17F56"
    async with gadget(broker_url, base) as device:
        await device.client.subscribe(f"{base}/cmnd/+")
        await device.say(f"{base}/tele/LWT", "Online")
        await device.say(TOPIC, told)
        await device.say(SENSORS, MEASURED)
        device.answer = lambda topic, payload: {
            ("cmnd/STATE", b""): [("stat/RESULT", '{"POWER":"OFF"}')],
            ("cmnd/STATUS", b"10"): [("stat/STATUS10", '{"StatusSNS":{"ENERGY":{"Power":7}}}')],
            ("cmnd/Power1", b"ON"): [("stat/RESULT", '{"POWER":"ON"}')],
        }.get((topic, payload), [])
        try:
            async with running(Devices(broker_url, SystemClock(), lambda: 5000, f"{mqtt_prefix}/ha")) as devices:
                await until(lambda: devices.house.condition(RELAY).state == "off")
                await until(lambda: devices.house.condition(POWER).state == "7")
                assert (await devices.carry_out(Order(RELAY, "turn_on"))).kind == "confirmed"
        finally:
            await device.say(TOPIC, "")
            await device.say(SENSORS, "")
