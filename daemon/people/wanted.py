"""From intents to what is wanted, as the rules speak of it: the domains that a request counts as.

A device counts as its own domain (`light`), and also as `tv`, `gate`, `extremes` or `risky` where it is that; what
moves no device is of a topic (`reminders`). What is read or changed of somebody else's counts as `others` too.
"""

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache

from daemon.devices.order import Verb
from daemon.language.plan import Intent, Thing
from daemon.language.words import fold
from daemon.people.needs import needs_of
from daemon.people.rules import RISKY, Wanted
from daemon.skills.devices import OFF, ON
from daemon.skills.media import VERBS as PLAYING
from daemon.skills.media import players
from daemon.skills.moments import meant
from daemon.skills.orders import targets
from daemon.skills.rooms import ARMED
from daemon.skills.safety import GUARDED, RISKY_COVERS, is_risky
from daemon.skills.skill import Context

LESSON = "lesson"
"""The slot of a lesson that one who may has begun: whoever's voice it is, they only say sentences back."""
UNKNOWN_TOPIC = "other"
"""Of intents that no list here names: only who may everything may have them."""
MOVES: Mapping[str, Verb] = {
    "HassToggle": "toggle", "HassLightSet": "set_brightness", "HassSetPosition": "set_position",
    "HassFanSetSpeed": "set_speed", "HassClimateSetTemperature": "set_temperature", "CoverStop": "stop",
    "HassSetVolume": "set_volume", "HassSetVolumeRelative": "set_volume", "AlarmDisarm": "disarm",
    "PressButton": "press", "ClimateSetMode": "set_mode", "HassVacuumStart": "start",
    "HassLawnMowerStartMowing": "start", "HassVacuumReturnToBase": "return_home", "HassLawnMowerDock": "return_home",
    **PLAYING,
}  # fmt: skip
"""The verb of each intent that moves devices, where it does not depend on the device."""
BY_DEVICE = {"HassTurnOn", "HassTurnOff", "AlarmArm"}
TOPICS: Mapping[str, str] = {
    intent: topic
    for topic, intents in {
        "clock": "HassGetCurrentDate HassGetCurrentTime GetHoliday",
        "weather": "HassGetWeather",
        "talk": "HassNevermind HassRespond RepeatReply TellAboutMe WhoAmI",
        "undo": "Undo",
        "timers": "HassStartTimer HassCancelTimer HassCancelAllTimers HassIncreaseTimer HassDecreaseTimer"
        " HassPauseTimer HassUnpauseTimer HassTimerStatus",
        "reminders": "CreateReminder ListReminders CancelReminder UpdateReminder SnoozeReminder CompleteReminder",
        "lists": "HassListAddItem HassListCompleteItem HassListRemoveItem HassShoppingListAddItem"
        " HassShoppingListCompleteItem ListClear ListCreate ListDelete ListGetItems ListNames ShoppingListClear"
        " ShoppingListGetItems",
        "broadcast": "HassBroadcast",
        "states": "HassGetState HassClimateGetTemperature",
        "naming": "RenameDevice AliasDevice MoveDevice HideDevice FavouriteDevice",
        "guarding": "GuardDevice",
        "routines": "RunRoutine ListRoutines",
        "teaching": "CreateRoutine DeleteRoutine",
        "media": "HassMediaSearchAndPlay",
        "vacuum": "HassVacuumStart HassVacuumReturnToBase HassVacuumCleanArea",
        "lawn_mower": "HassLawnMowerStartMowing HassLawnMowerDock",
        "media_player": " ".join(("HassSetVolume", "HassSetVolumeRelative", *PLAYING)),
        "devices": "HassTurnOn HassTurnOff HassToggle HassLightSet HassSetPosition HassFanSetSpeed"
        " HassClimateSetTemperature ClimateSetMode CoverStop AlarmArm AlarmDisarm PressButton",
        "approvals": "GrantApproval ListApprovals",
        "voices": "EnrollVoice",
        "people": "GiveConsent",
        "memory": "RememberFact RecallFact ForgetFact",
        "privacy": "ForgetToday WithdrawConsent TellConsents",
        "permissions": "SetPermission",
    }.items()
    for intent in intents.split()
}
"""What an intent is about where it names no device."""
OF_OTHERS = frozenset({"ListReminders", "CancelReminder", "UpdateReminder"})
"""What reads or changes what is kept for somebody."""
RESTING = frozenset({"turn_off", "close", "lock", "stop", "pause", "mute", "return_home", *ARMED.values()})
LATER = frozenset({"when", "delay_s", "rrule"})
MILD = (17.0, 27.0)
"""Degrees Celsius that do nobody harm, in air conditioning; beyond them it is `extremes`."""
TELEVISIONS = frozenset({"tv", "televisao", "televisor", "tvs", "televisoes"})


def wanted(intent: Intent, context: Context) -> list[Wanted]:
    """Return what an intent wants, each kind of thing in each room once."""
    moves = intent.name in MOVES or intent.name in BY_DEVICE
    if moves and (things := _things(intent, context)):
        at = _moment(intent, context)
        kinds = {_kind(thing): thing for thing in things}  # of two thousand lamps in ten rooms, ten
        return [_of_thing(thing, intent, context, at) for thing in kinds.values()]
    topic = _topic(intent, context)
    if topic == "states":
        return list(dict.fromkeys(_asked_about(intent, context)))
    domains = {topic, "others"} if _of_somebody_else(intent, context) else {topic}
    needs = "likely" if topic == "talk" else needs_of(intent, context)
    return [Wanted(intent.name, frozenset(domains), _area(intent, context), context.area, context.now, needs=needs)]


def _topic(intent: Intent, context: Context) -> str:
    """Return what an intent that moves nothing is about; harmless is what says sentences back, and what is for guests.

    A guest who asks what the house was told hears what is for visitors alone (`FOR_WHOM` in db/memories.py).
    """
    in_lesson = intent.name == "EnrollVoice" and LESSON in intent.slots
    for_guests = intent.name == "RecallFact" and context.speaker.role == "guest"
    return "talk" if in_lesson or for_guests else TOPICS.get(intent.name, UNKNOWN_TOPIC)


def verb_of(intent: Intent, thing: Thing) -> Verb:
    """Return what an intent that moves devices does to this one."""
    if intent.name == "HassTurnOn":
        return ON.get(thing.domain, "turn_on")
    if intent.name == "HassTurnOff":
        return OFF.get(thing.domain, "turn_off")
    if intent.name == "AlarmArm":
        return ARMED.get(str(intent.slots.get("mode")), "arm_away")
    return MOVES[intent.name]


def things_of(intent: Intent, context: Context) -> list[Thing]:
    """Return the devices that an intent moves."""
    return _things(intent, context) if intent.name in MOVES or intent.name in BY_DEVICE else []


def _things(intent: Intent, context: Context) -> list[Thing]:
    if TOPICS.get(intent.name) == "media_player":
        return list(players(intent, context))
    return targets(intent, context)


def _kind(thing: Thing) -> tuple[object, ...]:
    """Return all of a thing that a rule can tell from another."""
    return thing.domain, thing.area, thing.device_class, thing.attributes.get(GUARDED), _is_television(thing.name)


@lru_cache(maxsize=4096)
def _is_television(name: str) -> bool:
    return not TELEVISIONS.isdisjoint(fold(name).split())


def _of_thing(thing: Thing, intent: Intent, context: Context, at: datetime) -> Wanted:
    verb = verb_of(intent, thing)
    rests = verb in RESTING or (verb == "set_position" and intent.slots.get("position") == 0)
    return Wanted(intent.name, _domains(thing, verb, intent, rests=rests), thing.area, context.area, at, rests)


def _domains(thing: Thing, verb: Verb, intent: Intent, *, rests: bool) -> frozenset[str]:
    if thing.domain == "lock" and rests:
        return frozenset({"locking"})
    domains = {thing.domain}
    if is_risky(thing, verb):
        domains.add(RISKY)
    if thing.domain == "cover" and thing.device_class in RISKY_COVERS and not rests:
        domains.add("gate")
    if thing.device_class == "tv" or _is_television(thing.name):
        domains.add("tv")
    if thing.domain == "climate" and verb == "set_temperature":
        degrees = intent.slots.get("temperature")
        if isinstance(degrees, int | float) and not MILD[0] <= degrees <= MILD[1]:
            domains.add("extremes")
    return frozenset(domains)


def _asked_about(intent: Intent, context: Context) -> list[Wanted]:
    """Return what a question is about: how things are, or who did what and why, which is the ledger's."""
    asked = frozenset({"ledger"} if intent.slots.get("asked") else {"states"})
    rooms = [thing.area for thing in targets(intent, context)] or [_area(intent, context)]
    return [Wanted(intent.name, asked, room, context.area, context.now) for room in rooms]


def _area(intent: Intent, context: Context) -> str | None:
    area = intent.slots.get("area")
    return area if isinstance(area, str) else context.area


def _of_somebody_else(intent: Intent, context: Context) -> bool:
    """Tell whether it reads or changes what is not only the speaker's, as far as the house knows who speaks."""
    if intent.name not in OF_OTHERS:
        return False
    person = intent.slots.get("person")
    if person is None:
        return context.speaker.id is None
    return context.speaker.name is None or fold(str(person)) != fold(context.speaker.name)


def _moment(intent: Intent, context: Context) -> datetime:
    """Return when it is to be done, on the household's clock; of a series its first time."""
    if LATER.isdisjoint(intent.slots):
        return context.now
    when = meant(intent.slots, context.now)
    return context.now if when is None else when.at
