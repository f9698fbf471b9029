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
POSITION_PCT = 20
FASTER_PCT, SLOWER_PCT = 25, 34
"""Steps of a fan: an order means the next higher of its speeds, so a step down is the longer one."""

MOST_SPEEDS = 10
"""A fan of more is told its speed in percent."""
STEP_K, LEAST_K = 800, 50
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

    def warmth(thing: Thing, intent: Intent) -> Sequence[Wish]:
        if thing.state != "off" or "temperature_step" not in intent.slots:
            return (Wish("set_temperature", _level(replies, thing, intent, "temperature")),)
        if intent.slots.get("step_direction") == "up":
            raise CannotDo(replies.say("climate.is_off", name=thing.name))
        return (Wish("turn_on"),)  # "tá quente aqui", and nothing cools yet

    def speed(thing: Thing, intent: Intent) -> Sequence[Wish]:
        return (_gear(replies, thing, intent) or Wish("set_speed", _speed(replies, thing, intent)),)

    return {
        "HassTurnOn": orders.skill(lambda thing, _: (Wish(ON.get(thing.domain, "turn_on")),)),
        "HassTurnOff": orders.skill(lambda thing, _: (Wish(OFF.get(thing.domain, "turn_off")),)),
        "HassToggle": orders.skill(plain("toggle")),
        "HassLightSet": orders.skill(light),
        "HassSetPosition": orders.skill(
            lambda thing, intent: (Wish("set_position", _position(replies, thing, intent)),)
        ),
        "HassFanSetSpeed": orders.skill(speed),
        "HassClimateSetTemperature": orders.skill(warmth),
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
    if step := intent.slots.get("color_temp_step"):
        wishes.append(_white(replies, thing, str(step)))
    if "brightness" in intent.slots or not wishes:
        wishes.append(Wish("set_brightness", _level(replies, thing, intent, "brightness")))
    return wishes


def _white(replies: Replies, thing: Thing, step: str) -> Wish:
    """Return a white a step colder (`up`) or warmer than the lamp's own. Raises CannotDo where there is none."""
    bounds = [thing.attributes.get(f"{end}_color_temp_kelvin") for end in ("min", "max")]
    low, high = (float(end) if isinstance(end, int | float) else 0.0 for end in bounds)
    if not high:
        raise CannotDo(replies.devices("cannot", "set_color_temp", [thing.name]))
    now = thing.attributes.get("color_temp_kelvin")
    known = float(now) if isinstance(now, int | float) else (low + high) / 2
    wanted = min(high, max(low, known + (STEP_K if step == "up" else -STEP_K)))
    if isinstance(now, int | float) and abs(wanted - known) < LEAST_K:
        raise CannotDo(replies.say(f"white.end_{step}", name=thing.name))
    return Wish("set_color_temp", wanted, replies.say(f"white.step_{step}"))


def _tone(kelvin: float) -> str:
    return "warm" if kelvin <= WARM_K else "neutral" if kelvin <= NEUTRAL_K else "cool"


def _level(replies: Replies, thing: Thing, intent: Intent, slot: str) -> float:
    """Return how much: as it was said, or a step from what the thing says now. Raises CannotDo where none is known."""
    asked = intent.slots.get(slot, stepped(intent.slots, thing.attributes, little=False).get(slot))
    if not isinstance(asked, int | float):
        raise CannotDo(replies.say("devices.from_where", name=thing.name))
    return asked


def _position(replies: Replies, thing: Thing, intent: Intent) -> float:
    """Return how far open, in percent. Raises as `_stepped`."""
    wanted = _stepped(replies, thing, intent, "position", now_in="current_position", up=POSITION_PCT, down=POSITION_PCT)
    return max(0.0, min(100.0, wanted))


def _stepped(
    replies: Replies, thing: Thing, intent: Intent, slot: str, *, now_in: str, up: float, down: float
) -> float:
    """Return how much, in percent: as it was said, or a step from what it is. Raises CannotDo where none is known."""
    step, now = intent.slots.get(f"{slot}_step"), thing.attributes.get(now_in)
    if step is None or slot in intent.slots:
        return _level(replies, thing, intent, slot)
    if not isinstance(now, int | float):
        raise CannotDo(replies.say("devices.from_where", name=thing.name))
    return now + up if step == "up" else now - down


def _gear(replies: Replies, thing: Thing, intent: Intent) -> Wish | None:
    """Return what a small number means to a fan of few speeds: "na velocidade 2" is the second, and no two percent."""
    asked = intent.slots.get("percentage")
    if not isinstance(asked, int | float) or asked < 0:
        return None
    presets, step = thing.attributes.get("preset_modes"), thing.attributes.get("percentage_step")
    if step is None and isinstance(presets, tuple | list) and presets:
        named = [str(preset) for preset in presets]
        place = round(asked) if asked <= len(named) else max(1, round(asked * len(named) / 100))
        preset = named[max(1, place) - 1] if f"{asked:g}" not in named else f"{asked:g}"
        return Wish("set_preset", preset, preset)
    speeds = round(100 / step) if isinstance(step, int | float) and step else 0
    if speeds > MOST_SPEEDS or not 1 <= asked <= speeds or asked != round(asked):
        return None
    return Wish("set_speed", min(100.0, asked * 100 / speeds), replies.say("devices.gear", number=f"{asked:g}"))


def _speed(replies: Replies, thing: Thing, intent: Intent) -> float:
    """Return how fast, in percent; a step never stops it. Raises as `_stepped`."""
    wanted = _stepped(replies, thing, intent, "percentage", now_in="percentage", up=FASTER_PCT, down=SLOWER_PCT)
    return wanted if "percentage" in intent.slots else max(1.0, min(100.0, wanted))
