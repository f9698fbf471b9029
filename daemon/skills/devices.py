"""Device skills: an intent becomes one order an entity, and what the devices confirmed becomes one sentence."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, Protocol, cast

from daemon.devices.link import Order
from daemon.devices.link import Outcome as Obeyed
from daemon.devices.order import Verb
from daemon.errors import CannotDo, LinkDown
from daemon.language.consent import CONFIRMED
from daemon.language.plan import Intent, Thing
from daemon.language.replies import Replies
from daemon.skills.skill import Action, AsksBack, Carried, Context, Done, Skill

ON: Mapping[str, Verb] = {"cover": "open", "valve": "open", "lock": "lock", "scene": "press", "button": "press"}
OFF: Mapping[str, Verb] = {"cover": "close", "valve": "close", "lock": "unlock"}
RISKY = frozenset({("lock", "unlock"), ("alarm_control_panel", "turn_off")})
"""(domain, verb) that let somebody in: never on a voice alone."""
Kind = Literal["confirmed", "already", "sent", "silent", "unavailable", "cannot", "unknown"]
RISKY_COVERS = frozenset({"garage", "gate", "door"})

LEVELS = {
    "HassLightSet": "brightness",
    "HassSetPosition": "position",
    "HassFanSetSpeed": "percentage",
    "HassClimateSetTemperature": "temperature",
}
"""The slot that tells how much, for the intents that need one."""
LATER = frozenset({"delay_s", "when", "rrule", "for_s"})
"""Slots of a command that is not for now."""

DONE = frozenset({"confirmed", "already", "sent"})


class Links(Protocol):
    """What these skills need of the devices."""

    async def carry_out(self, order: Order) -> Obeyed:
        """Command one entity. Raises CannotDo, LinkDown."""
        ...


def device_skills(devices: Links, replies: Replies) -> dict[str, Skill]:
    """Return the skills that move devices, by intent."""

    async def act(intent: Intent, actions: Sequence[Action], context: Context) -> Carried:
        return await _act(devices, replies, intent, actions, context)

    def skill(verb: Callable[[Thing, Intent], Verb]) -> Skill:
        def actions(intent: Intent, context: Context) -> tuple[Action, ...]:
            value = intent.slots.get(LEVELS.get(intent.name, ""))
            made = tuple(_action(thing, verb(thing, intent), value) for thing in _targets(intent, context))
            _ask_about_risks(replies, intent, made, context)
            return made

        return Skill(actions, act)

    return {
        "HassTurnOn": skill(lambda thing, _: ON.get(thing.domain, "turn_on")),
        "HassTurnOff": skill(lambda thing, _: OFF.get(thing.domain, "turn_off")),
        "HassToggle": skill(lambda *_: "toggle"),
        "HassLightSet": skill(lambda *_: "set_brightness"),
        "HassSetPosition": skill(lambda *_: "set_position"),
        "HassFanSetSpeed": skill(lambda *_: "set_speed"),
        "HassClimateSetTemperature": skill(lambda *_: "set_temperature"),
        "CoverStop": skill(lambda *_: "stop"),
    }


def _targets(intent: Intent, context: Context) -> list[Thing]:
    known = {thing.id: thing for thing in context.household.things}
    return [known[target] for target in intent.targets if target in known]


def _action(thing: Thing, verb: Verb, value: object) -> Action:
    return Action(
        "iot_control", verb, {"entity_id": thing.id, "name": thing.name, **({} if value is None else {"value": value})}
    )


async def _act(
    devices: Links, replies: Replies, intent: Intent, actions: Sequence[Action], context: Context
) -> Carried:
    if LATER & intent.slots.keys():
        raise CannotDo(replies.say("devices.not_yet", seed=context.seed))
    if intent.name in LEVELS and LEVELS[intent.name] not in intent.slots:
        raise CannotDo(replies.say("skill.missing", seed=context.seed))
    things = _targets(intent, context)
    if not things:
        raise CannotDo(replies.say("devices.none_found", seed=context.seed))
    results = await asyncio.gather(*(_one(devices, action) for action in actions))
    if all(isinstance(result, LinkDown) for result in results):
        raise cast("LinkDown", results[0])
    say = _sentence(replies, things, actions, results, context.seed)
    return Carried(say, tuple(_done(replies, thing, result) for thing, result in zip(things, results, strict=True)))


def _ask_about_risks(replies: Replies, intent: Intent, actions: Sequence[Action], context: Context) -> None:
    """Raise AsksBack where something would let somebody in and nobody said yes to it yet."""
    if CONFIRMED in intent.slots:
        return
    things = _targets(intent, context)
    risky = [(thing, action) for thing, action in zip(things, actions, strict=True) if _is_risky(thing, action.name)]
    if risky:
        names = [thing.name for thing, _ in risky]
        raise AsksBack(replies.devices("risky", risky[0][1].name, names, seed=context.seed), intent, CONFIRMED)


def _is_risky(thing: Thing, verb: str) -> bool:
    if thing.domain == "cover" and thing.device_class in RISKY_COVERS:
        return verb in {"open", "set_position", "toggle"}
    return (thing.domain, verb) in RISKY


async def _one(devices: Links, action: Action) -> Obeyed | CannotDo | LinkDown:
    value = action.parameters.get("value")
    number = float(value) if isinstance(value, int | float) else None
    try:
        return await devices.carry_out(Order(action.parameters["entity_id"], cast("Verb", action.name), number))
    except (CannotDo, LinkDown) as problem:
        return problem


def _done(replies: Replies, thing: Thing, result: Obeyed | CannotDo | LinkDown) -> Done:
    if isinstance(result, Obeyed):
        told: dict[str, Any] = {
            "outcome": result.kind,
            "state": result.state,
            "previous": dict(result.previous),
            "ms": result.ms,
        }
        if result.kind in DONE:
            return Done(ok=True, result=told)
        return Done(ok=False, result=told, error=replies.say(f"devices.{result.kind}", name=thing.name))
    if isinstance(result, CannotDo):
        return Done(ok=False, result={"outcome": "cannot"}, error=result.say)
    return Done(ok=False, result={"outcome": "unknown"}, error=f"{result}")


def _sentence(
    replies: Replies,
    things: Sequence[Thing],
    actions: Sequence[Action],
    results: Sequence[Obeyed | CannotDo | LinkDown],
    seed: int,
) -> str:
    """Say how it went: what was done in one sentence, then each kind of failure with the names that it befell."""
    if len(things) == 1 and isinstance(results[0], CannotDo):
        return results[0].say
    groups: dict[Kind, list[str]] = {}
    for thing, result in zip(things, results, strict=True):
        groups.setdefault(_kind(result), []).append(thing.name)
    said = []
    verb, value = actions[0].name, actions[0].parameters.get("value")
    for kind, names in groups.items():
        if kind == "already" and "confirmed" in groups:
            continue  # "apaguei as luzes" is true of those that were off
        said.append(replies.devices(kind, verb, names, value=value, seed=seed))
    return " ".join(said)


def _kind(result: Obeyed | CannotDo | LinkDown) -> Kind:
    if isinstance(result, Obeyed):
        return result.kind
    return "cannot" if isinstance(result, CannotDo) else "unknown"
