"""Templates that tell time, in the household's zone, as devices in the field write them."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from daemon.devices.house import House
from daemon.devices.template import BadTemplate, compiled

NOW = datetime(2026, 11, 21, 15, 30, tzinfo=UTC)
HOME = NOW.astimezone(ZoneInfo("America/Sao_Paulo"))


def rendered(source: str, **variables: Any) -> str:
    return compiled(source)({"_now": HOME, **variables})


@pytest.mark.parametrize(
    ("source", "value", "result"),
    [
        ("{{ now().isoformat() }}", None, "2026-11-21T12:30:00-03:00"),
        ("{{ utcnow().strftime('%H:%M') }}", None, "15:30"),
        ("{{ now() }}", None, "2026-11-21 12:30:00-03:00"),
        ("{{ (now() - timedelta(seconds=value_json.uptime_s)).isoformat() }}", {"uptime_s": 90},
         "2026-11-21T12:28:30-03:00"),
        ("{{ now() + timedelta(minutes=value_json | int) }}", "15", "2026-11-21 12:45:00-03:00"),
        ("{{ as_timestamp(now()) | int }}", None, "1795275000"),
        ("{{ (as_timestamp(now()) - as_timestamp(value_json)) | round }}", "2026-11-21T15:29:00Z", "60"),
        ("{{ (now() - as_datetime(value_json)).total_seconds() | int }}", 1795274940, "60"),
        ("{{ value_json | as_timestamp }}", "2026-11-21T12:30:00", "1795275000.0"),
        ("{{ value_json | timestamp_custom('%d.%m. %H:%M') }}", 1795275000, "21.11. 12:30"),
        ("{{ value_json | timestamp_custom('%H:%M', false) }}", "1795275000", "15:30"),
        ("{{ value_json | timestamp_local }}", 1795275000, "2026-11-21T12:30:00-03:00"),
        ("{{ value_json | timestamp_utc }}", 1795275000, "2026-11-21T15:30:00+00:00"),
        ("{{ strptime(value_json, '%d.%m.%Y').date().isoformat() }}", "05.03.2026", "2026-03-05"),
        ("{{ as_local(as_datetime(value_json)).hour }}", "2026-11-21T02:00:00+00:00", "23"),
        ("{{ now().weekday() in [5, 6] }}", None, "True"),
        ("{{ today_at('13:00') > now() }}", None, "True"),
        ("{{ as_timedelta(value_json).total_seconds() }}", "1 01:00:05", "90005.0"),
        ("{{ as_timestamp(value_json, 0) }}", "ontem", "0"),
        ("{{ value_json | as_timestamp('nunca') }}", "ontem", "nunca"),
        ("{{ as_datetime(value_json) }}", "ontem", "None"),
        ("{{ value_json | timestamp_local }}", "ontem", "ontem"),
        ("{{ now().replace(hour=0, minute=0, second=0, microsecond=0).timestamp() | int }}", None, "1795230000"),
    ],
)  # fmt: skip
def test_time_is_told(source: str, value: object, result: str) -> None:
    assert rendered(source, value_json=value) == result


@pytest.mark.parametrize(
    "source",
    [
        "{{ now().strftime('%c' * 2) }}",
        "{{ now().strftime(value_json) }}",
        "{{ now().strftime(format=value_json) }}",
        "{{ 1 | timestamp_custom(value_json) | length > 500 }}{{ now().__class__ }}",
        "{{ now().tzinfo.utc }}",
        "{{ now().__reduce__() }}",
        "{{ timedelta(days=1e308) }}",
        "{{ timedelta(days=999999999) + now() }}",
        "{{ now() + now() }}",
        "{{ now }}",
        "{{ now().dst.__self__ }}",
        "{{ today_at('mais tarde') }}",
        "{{ now(1, 2) }}",
    ],
)
def test_what_would_hurt_or_makes_no_sense_is_refused(source: str) -> None:
    with pytest.raises(BadTemplate):
        rendered(source, value_json="%c" * 10_000)


def test_where_nobody_told_the_time_there_is_none() -> None:
    with pytest.raises(BadTemplate, match="no time"):
        compiled("{{ now() }}")({})


def test_the_households_zone_is_the_devices_zone() -> None:
    house = House()
    house.announce("homeassistant/sensor/x/config", b'{"obj_id":"x","stat_t":"s","val_tpl":"{{ now().hour }}"}')
    house.hear("s", b"1", NOW)
    first = house.condition("sensor.x").state
    house.household((), "America/Rio_Branco")
    house.hear("s", b"1", NOW)
    assert (first, house.condition("sensor.x").state) == ("12", "10")


@pytest.mark.parametrize(
    ("source", "told", "result"),
    [
        ("{{ value_json.a }}", {"a": 26.4}, "26.4"),
        (" {{ value_json['a']['b'] }}\n", {"a": {"b": "ON "}}, "ON"),
        ("{{ value_json.a }}", {"a": None}, "None"),
        ("{{ value_json.a }}", {"a": True}, "True"),
        ("{{ value_json.a }}", {}, ""),
        ("{{ value_json.a }}", {"a": {"b": 1}}, "{'b': 1}"),
        ("{{ value_json.a }}", {"a": [1, "x"]}, "[1, 'x']"),
        ("{{ value_json.items }}", {"items": 3}, "3"),
        ("{{ value_json.a }}{{ value_json.b }}", {"a": 1, "b": 2}, "12"),
        ("a{{ value_json.a }}", {"a": 1}, "a1"),
    ],
)
def test_the_short_way_of_most_templates_gives_what_the_long_one_does(source: str, told: object, result: str) -> None:
    assert rendered(source, value_json=told) == result


def test_the_short_way_refuses_what_the_long_one_does() -> None:
    for told in ({"a": 1}, {"a": "x"}, 5, None):
        with pytest.raises(BadTemplate):
            rendered("{{ value_json.a.b.c }}", value_json=told)
    with pytest.raises(BadTemplate):
        rendered("{{ value_json.a }}", value_json={"a": "x" * 20_000})
