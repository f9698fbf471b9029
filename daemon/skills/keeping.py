"""What the house keeps for its people: reminders, alarms, timers and lists; and "para", which hushes what rings."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from daemon.language.plan import Intent
from daemon.language.replies import Replies
from daemon.skills.lists import ListSkills
from daemon.skills.reminders import ReminderSkills
from daemon.skills.skill import Action, Carried, Context, Done, Skill
from daemon.skills.talk import talk_skills
from daemon.skills.timers import TimerSkills
from db.bounded import PROMISE_S, within
from db.database import Database
from db.recurrence import WorkingDays


def keeping_skills(
    db: Database,
    replies: Replies,
    calendar: Callable[[], WorkingDays | None] = lambda: None,
    hush: Callable[[], bool] = lambda: False,
) -> dict[str, Skill]:
    """Return the skills by intent. `calendar` are the household's working days; `hush` stops what rings or speaks."""
    nevermind = talk_skills(replies)["HassNevermind"]

    async def stop(intent: Intent, actions: Sequence[Action], context: Context) -> Carried:
        if "declined" not in intent.slots and hush():
            return Carried(replies.say("reminder.hushed", seed=context.seed), (Done(ok=True, result={"hushed": True}),))
        return await nevermind.act(intent, actions, context)

    kept = {
        **ReminderSkills(db, replies, calendar, hush).by_intent(),
        **TimerSkills(db, replies).by_intent(),
        **ListSkills(db, replies).by_intent(),
    }
    return {"HassNevermind": replace(nevermind, act=stop), **{name: _in_time(skill) for name, skill in kept.items()}}


def _in_time(skill: Skill) -> Skill:
    """Return the skill, which gives up after PROMISE_S: then nothing of it is stored, and that is what is said."""

    async def act(intent: Intent, actions: Sequence[Action], context: Context) -> Carried:
        return await within(PROMISE_S, skill.act(intent, actions, context))

    return replace(skill, act=act)
