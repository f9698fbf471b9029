"""What a command is made from: an entity, what is known of it, what is wanted, and the messages so far."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from daemon.devices.entity import Aspect, Condition, Entity
from daemon.devices.order import Color, Goal, Value
from daemon.devices.template import BadTemplate, compiled
from daemon.devices.traits import choices
from daemon.errors import CannotDo

Made = tuple[Goal | None, str | None]
"""The goal, None where nobody would tell that it is reached, and the state that an optimistic entity then has."""
NONE = "None"

MODES: Mapping[str, str] = {
    "off": "desligado", "cool": "resfriar", "heat": "aquecer", "heat_cool": "aquecer e resfriar", "auto": "automático",
    "dry": "desumidificar", "fan_only": "ventilar",
}  # fmt: skip
"""Home Assistant's modes of a climate, as a person says them."""


@dataclass(slots=True)
class Ask:
    """One order on its way to becoming messages."""

    entity: Entity
    condition: Condition
    name: str
    value: Value | None
    messages: list[tuple[str, bytes]] = field(default_factory=list)

    def text(self, key: str, default: str) -> str:
        """Return the entity's own word for something; the maker may write it as a number or a boolean."""
        return str(self.entity.config.get(key, default))

    def send(self, topic_key: str, payload: str, template_key: str | None = None, **variables: object) -> bool:
        """Add a message, through the entity's own template where it has one; False where it has no such topic."""
        topic = self.entity.config.get(topic_key)
        if not isinstance(topic, str):
            return False
        template = self.entity.config.get(template_key or "")
        if isinstance(template, str):
            payload = self.rendered(template, {"value": payload, **variables})
        self.messages.append((topic, payload.encode()))
        return True

    def rendered(self, template: str, variables: dict[str, object]) -> str:
        """Return what the entity's template makes of `variables`. Raises CannotDo for one that is refused."""
        try:
            return compiled(template)({"entity_id": self.entity.id, "name": self.name, **variables})
        except BadTemplate:
            raise self.cannot("recebe os comandos de um jeito que eu não entendo") from None

    def goal(self, aspect: Aspect, goal: Goal) -> Goal | None:
        """Return the goal if some topic tells this aspect, else None: the entity is optimistic."""
        if self.entity.config.get("optimistic") is True:
            return None
        told = self.entity.hears(aspect) or (aspect in _WITH_STATE and self.entity.hears(_WITH_STATE[aspect]))
        return goal if told or (aspect == "state" and self._state_is_told()) else None

    def _state_is_told(self) -> bool:
        others: tuple[Aspect, ...] = ("position", "power", "json_light", "json_siren", "json_vacuum")
        return any(self.entity.hears(other) for other in others)

    def percent(self) -> float:
        """Return the value as a share. Raises CannotDo where it is none."""
        value = self.value
        if not isinstance(value, int | float) or not 0 <= value <= 100:
            raise CannotDo(f"Para {self.name}, preciso de um valor de 0 a 100 por cento.")
        return value

    def number(self, what: str, low: float, high: float, unit: str) -> float:
        """Return the value as a number within its bounds. Raises CannotDo, which tells them."""
        value = self.value
        if not isinstance(value, int | float) or not low <= value <= high:
            raise CannotDo(f"Em {self.name}, {what} vai de {_plain(low)} a {_plain(high)}{unit}.")
        return value

    def color(self) -> Color:
        """Return the value as a colour. Raises CannotDo where it is none."""
        value = self.value
        if not isinstance(value, tuple) or len(value) != 3 or not all(0 <= part <= 255 for part in value):
            raise CannotDo(f"Não entendi que cor você quer em {self.name}.")
        return value

    def word(self, ability: str, what: str) -> str:
        """Return the value as one of the entity's own words. Raises CannotDo, which tells them."""
        value = self.value if isinstance(self.value, str) else ""
        offered = choices(self.entity.component, self.entity.config).get(ability, ())
        found = next((word for word in offered if word.casefold() == value.casefold()), None)
        if found is None and offered:
            told = ", ".join(MODES.get(one, one) if ability == "mode" else one for one in offered[:8])
            raise CannotDo(f"Em {self.name}, {what} pode ser: {told}.")
        if not value:
            raise CannotDo(f"Em {self.name}, faltou dizer: {what}.")
        return found or value

    def cannot(self, why: str) -> CannotDo:
        """Return the error that says what this entity does not do."""
        return CannotDo(f"Esse aparelho, {self.name}, {why}.")


_WITH_STATE: dict[Aspect, Aspect] = {
    "brightness": "json_light",
    "color_rgb": "json_light",
    "color_temp": "json_light",
    "effect": "json_light",
}


def _plain(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0").replace(".", ",")
