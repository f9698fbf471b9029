"""From an intent to orders and back to one sentence: what the skills that move devices have in common.

A wish is one verb for one thing; each becomes an action (a committed row) and then an order. What the devices confirmed
is told in one breath, with each kind of failure and the names that it befell.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, cast

from daemon.devices.order import Order, Value, Verb
from daemon.devices.order import Outcome as Obeyed
from daemon.errors import CannotDo, LinkDown, Refused
from daemon.language.consent import CONFIRMED
from daemon.language.plan import Intent, Thing
from daemon.language.replies import Replies
from daemon.skills.safety import is_risky
from daemon.skills.skill import Action, AsksBack, Carried, Context, Done, Skill

DONE = frozenset({"confirmed", "already", "sent"})
TOLD_AS_DONE = frozenset({"confirmed", "opening", "closing", "going", "sent_press"})
MOVING = frozenset({"opening", "closing"})
TOGGLED: Mapping[str, Verb] = {"on": "turn_on", "off": "turn_off", "open": "open", "closed": "close"}
TOLD = ("routine", "undoes", "words", "asked_by", "approved_by")
"""Slots that the ledger keeps: why it was done, and by whose leave."""
Result = Obeyed | CannotDo | LinkDown


class Links(Protocol):
    """What these skills need of the devices."""

    async def carry_out(self, order: Order) -> Obeyed:
        """Command one entity. Raises CannotDo, LinkDown."""
        ...


@dataclass(frozen=True, slots=True)
class Wish:
    """One verb for a thing. `said` is the value in words, where it is no number ("azul")."""

    verb: Verb
    value: Value | None = None
    said: str | None = None


@dataclass(frozen=True, slots=True)
class Silent:
    """A device that did not answer in time, and who was told so: should it obey late, that one is told."""

    action: Action
    context: Context
    previous: Mapping[str, object]


Wishes = Callable[[Thing, Intent], Sequence[Wish]]
"""What an intent wishes of a thing. Raises CannotDo where it cannot be told."""
Aim = Callable[[Intent, Context], Sequence[Thing]]
"""Which things an intent means."""


@dataclass(frozen=True, slots=True)
class Orders:
    """Makes skills that move devices. `silent` hears of every device that did not answer."""

    devices: Links
    replies: Replies
    silent: Callable[[Silent], None] = lambda _: None

    def skill(self, wishes: Wishes, aim: Aim | None = None, nothing: str = "devices.none_found") -> Skill:
        """Return the skill that fulfils `wishes` on what `aim` finds; where that is nothing, `nothing` is said."""
        found = aim or targets

        def actions(intent: Intent, context: Context) -> tuple[Action, ...]:
            wished = [(thing, wish) for thing in found(intent, context) for wish in wishes(thing, intent)]
            self._ask_about_risks(intent, wished, context)
            return tuple(_action(thing, wish, intent) for thing, wish in wished)

        async def act(intent: Intent, made: Sequence[Action], context: Context) -> Carried:
            if not made:
                raise CannotDo(self.replies.say(nothing, seed=context.seed))
            return await self._act(made, intent.slots.get("area"), context)

        return Skill(actions, act)

    def _ask_about_risks(self, intent: Intent, wished: Sequence[tuple[Thing, Wish]], context: Context) -> None:
        """Raise AsksBack where something would let somebody in and nobody said yes; Refused to what is no person."""
        risky = [(thing, wish) for thing, wish in wished if is_risky(thing, wish.verb)]
        if not risky:
            return
        names = list(dict.fromkeys(thing.name for thing, _ in risky))
        if not context.trusted:
            raise Refused(self.replies.devices("not_over_mqtt", risky[0][1].verb, names, seed=context.seed))
        if CONFIRMED not in intent.slots:
            asked = self.replies.devices("risky", risky[0][1].verb, names, seed=context.seed)
            raise AsksBack(asked, intent, CONFIRMED)

    async def _act(self, actions: Sequence[Action], area: object, context: Context) -> Carried:
        results = await asyncio.gather(*(self._one(action) for action in actions))
        if all(isinstance(result, LinkDown) for result in results):
            raise cast("LinkDown", results[0])
        for action, result in zip(actions, results, strict=True):
            if isinstance(result, Obeyed) and result.kind == "silent":
                self.silent(Silent(action, context, result.previous))
        said = self._sentence(actions, results, area if isinstance(area, str) else None, context.seed)
        done = tuple(self._done(action, result) for action, result in zip(actions, results, strict=True))
        return Carried(said, done)

    async def _one(self, action: Action) -> Result:
        order = Order(
            action.parameters["entity_id"],
            cast("Verb", action.name),
            _value(action.parameters.get("value")),
            action.id,
        )
        try:
            return await self.devices.carry_out(order)
        except (CannotDo, LinkDown) as problem:
            return problem

    def _done(self, action: Action, result: Result) -> Done:
        if isinstance(result, CannotDo):
            return Done(ok=False, result={"outcome": "cannot"}, error=result.say)
        if isinstance(result, LinkDown):
            return Done(ok=False, result={"outcome": "unknown"}, error=f"{result}")
        told: dict[str, Any] = {
            "outcome": result.kind,
            "state": result.state,
            "previous": dict(result.previous),
            "ms": result.ms,
        }
        if result.kind in DONE:
            return Done(ok=True, result=told)
        name = action.parameters["name"]
        return Done(ok=False, result=told, error=self.replies.say(f"devices.{result.kind}", name=name))

    def _sentence(self, actions: Sequence[Action], results: Sequence[Result], area: str | None, seed: int) -> str:
        """Say how it went: what was done in one sentence, then each kind of failure with the names that it befell."""
        if len(actions) == 1 and isinstance(results[0], CannotDo):
            return results[0].say
        groups: dict[tuple[str, str, object, bool], list[str]] = {}
        for action, result in zip(actions, results, strict=True):
            value = action.parameters.get("said", action.parameters.get("value"))
            kind, verb = _told(cast("Verb", action.name), result)
            lit = verb in self.replies.lit and self.replies.is_lamp(action.parameters["name"])
            names = groups.setdefault((kind, verb, value, lit), [])
            if action.parameters["name"] not in names:
                names.append(action.parameters["name"])
        done = any(kind in TOLD_AS_DONE for kind, *_ in groups)
        return " ".join(
            self.replies.devices(kind, verb, names, value=value, seed=seed, area=area)
            for (kind, verb, value, _), names in groups.items()
            if kind != "already" or not done  # "apaguei as luzes" is true of those that were off
        )


def targets(intent: Intent, context: Context) -> list[Thing]:
    """Return the things that the intent names, those that are still in the house."""
    known = {thing.id: thing for thing in context.household.things}
    return [known[target] for target in intent.targets if target in known]


def _action(thing: Thing, wish: Wish, intent: Intent) -> Action:
    parameters: dict[str, Any] = {"entity_id": thing.id, "name": thing.name}
    if wish.value is not None:
        parameters["value"] = list(wish.value) if isinstance(wish.value, tuple) else wish.value
    if wish.said is not None:
        parameters["said"] = wish.said
    parameters |= {slot: intent.slots[slot] for slot in TOLD if slot in intent.slots}
    return Action("iot_control", wish.verb, parameters)


def _value(kept: object) -> Value | None:
    """Return an order's value from an action's parameters, where a Color is a list."""
    if isinstance(kept, list) and len(kept) == 3:
        red, green, blue = (int(part) for part in kept)
        return (red, green, blue)
    if isinstance(kept, bool) or not isinstance(kept, int | float | str):
        return None
    return kept if isinstance(kept, str) else float(kept)


def _told(verb: Verb, result: Result) -> tuple[str, str]:
    """Return which sentence tells this result, and with which verb."""
    if isinstance(result, CannotDo):
        return "cannot", verb
    if isinstance(result, LinkDown):
        return "unknown", verb
    if verb == "toggle" and result.kind in DONE:
        verb = TOGGLED.get(result.state or "", verb)
    if result.kind == "confirmed" and result.state in MOVING:
        return ("going" if verb == "set_position" else str(result.state)), verb
    # A scene or a button never tells anything: that it was pressed is all there is to say.
    return ("sent_press" if (result.kind, verb) == ("sent", "press") else result.kind), verb
