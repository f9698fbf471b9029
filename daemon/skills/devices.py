"""Device skills: turn on and off, open and close, how bright, how far, how fast, which colour."""

from collections.abc import Mapping, Sequence

from daemon.devices.order import Color, Verb
from daemon.errors import CannotDo
from daemon.language.plan import Intent, Thing
from daemon.language.replies import Replies
from daemon.language.values import stepped
from daemon.skills.orders import Orders, Wish, Wishes
from daemon.skills.skill import Skill

ON: Mapping[str, Verb] = {
    "cover": "open", "valve": "open", "lock": "lock", "scene": "press", "script": "press", "button": "press",
    "vacuum": "start", "lawn_mower": "start",
}  # fmt: skip
OFF: Mapping[str, Verb] = {
    "cover": "close", "valve": "close", "lock": "unlock", "vacuum": "return_home", "lawn_mower": "return_home",
}  # fmt: skip
COLORS: Mapping[str, Color] = {
    "red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255), "yellow": (255, 220, 0), "orange": (255, 120, 0),
    "purple": (150, 0, 255), "pink": (255, 90, 170), "white": (255, 255, 255), "turquoise": (0, 220, 200),
}  # fmt: skip
FASTER_PCT, SLOWER_PCT = 25, 34
"""Steps of a fan: an order means the next higher of its speeds, so a step down is the longer one."""
WARM_K, NEUTRAL_K = 3200, 4600
"""Up to so many kelvin a white is called warm, and neutral."""


def device_skills(orders: Orders) -> dict[str, Skill]:
    """Return the skills that move devices, by intent."""
    replies = orders.replies

    def plain(verb: Verb) -> Wishes:
        return lambda *_: (Wish(verb),)

    def level(verb: Verb, slot: str) -> Wishes:
        return lambda thing, intent: (Wish(verb, _level(replies, thing, intent, slot)),)

    def light(thing: Thing, intent: Intent) -> Sequence[Wish]:
        return _light(replies, thing, intent)

    def speed(thing: Thing, intent: Intent) -> Sequence[Wish]:
        return (Wish("set_speed", _speed(replies, thing, intent)),)

    return {
        "HassTurnOn": orders.skill(lambda thing, _: (Wish(ON.get(thing.domain, "turn_on")),)),
        "HassTurnOff": orders.skill(lambda thing, _: (Wish(OFF.get(thing.domain, "turn_off")),)),
        "HassToggle": orders.skill(plain("toggle")),
        "HassLightSet": orders.skill(light),
        "HassSetPosition": orders.skill(level("set_position", "position")),
        "HassFanSetSpeed": orders.skill(speed),
        "HassClimateSetTemperature": orders.skill(level("set_temperature", "temperature")),
        "CoverStop": orders.skill(plain("stop")),
    }


def _light(replies: Replies, thing: Thing, intent: Intent) -> Sequence[Wish]:
    wishes: list[Wish] = []
    color, kelvin, rgb = (intent.slots.get(slot) for slot in ("color", "color_temperature", "rgb"))
    if isinstance(color, str) and color in COLORS:
        wishes.append(Wish("set_color", COLORS[color], replies.say(f"color.{color}")))
    if isinstance(rgb, tuple) and len(rgb) == 3:  # the colour that it had before, for what is undone
        red, green, blue = (int(part) for part in rgb)
        wishes.append(Wish("set_color", (red, green, blue), replies.say("color.before")))
    if isinstance(kelvin, int | float):
        wishes.append(Wish("set_color_temp", kelvin, replies.say(f"white.{_tone(kelvin)}")))
    if "brightness" in intent.slots or not wishes:
        wishes.append(Wish("set_brightness", _level(replies, thing, intent, "brightness")))
    return wishes


def _tone(kelvin: float) -> str:
    return "warm" if kelvin <= WARM_K else "neutral" if kelvin <= NEUTRAL_K else "cool"


def _level(replies: Replies, thing: Thing, intent: Intent, slot: str) -> float:
    """Return how much: as it was said, or a step from what the thing says now. Raises CannotDo where none is known."""
    asked = intent.slots.get(slot, stepped(intent.slots, thing.attributes, little=False).get(slot))
    if not isinstance(asked, int | float):
        raise CannotDo(replies.say("devices.from_where", name=thing.name))
    return asked


def _speed(replies: Replies, thing: Thing, intent: Intent) -> float:
    step, now = intent.slots.get("percentage_step"), thing.attributes.get("percentage")
    if step is None or "percentage" in intent.slots:
        return _level(replies, thing, intent, "percentage")
    if not isinstance(now, int | float):
        raise CannotDo(replies.say("devices.from_where", name=thing.name))
    return max(1.0, min(100.0, now + (FASTER_PCT if step == "up" else -SLOWER_PCT)))
