"""How sure the house has to be of a voice, for each intent: the one table of it. Why, is in docs/decisions/voices.md.

`likely`: it is enough that the voice is near somebody's; they may it as their role does. Their everyday things.
`house`: who is only likely somebody may what both they and a voice that nobody knows may; the rest of what their role
may needs to be sure. What moves devices, gives leave, or makes the rules.
`sure`: needs to be sure, whatever an unknown voice may. What is secret, what erases, what is kept of a person for good.
"""

from collections.abc import Mapping

from daemon.language.plan import Intent
from daemon.language.words import fold
from daemon.memory.told import asks_for_secrecy, is_secret
from daemon.people.rules import Needs
from daemon.skills.skill import Context

TABLE: Mapping[Needs, str] = {
    "likely": (
        "HassGetCurrentDate HassGetCurrentTime GetHoliday HassGetWeather"
        " HassNevermind HassRespond RepeatReply TellAboutMe WhoAmI"
        " HassStartTimer HassCancelTimer HassCancelAllTimers HassIncreaseTimer HassDecreaseTimer HassPauseTimer"
        " HassUnpauseTimer HassTimerStatus"
        " CreateReminder ListReminders CancelReminder UpdateReminder SnoozeReminder CompleteReminder"
        " HassListAddItem HassListCompleteItem HassListRemoveItem HassShoppingListAddItem"
        " HassShoppingListCompleteItem ListClear ListCreate ListDelete ListGetItems ListNames ShoppingListClear"
        " ShoppingListGetItems"
        " RememberFact RecallFact"
    ),
    "house": (
        "HassTurnOn HassTurnOff HassToggle HassLightSet HassSetPosition HassFanSetSpeed HassClimateSetTemperature"
        " ClimateSetMode CoverStop PressButton HassSetVolume HassSetVolumeRelative HassMediaSearchAndPlay"
        " HassMediaPause HassMediaUnpause HassMediaNext HassMediaPrevious HassMediaPlayerMute HassMediaPlayerUnmute"
        " HassVacuumStart HassVacuumReturnToBase HassVacuumCleanArea HassLawnMowerStartMowing HassLawnMowerDock"
        " AlarmArm AlarmDisarm"
        " HassGetState HassClimateGetTemperature HassBroadcast Undo RunRoutine ListRoutines"
        " CreateRoutine DeleteRoutine RenameDevice AliasDevice MoveDevice HideDevice FavouriteDevice GuardDevice"
        " GrantApproval ListApprovals SetPermission"
    ),
    "sure": "ForgetFact ForgetToday GiveConsent WithdrawConsent TellConsents EnrollVoice",
}
NEEDS: Mapping[str, Needs] = {intent: needs for needs, intents in TABLE.items() for intent in intents.split()}
UNTHOUGHT: Needs = "sure"
"""Of an intent that is in no line: until somebody decides."""
FOR_LATER = "command"
"""The kind of reminder that moves the house at its hour: whoever cancels it may keep a door open."""


def needs_of(intent: Intent, context: Context) -> Needs:
    """Return how sure the house has to be for this: as the table says, but for what is in it more than everyday."""
    needs = NEEDS.get(intent.name, UNTHOUGHT)
    return "sure" if needs == "likely" and (_for_another(intent, context) or _delicate(intent, context)) else needs


def _for_another(intent: Intent, context: Context) -> bool:
    """Tell whether it is somebody else's by name."""
    person, name = intent.slots.get("person"), context.speaker.name
    return person is not None and (name is None or fold(str(person)) != fold(name))


def _delicate(intent: Intent, context: Context) -> bool:
    """Tell whether it is a promised command, or a secret: kept as another's, it would be read to that other."""
    if intent.name == "RecallFact":
        return is_secret(str(intent.slots.get("about") or "")) or is_secret(context.text)
    if intent.name != "RememberFact":
        return intent.slots.get("kind") == FOR_LATER
    said = [str(intent.slots.get("text") or context.text), str(intent.slots.get("words") or context.text)]
    return any(asks_for_secrecy(one) or is_secret(one) for one in said)
