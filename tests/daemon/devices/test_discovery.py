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
from daemon.devices.template import BadTemplate, compiled


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


@pytest.mark.parametrize(
    ("source", "value", "result"),
    [
        ("{{ value_json.state }}", '{"state": "ON"}', "ON"),
        ("{{ value_json.update.state }}", '{"update": {"state": "idle"}}', "idle"),
        ("{{ value_json['a b'] }}", '{"a b": 3}', "3"),
        ("{{ value_json.missing }}", "{}", ""),
        ("{{ 'OFF' if value_json.value == 0 else 'ON' }}", '{"value": 0}', "OFF"),
        ("{{ value_json.value[0:2] | int(0, 16) }}", '{"value": "ff00"}', "255"),
        ("{% if value_json.t is defined %}{{ value_json.t | float / 10 | round(1) }}{% endif %}", '{"t": 215}', "21.5"),
        ("{% set v = {None: None, 'idle': 'off'} %}{{ v[value_json.s] }}", '{"s": "idle"}', "off"),
        ("{{ '%0.1f' | format(value | float) }}", "21.55", "21.6"),
        ("{{ value.split(',')[1] | trim | upper }}", "a, b", "B"),
        ("{{ value | replace(',', '.') }}", "3,5", "3.5"),
        ("{{ value_json.get('x', 7) }}", "{}", "7"),
        ("{{ value }}", "not json", "not json"),
        ("{{ value_json.Color.split(',')[0:3]|join(',') }}", '{"Color": "1,2,3,4"}', "1,2,3"),
        ("{{ value_json.l | map(attribute='n') | join('-') }}", '{"l": [{"n": 1}, {"n": 2}]}', "1-2"),
        ("{{ value_json.l | selectattr('n', 'gt', 1) | list | length }}", '{"l": [{"n": 1}, {"n": 2}]}', "1"),
        ("{{ value | regex_findall_index('\\\\d+') }}", "sala 21 graus", "21"),
        ("{{ value | regex_replace('[^0-9]', '') }}", "21 °C", "21"),
        ("{{ value | truncate(5, True, '', 0) }}", "comprido", "compr"),
        ("{% if is_number(value) %}{{ float(value) + 1 }}{% endif %}", "2", "3.0"),
        ("{% for k, v in value_json.items() %}{{ k }}={{ v }};{% endfor %}", '{"a": 1, "b": 2}', "a=1;b=2;"),
        ("{{ value_json.b | bitwise_and(4) > 0 }}", '{"b": 6}', "True"),
        ("{{ iif(value_json.on, 'ON', 'OFF') }}", '{"on": true}', "ON"),
        ("{{ value.__class__ }}", "what Python has is not there", ""),
    ],
)
def test_templates_that_makers_write(source: str, value: str, result: str) -> None:
    variables: dict[str, object] = {"value": value}
    with suppress(ValueError):
        variables["value_json"] = json.loads(value)
    assert compiled(source)(variables) == result


@pytest.mark.parametrize(
    "source",
    [
        "{% for x in range(10**9) %}x{% endfor %}",
        "{{ 'a' * 1000000000 }}",
        "{{ 9 ** 99999999 }}",
        "{{ ''.__class__.__mro__ }}",
        "{{ cycler.__init__.__globals__ }}",
        "{{ lipsum() }}",
        "{{ namespace() }}",
        "{% set x = value ~ value %}" + "{% set x = x ~ x %}" * 12 + "{{ x | length }}",
        "{% set x = [value] %}" + "{% set x = [x, x] %}" * 12 + "{{ x == [] }}",
        "{% set n = namespace(x=value) %}{% for i in range(40) %}{% set n.x = n.x + n.x %}{% endfor %}{{ n.x | length }}",
        "{% set n = namespace(x=[1]) %}{% for i in range(40) %}{% set n.x = [n.x, n.x] %}{% endfor %}{{ 1 }}",
        "{% set n = namespace(x=[1]) %}{% for i in range(40) %}{% set n.x = n.x + n.x %}{% endfor %}{{ 1 }}",
        "{% set n = namespace(x=2) %}{% for i in range(999) %}{% set n.x = n.x * n.x %}{% endfor %}{{ 1 }}",
        "{% for a in range(999) %}{% for b in range(999) %}{% for c in range(999) %}{% endfor %}{% endfor %}{% endfor %}",
        "{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}",
        "{% for x in range(3) %}{{ _allowance }}{% endfor %}",
        "{{ value | _rounds(1) }}",
        "{{ value | regex_replace('(a+)+$', '') }}",
        "{{ value | regex_match('a*a*a*a*a*b') }}",
        "{{ value | regex_search('a{1,}' * 9) }}",
        "{{ dict.__init__.__globals__ }}",
        "{{ namespace.__init__.__globals__ }}",
        "{{ ['a', 'b'] | map('format', value) }}",
        "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
        "{% include 'x' %}",
        "{{ '%1000000000d' | format(1) }}",
        "{{ '{:>1000000000}'.format(1) }}",
        "{{ 'a' | center(1000000000) }}",
        "{{ value.center(1000000000) }}",
        "{{ value" + " | replace('a', 'aaaaaaaaaaaaaaaaaaaa')" * 50 + " }}",
        "{{ value" + " | tojson" * 200 + " }}",
        "{{ '%s%s%s%s' | format(value, value, value, value) }}" * 60,
        "{{ value }}" * 300,
        "{{ value ~ " + "value ~ " * 60 + "value }}",
        "{{ " + "(" * 2000 + "1" + ")" * 2000 + " }}",
        "{{ value_json | map('upper') }}",
        "{{ unclosed",
        "x" * 5000,
    ],
)
def test_templates_that_would_hurt_are_refused(source: str) -> None:
    with pytest.raises(BadTemplate):
        compiled(source)({"value": "a" * 2000 + '"\\', "value_json": [1]})


def test_a_button_of_zigbee2mqtt_tells_what_was_done_to_it() -> None:
    patterns = """[
{"pattern": '^(?P<button>(?:button_)?[a-z0-9]+)_(?P<action>(?:press|hold)(?:_release)?)$',
 "groups": ["button", "action"]},
{"pattern": '^(?P<action>dial_rotate)_(?P<direction>left|right)_(?P<speed>step|slow|fast)$',
 "groups": ["action", "direction", "speed"]}]"""
    template = compiled(
        "{% set patterns = " + patterns + " %}{% set action_value = value_json.action|default('') %}"
        "{% set ns = namespace(r=[('action', action_value)]) %}{% for p in patterns %}"
        "{% set m = action_value|regex_findall(p.pattern) %}{% if m[0] is undefined %}{% continue %}{% endif %}"
        "{% for key, value in zip(p.groups, m[0]) %}"
        "{% set ns.r = ns.r|rejectattr(0, 'eq', key)|list + [(key, value)] %}{% endfor %}{% endfor %}"
        "{% set ns.r = ns.r + [('event_type', ns.r|selectattr(0, 'eq', 'action')|map(attribute=1)|first)] %}"
        "{{dict.from_keys(ns.r|rejectattr(0, 'in', ('action', 'actionPrefix'))"
        "|reject('eq', ('event_type', None))|reject('eq', ('event_type', '')))|to_json}}"
    )
    told = [
        template({"value_json": {"action": action}}) for action in ("left_press", "dial_rotate_left_slow", "on", "")
    ]
    assert told == [
        '{"button":"left","event_type":"press"}',
        '{"direction":"left","speed":"slow","event_type":"dial_rotate"}',
        '{"event_type":"on"}',
        "{}",
    ]


def test_a_refused_template_takes_its_report_away_but_keeps_the_lamp() -> None:
    entity = one("light", {"stat_t": "s", "cmd_t": "c", "val_tpl": "{% macro x() %}{% endmacro %}"})
    assert entity.reports == ()
    assert entity.problems == ("Macro is not allowed",)
    assert entity.config["command_topic"] == "c"
