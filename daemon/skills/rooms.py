"""Air, floors, alarms: the mode of the air conditioner, robots, panels and buttons, and what no device can tell."""

from collections.abc import Mapping, Sequence

from daemon.devices.order import Verb
from daemon.errors import CannotDo
from daemon.language.plan import Intent, Thing
from daemon.skills.orders import Orders, Wish, Wishes, targets
from daemon.skills.skill import Action, Carried, Context, Skill, asking

ARMED: Mapping[str, Verb] = {"away": "arm_away", "home": "arm_home", "night": "arm_night"}


def room_skills(orders: Orders) -> dict[str, Skill]:
    """Return the skills of climate and robots, by intent, and those that can only be sorry."""
    replies = orders.replies

    def mode(thing: Thing, intent: Intent) -> Sequence[Wish]:
        asked = intent.slots.get("hvac_mode")
        if not isinstance(asked, str):
            raise CannotDo(replies.say("climate.which_mode", name=thing.name))
        return (Wish("set_mode", asked, replies.say(f"mode.{asked}")),)

    def robot(domain: str, verb: Verb) -> Skill:
        def robots(intent: Intent, context: Context) -> Sequence[Thing]:
            return targets(intent, context) or [one for one in context.household.things if one.domain == domain]

        return orders.skill(_always(verb), robots, f"{domain}.none")

    async def one_room(_: Intent, __: Sequence[Action], context: Context) -> Carried:
        robots = [thing for thing in context.household.things if thing.domain == "vacuum"]
        if not robots:
            raise CannotDo(replies.say("vacuum.none", seed=context.seed))
        raise CannotDo(replies.say("vacuum.whole_house", name=robots[0].name))

    async def weather(_: Intent, __: Sequence[Action], context: Context) -> Carried:
        raise CannotDo(replies.say("weather.none", seed=context.seed))

    def arming(_: Thing, intent: Intent) -> Sequence[Wish]:
        return (Wish(ARMED.get(str(intent.slots.get("mode")), "arm_away")),)

    return {
        "AlarmArm": orders.skill(arming),
        "AlarmDisarm": orders.skill(_always("disarm")),
        "PressButton": orders.skill(_always("press")),
        "ClimateSetMode": orders.skill(mode),
        "HassVacuumStart": robot("vacuum", "start"),
        "HassVacuumReturnToBase": robot("vacuum", "return_home"),
        "HassVacuumCleanArea": Skill(asking("clean_area"), one_room),
        "HassLawnMowerStartMowing": robot("lawn_mower", "start"),
        "HassLawnMowerDock": robot("lawn_mower", "return_home"),
        "HassGetWeather": Skill(asking("get_weather"), weather),
    }


def _always(verb: Verb) -> Wishes:
    return lambda *_: (Wish(verb),)
