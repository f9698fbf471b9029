"""Announcements as makers publish them, and as nobody should."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.devices.discovery import MAX_PAYLOAD, BadAnnouncement, announced
from daemon.devices.entity import Entity, Presence, Report
from daemon.devices.naming import MAX_NAME, MAX_SLUG, clean_name, slug


def one(component: str, config: dict[str, Any], topic: str = "obj") -> Entity:
    (entity,) = announced("homeassistant", f"homeassistant/{component}/{topic}/config", json.dumps(config).encode())
    return entity


def test_a_tasmota_dimmer_with_abbreviations_and_a_base() -> None:
    entity = one(
        "light",
        {
            "name": "Luz da Sala", "stat_t": "~tele/STATE", "avty_t": "~tele/LWT", "pl_avail": "Online",
            "pl_not_avail": "Offline", "cmd_t": "~cmnd/POWER", "pl_on": "ON", "pl_off": "OFF",
            "val_tpl": "{{ value_json.POWER }}", "bri_cmd_t": "~cmnd/Dimmer", "bri_stat_t": "~tele/STATE",
            "bri_scl": 100, "on_cmd_type": "brightness", "bri_val_tpl": "{{ value_json.Dimmer }}",
            "uniq_id": "DC4F22_LI_1", "~": "sala/", "dev": {"ids": ["DC4F22"], "sa": "Sala"},
        },
        "DC4F22_LI_1",
    )  # fmt: skip
    assert (entity.id, entity.name, entity.area) == ("light.dc4f22_li_1", "Luz da Sala", "Sala")
    assert entity.reports == (
        Report("sala/tele/STATE", "state", "{{ value_json.POWER }}"),
        Report("sala/tele/STATE", "brightness", "{{ value_json.Dimmer }}"),
    )
    assert entity.presences == (Presence("sala/tele/LWT", "Online", "Offline"),)
    assert entity.abilities == {"brightness"}
    assert entity.config["command_topic"] == "sala/cmnd/POWER"


def test_a_zigbee2mqtt_lamp_with_the_json_schema_and_a_nameless_entity() -> None:
    entity = one(
        "light",
        {
            "availability": [
                {"topic": "zigbee2mqtt/bridge/state", "value_template": "{{ value_json.state }}"},
                {"topic": "zigbee2mqtt/abajur/availability", "value_template": "{{ value_json.state }}"},
            ],
            "availability_mode": "all", "brightness": True, "brightness_scale": 254,
            "command_topic": "zigbee2mqtt/abajur/set", "default_entity_id": "light.abajur",
            "device": {"identifiers": ["zigbee2mqtt_0x1"], "name": "abajur", "suggested_area": "Quarto"},
            "name": None, "object_id": "ignored", "origin": {"name": "Zigbee2MQTT", "sw": "2.1"}, "schema": "json",
            "state_topic": "zigbee2mqtt/abajur", "supported_color_modes": ["xy", "color_temp"],
            "unique_id": "0x1_light_zigbee2mqtt",
        },
        "0x1/light",
    )  # fmt: skip
    assert (entity.id, entity.name, entity.device_name) == ("light.abajur", None, "abajur")
    assert entity.reports == (Report("zigbee2mqtt/abajur", "json_light"),)
    assert len(entity.presences) == 2
    assert (entity.presence_mode, entity.origin) == ("all", "Zigbee2MQTT")
    assert entity.abilities == {"brightness", "color", "color_temp"}


def test_a_device_with_components_shares_its_options() -> None:
    found = announced(
        "ha",
        "ha/device/ar/config",
        json.dumps(
            {
                "dev": {"ids": "ar1", "name": "Ar", "sa": "Sala"}, "o": {"name": "x"}, "~": "ar", "avty_t": "~/lwt",
                "stat_t": "~/estado",
                "cmps": {
                    "temp": {"p": "sensor", "dev_cla": "temperature", "unit_of_meas": "°C", "uniq_id": "ar_temp",
                             "val_tpl": "{{ value_json.t }}"},
                    "rele": {"p": "switch", "cmd_t": "~/set", "uniq_id": "ar_rele", "stat_t": "~/rele"},
                    "gone": {"p": "sensor"},
                },
            }
        ).encode(),
    )  # fmt: skip
    sensor, switch = found
    assert (sensor.id, sensor.unit, sensor.device_class) == ("sensor.ar_temp", "°C", "temperature")
    assert sensor.reports == (Report("ar/estado", "state", "{{ value_json.t }}"),)
    assert (switch.config["command_topic"], switch.reports[0].topic) == ("ar/set", "ar/rele")
    assert sensor.presences == switch.presences == (Presence("ar/lwt"),)
    assert sensor.source != switch.source


@pytest.mark.parametrize("payload", [b"", b'{"migrate_discovery": true}'])
def test_nothing_left_is_removal(payload: bytes) -> None:
    assert announced("ha", "ha/light/a/config", payload) == ()


def test_an_unknown_component_is_kept_as_seen() -> None:
    entity = one("teleporter", {"name": "Cortador", "activity_state_topic": "a", "x": {"y": 1}})
    assert entity.config["x"] == {"y": 1}
    assert entity.reports == ()


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        ("ha/light/config", b"{}"),
        ("ha/a/b/c/d/config", b"{}"),
        ("ha/light/a/config", b"{" * 5000),
        ("ha/light/a/config", b"[" * 100_000 + b"]" * 100_000),
        ("ha/light/a/config", b'"text"'),
        ("ha/light/a/config", b"\xff\xfe\x00"),
        ("ha/light/a/config", b'{"bri_scl": Infinity}'),
        ("ha/light/a/config", b'{"n": ' + b"9" * 10_000 + b"}"),
        ("ha/light/a/config", b'{"a": "' + b"x" * MAX_PAYLOAD + b'"}'),
        ("ha/device/a/config", b'{"name": "no components"}'),
        ("ha/device/a/config", b'{"cmps": {"x": {"name": "no platform"}}}'),
        ("ha/device/a/config", b'{"cmps": {"x": "not an object"}}'),
    ],
)
def test_what_is_malformed_is_refused(topic: str, payload: bytes) -> None:
    with pytest.raises(BadAnnouncement):
        announced("ha", topic, payload)


@pytest.mark.parametrize(
    "topic",
    [
        "#",
        "a/#",
        "+",
        "+/+",
        "a/+",
        "+/b",
        "a/x+/b/c",
        "/+/",
        "a\u0000b",
        "",
        7,
        None,
        "x" * 2000,
        "$SYS/broker",
        "mordomo/say",
    ],
)
def test_topics_that_no_device_may_have_are_left_out(topic: object) -> None:
    entity = one("switch", {"state_topic": topic, "command_topic": topic})
    assert entity.reports == ()
    assert "command_topic" not in entity.config


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("  luz\n\tda \u0000sala  ", "luz da sala"),
        ("💡 lâmpada", "💡 lâmpada"),
        ("\u202eevil\u202c", "evil"),
        ("'; DROP TABLE actions; --", "'; DROP TABLE actions; --"),
        ("", None),
        ("\u200b\u200b", None),
        (["list"], None),
        (3, None),
    ],
)
def test_hostile_names_are_data_on_one_line(name: object, shown: str | None) -> None:
    assert one("light", {"name": name}).name == shown


def test_a_name_of_ten_thousand_characters_is_capped() -> None:
    entity = one("light", {"name": "é" * 10_000, "object_id": "Á" * 10_000})
    assert entity.name == "é" * MAX_NAME
    assert entity.id == "light." + "a" * MAX_SLUG


def test_an_entity_whose_id_is_all_strange_still_has_one() -> None:
    assert one("light", {"object_id": "日本", "unique_id": "💡"}, "日").id == "light.sem_nome"


@given(st.text())
def test_names_and_slugs_are_always_small_and_plain(text: str) -> None:
    name = clean_name(text)
    assert name is None or (0 < len(name) <= MAX_NAME and "\n" not in name and "\0" not in name)
    assert set(slug(text)) <= set("abcdefghijklmnopqrstuvwxyz0123456789_")


@given(st.binary(max_size=200))
def test_any_bytes_are_entities_or_refused(payload: bytes) -> None:
    with suppress(BadAnnouncement):
        announced("ha", "ha/light/a/config", payload)


SETTINGS = settings(max_examples=60, deadline=None)
JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8) | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
KNOWN_KEYS = st.sampled_from(
    ["name", "dev", "o", "avty", "avty_t", "~", "stat_t", "cmd_t", "val_tpl", "schema", "sup_clrm", "cmps", "bri_scl"]
)


@SETTINGS
@given(st.dictionaries(KNOWN_KEYS, JSON, max_size=8), st.sampled_from(["light", "device", "climate", "cover"]))
def test_any_object_is_entities_or_refused(config: dict[str, Any], component: str) -> None:
    with suppress(BadAnnouncement):
        announced("ha", f"ha/{component}/a/config", json.dumps(config).encode())


def test_a_refused_template_takes_its_report_away_but_keeps_the_lamp() -> None:
    entity = one("light", {"stat_t": "s", "cmd_t": "c", "val_tpl": "{% macro x() %}{% endmacro %}"})
    assert entity.reports == ()
    assert entity.problems == ("Macro is not allowed",)
    assert entity.config["command_topic"] == "c"
