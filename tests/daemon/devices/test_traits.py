"""What the language is told of a thing beside its state: words, bounds, steps, and readings about the device itself."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from daemon.devices.house import House

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def house_with(component: str, config: dict[str, Any]) -> House:
    house = House()
    house.announce(f"homeassistant/{component}/x/config", json.dumps({"obj_id": "x", **config}).encode())
    return house


def attributes(house: House) -> dict[str, object]:
    (thing,) = house.household().things
    return dict(thing.attributes)


@pytest.mark.parametrize(
    ("component", "config", "told"),
    [
        ("select", {"cmd_t": "c", "ops": ["manhã", "noite", 7]}, {"options": ("manhã", "noite")}),
        ("number", {"cmd_t": "c", "min": 5, "max": 60, "step": 5, "unit_of_meas": "min"},
         {"min": 5, "max": 60, "step": 5, "unit_of_measurement": "min"}),
        ("number", {"cmd_t": "c"}, {"min": 1, "max": 100, "step": 1}),
        ("climate", {"mode_cmd_t": "c", "modes": ["off", "cool"], "temp_cmd_t": "t", "min_temp": 16, "max_temp": 30,
                     "temp_step": 0.5, "fan_mode_cmd_t": "f", "swing_mode_cmd_t": "s", "swing_modes": ["on", "off"]},
         {"hvac_modes": ("off", "cool"), "fan_modes": ("auto", "low", "medium", "high"), "swing_modes": ("on", "off"),
          "min_temp": 16, "max_temp": 30, "target_temp_step": 0.5}),
        ("climate", {"temp_cmd_t": "t", "temp_unit": "F", "min_temp": 50, "max_temp": 86},
         {"min_temp": 10, "max_temp": 30, "target_temp_step": 1}),
        ("fan", {"cmd_t": "c", "pct_cmd_t": "p", "spd_rng_max": 3, "pr_mode_cmd_t": "m", "pr_modes": ["brisa"]},
         {"percentage_step": 33.3, "preset_modes": ("brisa",)}),
        ("light", {"cmd_t": "c", "fx_cmd_t": "e", "fx_list": ["pisca"], "clr_temp_cmd_t": "t", "min_mirs": 200,
                   "max_mirs": 400},
         {"color_temp": True, "effect_list": ("pisca",), "min_color_temp_kelvin": 2500, "max_color_temp_kelvin": 5000}),
        ("humidifier", {"cmd_t": "c", "hum_cmd_t": "h", "min_hum": 30, "max_hum": 80, "mode_cmd_t": "m",
                        "modes": ["sono"]}, {"available_modes": ("sono",), "min_humidity": 30, "max_humidity": 80}),
        ("water_heater", {"mode_cmd_t": "m", "modes": ["off", "eco"], "temp_cmd_t": "t"},
         {"operation_list": ("off", "eco"), "min_temp": 43.3, "max_temp": 60}),
        ("siren", {"cmd_t": "c", "av_tones": ["grave"]}, {"available_tones": ("grave",)}),
        ("vacuum", {"cmd_t": "c", "set_fan_spd_t": "f", "fanspd_lst": ["max"]}, {"fan_speed_list": ("max",)}),
        ("switch", {"cmd_t": "c"}, {}),
        ("select", {"cmd_t": "c", "ops": "nenhuma"}, {}),
    ],
)  # fmt: skip
def test_what_may_be_set_is_told_by_home_assistants_names(
    component: str, config: dict[str, Any], told: dict[str, object]
) -> None:
    assert attributes(house_with(component, config)) == told


def test_a_list_without_end_is_cut() -> None:
    house = house_with("select", {"cmd_t": "c", "ops": [f"opção {number}" for number in range(5000)]})
    options = attributes(house)["options"]
    assert isinstance(options, tuple)
    assert len(options) == 200


def test_of_the_attributes_only_what_tells_of_the_device_is_kept() -> None:
    house = house_with("light", {"stat_t": "s", "json_attr_t": "s", "schema": "json"})
    said = {"state": "ON", "battery": 87, "linkquality": 120, "battery_low": False, "rssi": -61.5, "last_seen": "ontem",
            "update": {"state": "idle"}, "color_mode": "xy", "x": "y" * 5000}  # fmt: skip
    house.hear("s", json.dumps(said).encode(), NOW)
    assert attributes(house) == {"battery": 87, "linkquality": 120, "battery_low": False, "rssi": -61.5}


def test_an_attribute_is_a_number_or_one_short_line() -> None:
    house = house_with("switch", {"stat_t": "s", "json_attr_t": "a"})
    house.hear("a", json.dumps({"linkquality": "x\n" + "y" * 400, "battery": [1], "rssi": {"a": 1}}).encode(), NOW)
    assert house.condition("switch.x").attributes == {"linkquality": "x " + "y" * 78}


@pytest.mark.parametrize("said", ["[1]", "87", '{"linkquality":1e999}', "{"])
def test_attributes_that_are_none_are_refused(said: str) -> None:
    house = house_with("switch", {"stat_t": "s", "json_attr_t": "a"})
    house.hear("a", said.encode(), NOW)
    assert house.condition("switch.x").attributes == {}
    assert house.refused


def test_the_template_takes_the_attributes_out() -> None:
    house = house_with(
        "switch",
        {"stat_t": "s", "json_attr_t": "a", "json_attr_tpl": "{{ {'battery': value_json.bat | int} | to_json }}"},
    )
    house.hear("a", b'{"bat":"41"}', NOW)
    assert attributes(house) == {"battery": 41}


def test_a_radio_that_wavers_makes_no_history_and_the_language_knows_it_all_the_same() -> None:
    house = house_with("switch", {"stat_t": "s", "val_tpl": "{{ value_json.state }}", "json_attr_t": "s"})
    for second in range(100):
        said = json.dumps({"state": "ON", "linkquality": second}).encode()
        house.hear("s", said, NOW + timedelta(seconds=second))
        assert attributes(house)["linkquality"] == second
    assert len(house.journal.due(NOW, 1000, settled=True).history) == 1
    assert house.condition("switch.x").changed_at == NOW
