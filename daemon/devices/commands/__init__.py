"""An order to an entity becomes the messages its maker wants, and the goal that tells when it is done. Pure.

Source of topics, payloads and scales: Home Assistant's MQTT components. Commands are never retained, even where an
announcement asks for it: a device that comes back hours later must not obey an old one.
"""

from collections.abc import Callable, Mapping

from daemon.devices.commands import climate, cover, light, other, switch
from daemon.devices.commands.ask import Ask, Made
from daemon.devices.entity import Condition, Entity
from daemon.devices.order import Command, Order, Verb

__all__ = ["command", "verbs"]

_VERBS: Mapping[tuple[str, str], Callable[[Ask], Made]] = {
    (component, verb): make
    for part in (switch.VERBS, light.VERBS, cover.VERBS, climate.VERBS, other.VERBS)
    for component, made in part.items()
    for verb, make in made.items()
}


def command(entity: Entity, condition: Condition, name: str, order: Order) -> Command:
    """Return what to publish for `order`. Raises CannotDo, with what to say, where the entity has no such ability."""
    ask = Ask(entity, condition, name, order.value)
    make = _VERBS.get((entity.component, order.verb))
    if make is None:
        raise ask.cannot(_CANNOT.get(order.verb, "não faz isso"))
    goal, assumed = make(ask)
    if not ask.messages:
        raise ask.cannot(_CANNOT.get(order.verb, "não faz isso"))
    return Command(tuple(ask.messages), goal, assumed)


def verbs(component: str) -> frozenset[str]:
    """Return the verbs that entities of this component may have."""
    return frozenset(verb for known, verb in _VERBS if known == component)


_CANNOT: Mapping[Verb, str] = {
    "turn_on": "não tem como ligar por aqui",
    "turn_off": "não tem como desligar por aqui",
    "toggle": "não tem como ligar nem desligar por aqui",
    "set_brightness": "não tem ajuste de brilho",
    "set_color": "não muda de cor",
    "set_color_temp": "não tem luz quente e fria",
    "set_effect": "não tem efeitos",
    "open": "não tem como abrir por aqui",
    "close": "não tem como fechar por aqui",
    "stop": "não tem como parar no meio do caminho",
    "set_position": "só abre e fecha de todo",
    "open_tilt": "não tem lâminas que eu incline",
    "close_tilt": "não tem lâminas que eu incline",
    "stop_tilt": "não tem lâminas que eu incline",
    "set_tilt": "não tem lâminas que eu incline",
    "lock": "não tem tranca que eu controle",
    "unlock": "não tem tranca que eu controle",
    "unlatch": "não tem trinco que eu abra",
    "press": "não tem botão que eu aperte",
    "set_speed": "não tem ajuste de velocidade",
    "set_preset": "não tem programas para escolher",
    "set_oscillation": "não gira de um lado para o outro",
    "set_direction": "não inverte o sentido",
    "set_temperature": "não tem ajuste de temperatura",
    "set_temperature_low": "não tem ajuste de temperatura mínima",
    "set_temperature_high": "não tem ajuste de temperatura máxima",
    "set_humidity": "não tem ajuste de umidade",
    "set_mode": "não tem modos para escolher",
    "set_fan_mode": "não tem ajuste de ventilação",
    "set_swing": "não tem ajuste da direção do vento",
    "set_swing_horizontal": "não tem ajuste da direção do vento",
    "set_value": "não tem valor que eu ajuste",
    "select_option": "não tem opções para escolher",
    "set_volume": "não tem ajuste de volume",
    "set_tone": "não tem toques para escolher",
    "start": "não tem como começar por aqui",
    "pause": "não tem como pausar por aqui",
    "return_home": "não tem uma base para onde voltar",
    "locate": "não tem como avisar onde está",
    "clean_spot": "não limpa só um ponto",
    "disarm": "não tem alarme que eu controle",
    "trigger": "não dispara por aqui",
    **dict.fromkeys(
        ("arm_home", "arm_away", "arm_night", "arm_vacation", "arm_custom_bypass"), "não se arma desse jeito"
    ),
    **dict.fromkeys(("play", "play_pause", "next_track", "previous_track"), "não toca nada que eu controle"),
    "mute": "não tem como ficar mudo por aqui",
    "unmute": "não tem como ficar mudo por aqui",
}
