"""Orders become the exact bytes that makers expect, and goals know when they are reached."""

import json
from typing import Any

import pytest

from daemon.devices.commands import command
from daemon.devices.discovery import announced
from daemon.devices.entity import Condition, Entity
from daemon.devices.order import Order, Verb
from daemon.errors import CannotDo

JSON_LIGHT = {"schema": "json", "cmd_t": "c", "stat_t": "s", "brightness": True, "bri_scl": 254}
DIMMER = {"cmd_t": "c", "stat_t": "s", "bri_cmd_t": "b", "bri_stat_t": "bs"}
COVER = {"cmd_t": "c", "stat_t": "s", "set_pos_t": "p", "pos_t": "ps"}
CLIMATE = {
    "mode_cmd_t": "m",
    "mode_stat_t": "ms",
    "temp_cmd_t": "t",
    "temp_stat_t": "ts",
    "min_temp": 16,
    "max_temp": 30,
}
FAN = {"cmd_t": "c", "stat_t": "s", "pct_cmd_t": "p", "pct_stat_t": "ps", "spd_rng_max": 3}


def entity(component: str, config: dict[str, Any]) -> Entity:
    (found,) = announced("ha", f"ha/{component}/x/config", json.dumps(config).encode())
    return found


def sent(
    component: str, config: dict[str, Any], verb: Verb, value: float | None = None, **known: Any
) -> list[tuple[str, str]]:
    thing = entity(component, config)
    condition = Condition(**known)
    messages = command(thing, condition, "lâmpada", Order(thing.id, verb, value)).messages
    return [(topic, payload.decode()) for topic, payload in messages]


@pytest.mark.parametrize(
    ("component", "config", "verb", "value", "messages"),
    [
        ("light", JSON_LIGHT, "turn_on", None, [("c", '{"state":"ON"}')]),
        ("light", JSON_LIGHT, "turn_off", None, [("c", '{"state":"OFF"}')]),
        ("light", JSON_LIGHT, "set_brightness", 50, [("c", '{"state":"ON","brightness":127}')]),
        ("light", JSON_LIGHT, "set_brightness", 100, [("c", '{"state":"ON","brightness":254}')]),
        ("light", JSON_LIGHT, "set_brightness", 0.1, [("c", '{"state":"ON","brightness":1}')]),
        ("light", JSON_LIGHT, "set_brightness", 0, [("c", '{"state":"OFF"}')]),
        ("light", DIMMER, "turn_on", None, [("c", "ON")]),
        ("light", DIMMER, "set_brightness", 50, [("b", "128"), ("c", "ON")]),
        ("light", {**DIMMER, "on_cmd_type": "first"}, "set_brightness", 20, [("c", "ON"), ("b", "51")]),
        ("light", {**DIMMER, "on_cmd_type": "brightness", "bri_scl": 100}, "set_brightness", 30, [("b", "30")]),
        ("light", {**DIMMER, "on_cmd_type": "brightness", "bri_scl": 100}, "turn_on", None, [("b", "100")]),
        ("light", {**DIMMER, "on_cmd_type": "brightness", "bri_scl": 100}, "turn_off", None, [("c", "OFF")]),
        ("light", {**DIMMER, "pl_on": "1", "pl_off": "0"}, "turn_off", None, [("c", "0")]),
        ("light", {**DIMMER, "bri_cmd_tpl": '{"dim": {{ value }} }'}, "set_brightness", 100,
         [("b", '{"dim": 255 }'), ("c", "ON")]),
        ("light", {"schema": "template", "cmd_t": "c", "cmd_on_tpl": "on,{{ brightness|d }}", "cmd_off_tpl": "off",
                   "bri_tpl": "{{ value.split(',')[1] }}"}, "set_brightness", 40, [("c", "on,102")]),
        ("switch", {"cmd_t": "c", "pl_on": True, "pl_off": False}, "turn_on", None, [("c", "True")]),
        ("switch", {"cmd_t": "c", "cmd_tpl": '{"relay":"{{ value }}"}'}, "turn_off", None, [("c", '{"relay":"OFF"}')]),
        ("fan", FAN, "turn_on", None, [("c", "ON")]),
        ("fan", FAN, "set_speed", 50, [("p", "2")]),
        ("fan", FAN, "set_speed", 100, [("p", "3")]),
        ("fan", FAN, "set_speed", 0, [("c", "OFF")]),
        ("cover", COVER, "open", None, [("c", "OPEN")]),
        ("cover", COVER, "close", None, [("c", "CLOSE")]),
        ("cover", COVER, "stop", None, [("c", "STOP")]),
        ("cover", COVER, "set_position", 25, [("p", "25")]),
        ("cover", {**COVER, "pos_open": 0, "pos_clsd": 255}, "set_position", 20, [("p", "204")]),
        ("cover", {**COVER, "set_pos_tpl": '{"position": {{ position }} }'}, "set_position", 20,
         [("p", '{"position": 20 }')]),
        ("cover", {"set_pos_t": "p", "pos_t": "ps"}, "open", None, [("p", "100")]),
        ("cover", {"cmd_t": "c", "stat_t": "s"}, "set_position", 0, [("c", "CLOSE")]),
        ("lock", {"cmd_t": "c", "stat_t": "s"}, "lock", None, [("c", "LOCK")]),
        ("lock", {"cmd_t": "c", "stat_t": "s", "pl_unlk": "abre"}, "unlock", None, [("c", "abre")]),
        ("climate", CLIMATE, "set_temperature", 22, [("t", "22.0")]),
        ("climate", {**CLIMATE, "temp_unit": "F", "min_temp": 60, "max_temp": 86}, "set_temperature", 20, [("t", "68.0")]),
        ("climate", {**CLIMATE, "modes": ["off", "heat", "cool"]}, "turn_on", None, [("m", "cool")]),
        ("climate", CLIMATE, "turn_off", None, [("m", "off")]),
        ("climate", {**CLIMATE, "pow_cmd_t": "w"}, "turn_off", None, [("w", "OFF")]),
        ("button", {"cmd_t": "c"}, "press", None, [("c", "PRESS")]),
        ("scene", {"cmd_t": "c", "pl_on": "go"}, "press", None, [("c", "go")]),
    ],
)  # fmt: skip
def test_the_bytes_are_those_the_maker_expects(
    component: str, config: dict[str, Any], verb: Verb, value: float | None, messages: list[tuple[str, str]]
) -> None:
    assert sent(component, config, verb, value) == messages


@pytest.mark.parametrize(("known", "payload"), [("on", "OFF"), ("off", "ON"), (None, "ON")])
def test_toggle_goes_to_the_other_state(known: str | None, payload: str) -> None:
    assert sent("switch", {"cmd_t": "c", "stat_t": "s"}, "toggle", state=known) == [("c", payload)]


@pytest.mark.parametrize(
    ("component", "config", "verb", "value", "say"),
    [
        ("light", {"cmd_t": "c"}, "set_brightness", 50, "não tem ajuste de brilho"),
        ("light", JSON_LIGHT, "set_brightness", 101, "de 0 a 100"),
        ("light", JSON_LIGHT, "set_brightness", None, "de 0 a 100"),
        ("light", JSON_LIGHT, "set_brightness", float("nan"), "de 0 a 100"),
        ("light", {"name": "no topic"}, "turn_on", None, "não tem como ligar"),
        ("light", JSON_LIGHT, "open", None, "não tem como abrir"),
        ("cover", {"cmd_t": "c"}, "set_position", 50, "só abre e fecha de todo"),
        ("cover", {"cmd_t": "c", "pl_stop": None}, "stop", None, "não tem como parar"),
        ("climate", CLIMATE, "set_temperature", 40, "de 16 a 30 graus"),
        ("climate", {"mode_cmd_t": "m"}, "set_temperature", 20, "não tem ajuste de temperatura"),
        ("fan", {"cmd_t": "c"}, "set_speed", 50, "não tem ajuste de velocidade"),
        ("sensor", {"stat_t": "s"}, "turn_on", None, "não tem como ligar"),
        ("event", {"stat_t": "c"}, "turn_on", None, "não tem como ligar"),
        ("switch", {"cmd_t": "c", "cmd_tpl": "{% macro x() %}{% endmacro %}"}, "turn_on", None, "não entendo"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_said(
    component: str, config: dict[str, Any], verb: Verb, value: float | None, say: str
) -> None:
    with pytest.raises(CannotDo) as refused:
        sent(component, config, verb, value)
    assert say in refused.value.say


def goal_of(component: str, config: dict[str, Any], verb: Verb, value: float | None = None) -> Any:
    thing = entity(component, config)
    return command(thing, Condition(), "x", Order(thing.id, verb, value)).goal


def test_a_white_light_is_as_bright_as_it_was_and_awaited_only_where_the_lamp_tells_of_it() -> None:
    config = {"cmd_t": "c", "stat_t": "s", "rgb_cmd_t": "r", "rgb_stat_t": "rs", "whit_cmd_t": "w"}
    white = Order("light.x", "set_color", (255, 255, 255))
    silent = command(entity("light", config), Condition(attributes={"brightness_pct": 40}), "x", white)
    telling = command(entity("light", {**config, "clrm_stat_t": "m"}), Condition(), "x", white)
    assert silent.messages == (("w", b"102"), ("c", b"ON"))
    assert (silent.goal, silent.assumed) == (None, "on")
    assert telling.goal is not None
    assert telling.goal.reached(Condition("on", {"color": (255, 255, 255)}))


def test_a_goal_is_reached_when_the_device_says_so() -> None:
    on = goal_of("light", JSON_LIGHT, "turn_on")
    assert on.reached(Condition("on"))
    assert not on.reached(Condition("off"))
    assert not on.reached(Condition(None))
    half = goal_of("light", JSON_LIGHT, "set_brightness", 50)
    assert half.reached(Condition("on", {"brightness_pct": 51}))
    assert not half.reached(Condition("on", {"brightness_pct": 80}))
    assert not half.reached(Condition("off", {"brightness_pct": 50}))
    assert not half.reached(Condition("on"))


def test_what_takes_its_time_has_obeyed_once_it_is_on_its_way() -> None:
    close = goal_of("cover", COVER, "close")
    was_open = Condition("open", {"current_position": 100})
    assert close.obeyed(Condition("closing", {"current_position": 100}), was_open)
    assert close.obeyed(Condition("open", {"current_position": 90}), was_open)
    assert not close.obeyed(Condition("open", {"current_position": 100}), was_open)
    assert not close.reached(Condition("closing", {"current_position": 50}))
    lock = goal_of("lock", {"cmd_t": "c", "stat_t": "s"}, "lock")
    assert not lock.obeyed(Condition("locking"), Condition("unlocked"))
    assert lock.obeyed(Condition("locked"), Condition("unlocked"))


def test_stopped_is_whatever_does_not_move() -> None:
    stop = goal_of("cover", COVER, "stop")
    assert stop.reached(Condition("open"))
    assert not stop.reached(Condition("opening"))
    assert not stop.reached(Condition(None))


def test_without_a_topic_that_would_tell_there_is_nothing_to_wait_for() -> None:
    assert goal_of("light", {"cmd_t": "c"}, "turn_on") is None
    assert goal_of("climate", {"temp_cmd_t": "t", "mode_stat_t": "m"}, "set_temperature", 20) is None
    assert goal_of("scene", {"cmd_t": "c"}, "press") is None
