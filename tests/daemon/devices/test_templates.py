"""Templates as makers write them, and as nobody should."""

import json
from contextlib import suppress

import pytest

from daemon.devices.template import BadTemplate, compiled


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
