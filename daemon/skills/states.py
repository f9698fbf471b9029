"""How things are: questions about states and temperatures, answered from what the devices last said."""

from collections.abc import Awaitable, Callable, Sequence

from daemon.errors import CannotDo
from daemon.language.plan import Intent, Thing
from daemon.language.replies import Replies
from daemon.skills.skill import Action, Carried, Context, Done, Skill, asking

Tell = Callable[[Intent, Sequence[Action], Context], Awaitable[Carried]]


_WITHOUT_ON = frozenset({"climate", "media_player", "water_heater", "vacuum"})
_OFF = frozenset({"off", "standby", "idle", "docked", "unavailable", "unknown"})


def state_skills(replies: Replies, cause: Tell) -> dict[str, Skill]:
    """Return the skills that tell how things are, by intent.

    `cause` answers where more than the state is `asked`: who, why, when, or what was done.
    """

    async def state(intent: Intent, actions: Sequence[Action], context: Context) -> Carried:
        if intent.slots.get("asked"):
            return await cause(intent, actions, context)
        things = _asked_about(intent, context)
        asked = intent.slots.get("state")
        if not things:
            people = intent.slots.get("domain") == "person"
            raise CannotDo(replies.say("person.unknown" if people else "devices.none_found", seed=context.seed))
        if len(things) == 1:
            say = _one(replies, things[0], str(asked) if asked else None)
        else:
            say = _several(replies, things, str(asked or "on"))
        return Carried(say, (Done(ok=True, result={thing.id: thing.state for thing in things}),))

    async def temperature(intent: Intent, _: Sequence[Action], context: Context) -> Carried:
        found = [reading for thing in _near(intent, context) if (reading := _temperature(thing)) is not None]
        if not found:
            raise CannotDo(replies.say("state.no_temperature"))
        said = f"{found[0]:.1f}".rstrip("0").rstrip(".").replace(".", ",")
        return Carried(replies.say("state.temperature", value=said), (Done(ok=True, result={"temperature": found[0]}),))

    return {
        "HassGetState": Skill(asking("get_state"), state),
        "HassClimateGetTemperature": Skill(asking("get_temperature"), temperature),
    }


def _asked_about(intent: Intent, context: Context) -> list[Thing]:
    """Return the targets, or all things of the domain (in the area, if told) that the question names."""
    if intent.targets:
        return [thing for thing in context.household.things if thing.id in intent.targets]
    domain, area = intent.slots.get("domain"), intent.slots.get("area")
    return [
        thing
        for thing in context.household.things
        if domain is not None and thing.domain == domain and (area is None or thing.area == area)
    ]


def _one(replies: Replies, thing: Thing, asked: str | None) -> str:
    unit = thing.attributes.get("unit_of_measurement") or thing.attributes.get("unit")
    if thing.domain == "sensor" and thing.state is not None:
        return replies.say("state.measured", name=thing.name, value=f"{thing.state} {unit or ''}".strip())
    return replies.state(thing.name, thing.state, asked=asked)


def _several(replies: Replies, things: Sequence[Thing], asked: str) -> str:
    so = [thing for thing in things if _is(thing, asked)]
    lamps = all(thing.domain == "light" for thing in things)  # "luzes" were asked for, whatever each is called
    if not so and lamps and asked in {"on", "off"}:
        return replies.say("state.none_lit" if asked == "on" else "state.none_off")
    if not so:
        return replies.say("state.none", state=replies.state_word("aparelho", asked))
    return replies.several_so([thing.name for thing in so], feminine=True if lamps else None)


def _is(thing: Thing, asked: str) -> bool:
    """Tell whether a thing is as was asked; an air conditioner that cools and a set that plays are on."""
    if asked == "on" and thing.domain in _WITHOUT_ON:
        return thing.state is not None and thing.state not in _OFF
    return thing.state == asked


def _near(intent: Intent, context: Context) -> list[Thing]:
    """Return what may know the temperature: the targets, else what is in the area asked for or spoken in."""
    things = context.household.things
    if intent.targets:
        return [thing for thing in things if thing.id in intent.targets]
    area = intent.slots.get("area") or context.area
    return [thing for thing in things if thing.area == area] or list(things)


def _temperature(thing: Thing) -> float | None:
    told = thing.attributes.get("current_temperature")
    if told is None and thing.domain == "sensor" and thing.device_class == "temperature":
        told = thing.state
    try:
        return float(str(told))
    except ValueError:
        return None
