"""An order to an entity becomes the messages its maker wants, and the goal that tells when it is done. Pure.

Source of topics, payloads and scales: Home Assistant's MQTT components. Commands are never retained, even where an
announcement asks for it: a device that comes back hours later must not obey an old one.
"""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from daemon.devices.discovery import number
from daemon.devices.entity import Aspect, Condition, Entity
from daemon.devices.order import Command, Goal, Order
from daemon.devices.template import BadTemplate, compiled
from daemon.errors import CannotDo


@dataclass(slots=True)
class _Ask:
    entity: Entity
    condition: Condition
    name: str
    value: float | None
    messages: list[tuple[str, bytes]] = field(default_factory=list)

    def text(self, key: str, default: str) -> str:
        return str(self.entity.config.get(key, default))

    def send(self, topic_key: str, payload: str, template_key: str | None = None, **variables: object) -> bool:
        """Add a message, through the entity's own template where it has one; False where it has no such topic."""
        topic = self.entity.config.get(topic_key)
        if not isinstance(topic, str):
            return False
        template = self.entity.config.get(template_key or "")
        if isinstance(template, str):
            try:
                payload = compiled(template)({"value": payload, **variables})
            except BadTemplate:
                raise self.cannot("recebe os comandos de um jeito que eu não entendo") from None
        self.messages.append((topic, payload.encode()))
        return True

    def goal(self, aspect: Aspect, goal: Goal) -> Goal | None:
        """Return the goal if some topic tells this aspect, else None: the entity is optimistic."""
        told = self.entity.hears(aspect) or self.entity.hears("json_light")
        return goal if told or (aspect == "state" and self.entity.hears("position")) else None

    def percent(self) -> float:
        if self.value is None or not 0 <= self.value <= 100:
            raise CannotDo(f"Para {self.name}, preciso de um valor de 0 a 100 por cento.")
        return self.value

    def cannot(self, why: str) -> CannotDo:
        return CannotDo(f"Esse aparelho, {self.name}, {why}.")


def command(entity: Entity, condition: Condition, name: str, order: Order) -> Command:
    """Return what to publish for `order`. Raises CannotDo, with what to say, where the entity has no such ability."""
    ask = _Ask(entity, condition, name, order.value)
    make = _VERBS.get((entity.component, order.verb))
    if make is None:
        raise ask.cannot(_CANNOT.get(order.verb, "não faz isso"))
    goal, assumed = make(ask)
    if not ask.messages:
        raise ask.cannot(_CANNOT.get(order.verb, "não faz isso"))
    return Command(tuple(ask.messages), goal, assumed)


Made = tuple[Goal | None, str | None]


def _on_off(ask: _Ask, state: Literal["on", "off"]) -> Made:
    ask.send("command_topic", ask.text(f"payload_{state}", state.upper()), "command_template")
    return ask.goal("state", Goal(frozenset({state}))), state


def _toggled(on: Callable[[_Ask], Made], off: Callable[[_Ask], Made]) -> Callable[[_Ask], Made]:
    return lambda ask: (off if ask.condition.state in {"on", "open", "opening"} else on)(ask)


def _turn_on(ask: _Ask) -> Made:
    return _on_off(ask, "on")


def _turn_off(ask: _Ask) -> Made:
    return _on_off(ask, "off")


def _light_on(ask: _Ask) -> Made:
    return _light(ask, "on", None)


def _light_off(ask: _Ask) -> Made:
    return _light(ask, "off", None)


def _light_brightness(ask: _Ask) -> Made:
    percent = ask.percent()
    if "brightness" not in ask.entity.abilities:
        raise ask.cannot(_CANNOT["set_brightness"])
    return _light(ask, "on", percent) if percent > 0 else _light(ask, "off", None)


def _light(ask: _Ask, state: Literal["on", "off"], percent: float | None) -> Made:
    scale = number(ask.entity.config, "brightness_scale", 255)
    raw = None if percent is None else max(1, min(round(scale), round(percent * scale / 100)))
    schema = ask.entity.config.get("schema")
    if schema == "json":
        said: dict[str, object] = {"state": state.upper()}
        if raw is not None:
            said["brightness"] = raw
        ask.send("command_topic", json.dumps(said, separators=(",", ":")))
    elif schema == "template":
        if isinstance(ask.entity.config.get(f"command_{state}_template"), str):
            variables = {"state": state} if raw is None else {"state": state, "brightness": raw}
            ask.send("command_topic", "", f"command_{state}_template", **variables)
    else:
        _basic_light(ask, state, raw, round(scale))
    goal = Goal(frozenset({state}))
    if percent is not None and (ask.entity.hears("brightness") or schema == "json"):
        goal = Goal(frozenset({state}), reading="brightness_pct", value=percent, tolerance=max(1.0, 60 / scale))
    return ask.goal("state", goal), state


def _basic_light(ask: _Ask, state: Literal["on", "off"], raw: int | None, scale: int) -> None:
    kind = ask.entity.config.get("on_command_type", "last")
    if state == "on" and kind == "brightness" and raw is None:
        known = ask.condition.attributes.get("brightness_pct")
        raw = max(1, round(known * scale / 100)) if isinstance(known, int) and known > 0 else scale
    plain = not (state == "on" and kind == "brightness")
    if plain and (kind == "first" or raw is None):
        ask.send("command_topic", ask.text(f"payload_{state}", state.upper()))
    if raw is not None:
        ask.send("brightness_command_topic", str(raw), "brightness_command_template", value=raw)
    if plain and kind != "first" and raw is not None:
        ask.send("command_topic", ask.text(f"payload_{state}", state.upper()))


def _open(ask: _Ask) -> Made:
    return _move(ask, "open", "opening", 100)


def _close(ask: _Ask) -> Made:
    return _move(ask, "close", "closing", 0)


def _move(ask: _Ask, word: Literal["open", "close"], moving: str, percent: int) -> Made:
    if ask.entity.config.get(f"payload_{word}", "") is None or not ask.send(
        "command_topic", ask.text(f"payload_{word}", word.upper()), "command_template"
    ):
        _position(ask, percent)
    state = "open" if word == "open" else "closed"
    reading = "current_position" if ask.entity.hears("position") else None
    goal = Goal(frozenset({state}), frozenset({moving}), reading, percent, reading_counts=False)
    return ask.goal("state", goal), state


def _stop(ask: _Ask) -> Made:
    if ask.entity.config.get("payload_stop", "") is None:
        raise ask.cannot(_CANNOT["stop"])
    ask.send("command_topic", ask.text("payload_stop", "STOP"), "command_template")
    return ask.goal("state", Goal(not_states=frozenset({"opening", "closing"}))), None


def _set_position(ask: _Ask) -> Made:
    percent = ask.percent()
    if "position" not in ask.entity.abilities:
        if percent in {0, 100}:
            return _open(ask) if percent else _close(ask)
        raise ask.cannot(_CANNOT["set_position"])
    _position(ask, percent)
    goal = Goal(moving=frozenset({"opening", "closing"}), reading="current_position", value=percent, tolerance=2)
    return ask.goal("position", goal), "open" if percent else "closed"


def _position(ask: _Ask, percent: float) -> None:
    closed, opened = number(ask.entity.config, "position_closed", 0), number(ask.entity.config, "position_open", 100)
    has_template = "set_position_template" in ask.entity.config
    raw = percent if has_template else closed + (opened - closed) * percent / 100
    ask.send("set_position_topic", str(round(raw)), "set_position_template",
             value=round(raw), position=round(percent), position_open=round(opened), position_closed=round(closed),
             entity_id=ask.entity.id)  # fmt: skip


def _lock(ask: _Ask) -> Made:
    ask.send("command_topic", ask.text("payload_lock", "LOCK"), "command_template")
    return ask.goal("state", Goal(frozenset({"locked"}))), "locked"


def _unlock(ask: _Ask) -> Made:
    ask.send("command_topic", ask.text("payload_unlock", "UNLOCK"), "command_template")
    return ask.goal("state", Goal(frozenset({"unlocked"}))), "unlocked"


def _speed(ask: _Ask) -> Made:
    percent = ask.percent()
    if percent == 0:
        return _turn_off(ask)
    low, high = number(ask.entity.config, "speed_range_min", 1), number(ask.entity.config, "speed_range_max", 100)
    raw = math.ceil((high - low + 1) * percent / 100 + low - 1)
    ask.send("percentage_command_topic", str(raw), "percentage_command_template", value=raw)
    step = 100 / max(1.0, high - low + 1)
    states = frozenset({"on"}) if ask.entity.hears("state") else frozenset()
    goal = Goal(states, reading="percentage", value=percent, tolerance=max(1.0, step))
    return ask.goal("percentage", goal), "on"


def _climate_on(ask: _Ask) -> Made:
    on = frozenset({"auto", "cool", "heat", "heat_cool", "dry", "fan_only", "on"})
    if not ask.send("power_command_topic", ask.text("payload_on", "ON"), "power_command_template"):
        modes = ask.entity.config.get("modes")
        offered = [mode for mode in modes if isinstance(mode, str)] if isinstance(modes, list) else ["auto", "cool"]
        # In Brazil who turns the air conditioner on wants it cool.
        mode = next((mode for mode in ("cool", "auto", "heat_cool", "heat", *offered) if mode in offered), "cool")
        ask.send("mode_command_topic", mode, "mode_command_template")
    told = ask.entity.hears("state") or ask.entity.hears("power")
    return Goal(on) if told else None, "on"


def _climate_off(ask: _Ask) -> Made:
    if not ask.send("power_command_topic", ask.text("payload_off", "OFF"), "power_command_template"):
        ask.send("mode_command_topic", "off", "mode_command_template")
    told = ask.entity.hears("state") or ask.entity.hears("power")
    return Goal(frozenset({"off"})) if told else None, "off"


def _temperature(ask: _Ask) -> Made:
    fahrenheit = ask.entity.config.get("temperature_unit") == "F"
    low = number(ask.entity.config, "min_temp", 45 if fahrenheit else 7)
    high = number(ask.entity.config, "max_temp", 95 if fahrenheit else 35)
    if fahrenheit:
        low, high = (low - 32) / 1.8, (high - 32) / 1.8
    degrees = ask.value
    if degrees is None or not low <= degrees <= high:
        raise CannotDo(f"Em {ask.name} a temperatura vai de {low:.0f} a {high:.0f} graus.")
    raw = round(degrees * 1.8 + 32, 1) if fahrenheit else float(degrees)
    ask.send("temperature_command_topic", str(raw), "temperature_command_template", value=raw)
    return ask.goal("temperature", Goal(reading="temperature", value=degrees, tolerance=0.3)), None


def _press(ask: _Ask) -> Made:
    ask.send("command_topic", ask.text("payload_press", "PRESS"), "command_template")
    return None, None


def _scene(ask: _Ask) -> Made:
    ask.send("command_topic", ask.text("payload_on", "ON"), "command_template")
    return None, None


_VERBS: Mapping[tuple[str, str], Callable[[_Ask], Made]] = {
    ("light", "turn_on"): _light_on,
    ("light", "turn_off"): _light_off,
    ("light", "toggle"): _toggled(_light_on, _light_off),
    ("light", "set_brightness"): _light_brightness,
    **{(component, verb): make for component in ("switch", "fan", "siren", "humidifier")
       for verb, make in (("turn_on", _turn_on), ("turn_off", _turn_off), ("toggle", _toggled(_turn_on, _turn_off)))},
    ("fan", "set_speed"): _speed,
    **{(component, verb): make for component in ("cover", "valve")
       for verb, make in (("open", _open), ("turn_on", _open), ("close", _close), ("turn_off", _close),
                          ("toggle", _toggled(_open, _close)), ("stop", _stop), ("set_position", _set_position))},
    ("lock", "lock"): _lock,
    ("lock", "unlock"): _unlock,
    ("climate", "turn_on"): _climate_on,
    ("climate", "turn_off"): _climate_off,
    ("climate", "set_temperature"): _temperature,
    ("button", "press"): _press,
    ("button", "turn_on"): _press,
    ("scene", "press"): _scene,
    ("scene", "turn_on"): _scene,
}  # fmt: skip

_CANNOT: Mapping[str, str] = {
    "turn_on": "não tem como ligar por aqui",
    "turn_off": "não tem como desligar por aqui",
    "toggle": "não tem como ligar nem desligar por aqui",
    "set_brightness": "não tem ajuste de brilho",
    "open": "não tem como abrir por aqui",
    "close": "não tem como fechar por aqui",
    "stop": "não tem como parar no meio do caminho",
    "set_position": "só abre e fecha de todo",
    "lock": "não tem tranca que eu controle",
    "unlock": "não tem tranca que eu controle",
    "set_temperature": "não tem ajuste de temperatura",
    "press": "não tem botão que eu aperte",
    "set_speed": "não tem ajuste de velocidade",
}
