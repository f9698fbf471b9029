"""The house as its devices tell it, without a broker: what is known, named, bounded and forgotten."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from daemon.devices.house import House

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
DEMO = {"o": {"name": "mordomo-demo"}}


def announce(house: House, component: str, name: str, config: dict[str, Any] | None = None, topic: str = "") -> None:
    payload = json.dumps({"obj_id": name, **(config or {})}).encode()
    house.announce(f"homeassistant/{component}/{topic or name}/config", payload)


def hear(house: House, topic: str, said: object, now: datetime = NOW) -> tuple[str, ...]:
    return house.hear(topic, said if isinstance(said, bytes) else json.dumps(said).encode(), now)


def test_a_lamp_is_a_thing_with_its_abilities_readings_and_area() -> None:
    house = House()
    config = {"name": "Luz", "schema": "json", "stat_t": "s", "brightness": True, "dev": {"name": "Sala", "sa": "sala"}}
    announce(house, "light", "sala", config)
    hear(house, "s", {"state": "ON", "brightness": 128, "color": {"r": 0, "g": 127, "b": 255}})
    (thing,) = house.household(("Ana",), "America/Bahia").things
    assert (thing.id, thing.domain, thing.name, thing.area, thing.state) == ("light.sala", "light", "Luz", "sala", "on")
    assert thing.attributes == {"brightness": True, "brightness_pct": 50, "color": (0, 127, 255)}
    assert house.condition("light.sala").changed_at == NOW
    assert house.household(("Ana",), "America/Bahia").areas[0].name == "sala"


@pytest.mark.parametrize(
    ("component", "config", "said", "state", "attributes"),
    [
        ("switch", {"val_tpl": "{{ value_json.POWER }}"}, b'{"POWER":"ON"}', "on", {}),
        ("switch", {"pl_on": "1", "stat_on": "ligado"}, b"ligado", "on", {}),
        ("binary_sensor", {"pl_on": True, "val_tpl": "{{ value_json.o }}"}, b'{"o": true}', "on", {}),
        ("sensor", {"val_tpl": "{{ value_json.t }}"}, b'{"t": 26.4}', "26.4", {}),
        ("lock", {}, b"LOCKED", "locked", {}),
        ("lock", {}, b"JAMMED", "jammed", {}),
        ("cover", {}, b"opening", "opening", {}),
        ("cover", {}, b"stopped", "open", {}),
        ("cover", {"stat_t": None, "pos_t": "s", "pos_open": 0, "pos_clsd": 100}, b"75", "open",
         {"current_position": 25}),
        ("cover", {"stat_t": None, "pos_t": "s"}, b"0", "closed", {"current_position": 0}),
        ("fan", {"pct_stat_t": "s", "stat_t": None, "spd_rng_max": 3}, b"2", None, {"percentage": 67}),
        ("climate", {"mode_stat_t": "s"}, b"COOL", "cool", {}),
        ("climate", {"curr_temp_t": "s", "temp_unit": "F"}, b"77", None, {"current_temperature": 25.0}),
        ("light", {"bri_stat_t": "s", "stat_t": None, "bri_scl": 254}, b"1", None, {"brightness_pct": 1}),
        ("light", {"clr_temp_stat_t": "s", "stat_t": None}, b"370", None, {"color_temp_kelvin": 2702}),
        ("light", {"rgb_stat_t": "s", "stat_t": None}, b"255,0,9", None, {"color": (255, 0, 9)}),
        ("light", {"schema": "json"}, b'{"state":"ON","color_temp":370}', "on", {"color_temp_kelvin": 2702}),
        ("switch", {}, b"None", None, {}),
        ("vacuum", {}, b"docked", "docked", {}),
    ],
)  # fmt: skip
def test_each_component_is_read_in_its_own_words(
    component: str, config: dict[str, Any], said: bytes, state: str | None, attributes: dict[str, object]
) -> None:
    house = House()
    announce(house, component, "x", {"stat_t": "s", **config})
    assert hear(house, "s", said) == (f"{component}.x",)
    condition = house.condition(f"{component}.x")
    assert (condition.state, dict(condition.attributes)) == (state, attributes)


@pytest.mark.parametrize("said", [b"\xff", b"", b"BLUE", b"{", b"9" * 400, b"x" * 300_000])
def test_what_cannot_be_read_leaves_the_state_as_it_was(said: bytes) -> None:
    house = House()
    announce(house, "light", "x", {"stat_t": "s", "bri_stat_t": "b"})
    hear(house, "s", b"ON")
    hear(house, "b", b"100")
    before = house.condition("light.x")
    assert hear(house, "s", said) == ()
    assert hear(house, "b", said) == ()
    assert house.condition("light.x") == before


def test_a_partial_report_changes_only_what_it_tells() -> None:
    house = House()
    announce(house, "light", "x", {"stat_t": "s", "val_tpl": "{{ value_json.state }}", "bri_stat_t": "s",
                                   "bri_val_tpl": "{{ value_json.brightness }}"})  # fmt: skip
    hear(house, "s", {"state": "ON", "brightness": 255})
    hear(house, "s", {"state": "OFF"})
    condition = house.condition("light.x")
    assert (condition.state, condition.attributes["brightness_pct"]) == ("off", 100)


@pytest.mark.parametrize(
    ("mode", "first", "second", "available"),
    [
        ("all", "online", "offline", False),
        ("any", "online", "offline", True),
        ("any", "offline", "offline", False),
        ("latest", "offline", "online", True),
        ("latest", "online", "offline", False),
    ],
)
def test_presence_follows_its_mode(mode: str, first: str, second: str, available: bool) -> None:
    house = House()
    announce(house, "light", "x", {"avty": [{"t": "a"}, {"t": "b"}], "avty_mode": mode})
    assert house.condition("light.x").available is None
    hear(house, "a", first.encode())
    hear(house, "b", second.encode())
    assert house.condition("light.x").available is available
    hear(house, "b", b"neither")
    assert house.condition("light.x").available is available
    assert (house.household().things[0].attributes.get("available") is False) is not available


def test_an_update_keeps_what_is_known_and_removal_forgets_it() -> None:
    house = House()
    announce(house, "light", "x", {"name": "velho", "stat_t": "s"})
    hear(house, "s", b"ON")
    announce(house, "light", "x", {"name": "novo", "stat_t": "s"})
    assert house.household().things[0].name == "novo"
    assert house.condition("light.x").state == "on"
    house.announce("homeassistant/light/x/config", b"")
    assert len(house) == 0
    assert house.topics == frozenset()
    assert house.household().things == ()


def test_a_component_left_out_of_a_devices_update_is_gone() -> None:
    house = House()
    both = {"cmps": {"a": {"p": "switch", "obj_id": "a"}, "b": {"p": "switch", "obj_id": "b"}}}
    house.announce("homeassistant/device/d/config", json.dumps(both).encode())
    assert {entity.id for entity in house.entities} == {"switch.a", "switch.b"}
    house.announce("homeassistant/device/d/config", json.dumps({"cmps": {"b": both["cmps"]["b"]}}).encode())
    assert {entity.id for entity in house.entities} == {"switch.b"}


def test_the_same_announcement_again_changes_nothing() -> None:
    house = House()
    announce(house, "light", "x", {"stat_t": "s"})
    household, structure = house.household(), house.structure
    announce(house, "light", "x", {"stat_t": "s"})
    assert house.structure == structure
    assert house.household() is household


def test_two_that_announce_one_id_are_told_apart_by_their_topics() -> None:
    house, other = House(), House()
    announce(house, "light", "sala", topic="one")
    announce(house, "light", "sala", topic="two")
    announce(other, "light", "sala", topic="one")
    announce(other, "light", "cozinha")
    announce(other, "light", "sala", topic="two")
    first, second = (entity.id for entity in house.entities)
    assert first == "light.sala"
    assert second.startswith("light.sala_")
    assert [entity.id for entity in other.entities] == [first, "light.cozinha", second]


def test_a_name_that_two_share_takes_its_devices_before_it() -> None:
    house = House()
    announce(house, "sensor", "a", {"name": "Temperatura", "dev": {"name": "Sensor da sala"}})
    assert house.name("sensor.a") == "Temperatura"
    announce(house, "sensor", "b", {"name": "temperatura", "dev": {"name": "Sensor do quarto"}})
    announce(house, "sensor", "c", {"name": None, "dev": {"name": "Relógio"}})
    announce(house, "light", "luz_do_corredor")
    assert house.name("sensor.a") == "Sensor da sala Temperatura"
    assert house.name("sensor.b") == "Sensor do quarto temperatura"
    assert house.name("sensor.c") == "Relógio"
    assert house.name("light.luz_do_corredor") == "luz do corredor"


def test_rooms_are_one_however_they_are_spelled() -> None:
    house = House()
    announce(house, "light", "a", {"dev": {"sa": "Sala"}})
    announce(house, "light", "b", {"dev": {"sa": "  sala "}})
    assert [area.name for area in house.household().areas] == ["Sala"]


def test_what_nobody_names_is_kept_but_not_offered() -> None:
    house = House()
    announce(house, "sensor", "linkquality", {"ent_cat": "diagnostic"})
    announce(house, "sensor", "hidden", {"en": False})
    announce(house, "device_automation", "button_press")
    announce(house, "select", "modo")
    assert len(house) == 4
    assert [thing.id for thing in house.household().things] == ["select.modo"]


def test_only_demo_says_whether_every_device_is_of_the_demonstration() -> None:
    house = House()
    empty = house.only_demo
    announce(house, "light", "a", DEMO)
    demo = house.only_demo
    announce(house, "light", "b")
    assert (empty, demo, house.only_demo) == (False, True, False)


def test_the_household_is_built_again_only_after_a_change() -> None:
    house = House()
    announce(house, "light", "a", {"stat_t": "s"})
    announce(house, "light", "b", {"stat_t": "t"})
    hear(house, "s", b"ON")
    household = house.household()
    hear(house, "s", b"ON", NOW + timedelta(seconds=5))
    assert house.household() is household
    assert house.condition("light.a").changed_at == NOW
    assert house.condition("light.a").heard_at == NOW + timedelta(seconds=5)
    hear(house, "s", b"OFF")
    assert house.household() is not household
    assert [thing.id for thing in house.household().things] == ["light.a", "light.b"]
    assert house.household().things[1] is household.things[1]


def test_the_house_is_bounded() -> None:
    house = House(max_entities=20, max_announced=2000)
    for number in range(50):
        announce(house, "light", f"l{number}")
    assert len(house) == 20
    announce(house, "light", "l0", {"icon": "x" * 3000})
    assert house.entity("light.l0") is not None
    assert house.refused["full"] == 31


def test_a_topic_that_goes_on_being_wrong_is_logged_once(capsys: pytest.CaptureFixture[str]) -> None:
    house = House()
    for _ in range(100):
        house.announce("homeassistant/light/bad/config", b"{")
    assert house.refused.total() == 100
    assert capsys.readouterr().out.count("mqtt_message_refused") == 1
