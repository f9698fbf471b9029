"""Small talk that needs no language model, and the last answer once more, slower where that is asked."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from config.preference import Preference, T
from config.preferences import TTS_SPEED, Preferences
from daemon.errors import LinkDown
from daemon.language.plan import Intent
from daemon.language.replies import Replies
from daemon.skills.skill import Action, Carried, Context, Done, Skill, asking
from db.audit import Channel

REPEATS = "RepeatReply"
"""The intent that says the last answer again: what was talked about stays what it was."""
STEP = 0.15
"""By so much "mais devagar" changes how fast is spoken."""


JustSpoken = Callable[[Context], Awaitable[str | None]]


class Settings(Protocol):
    """The household's preferences, and the way to change one."""

    def now(self) -> Preferences:
        """Return the set in force."""
        ...

    async def set(self, preference: Preference[T], value: T, by: str, channel: Channel) -> None:
        """Store a value and take it over. Raises InvalidPreference, LinkDown."""
        ...


def talk_skills(
    replies: Replies, settings: Settings | None = None, just_spoken: JustSpoken | None = None
) -> dict[str, Skill]:
    """Return the skills that only say something, by intent. Without `settings` nothing is said slower.

    `just_spoken` returns the reminder that was spoken last, if any: who answers with "o que você disse?" means that.
    """

    async def nevermind(_: Intent, __: Sequence[Action], context: Context) -> Carried:
        return Carried(replies.say("talk.nevermind", seed=context.seed), (Done(ok=True, result={}),))

    async def respond(intent: Intent, _: Sequence[Action], context: Context) -> Carried:
        kind = intent.slots.get("kind")
        if kind == "greeting":
            say = replies.greeting(context.now, seed=context.seed)
        else:
            say = replies.say(
                f"talk.{kind}" if kind in {"thanks", "unasked", "howdy", "conditions"} else "talk.ok", seed=context.seed
            )
        return Carried(say, (Done(ok=True, result={}),))

    async def repeat(intent: Intent, _: Sequence[Action], context: Context) -> Carried:
        pace = intent.slots.get("pace")
        spoken = [] if pace is None else [await _at_pace(str(pace), replies, settings, context)]
        reminder = None if context.said or just_spoken is None else await just_spoken(context)
        spoken += context.said or ([replies.say("reminder.due", title=reminder)] if reminder else [])
        say = " ".join(spoken) or replies.say("talk.nothing_said", seed=context.seed)
        return Carried(say, (Done(ok=True, result={"said": bool(context.said or reminder)}),))

    return {
        "HassNevermind": Skill(asking("nevermind"), nevermind),
        "HassRespond": Skill(asking("respond"), respond),
        REPEATS: Skill(asking("repeat_reply"), repeat),
    }


_PACES: dict[str, Callable[[float], float]] = {
    "slower": lambda speed: speed - STEP,
    "faster": lambda speed: speed + STEP,
    "normal": lambda _: TTS_SPEED.default,
}


async def _at_pace(pace: str, replies: Replies, settings: Settings | None, context: Context) -> str:
    """Set how fast is spoken from now on, and say so; also that it cannot be set."""
    if settings is None or not context.trusted:
        return replies.say("talk.pace_stays")
    before = settings.now()[TTS_SPEED]
    low, high = float(TTS_SPEED.minimum or 0), float(TTS_SPEED.maximum or 2)
    wanted = round(min(high, max(low, _PACES[pace](before))), 2)
    if wanted == before:
        return replies.say("talk.pace_normal" if pace == "normal" else "talk.pace_end")
    try:
        await settings.set(TTS_SPEED, wanted, context.who, context.channel)
    except LinkDown:
        return replies.say("talk.pace_stays")
    return replies.say(f"talk.pace_{pace}")
