"""What time it is, what day it is."""

from collections.abc import Callable, Sequence

from daemon.language.plan import Intent
from daemon.language.replies import Replies
from daemon.skills.skill import Action, Carried, Context, Done, Skill, asking


def clock_skills(replies: Replies) -> dict[str, Skill]:
    """Return the skills that read the clock, by intent."""

    def skill(name: str, answer: Callable[[Context], str]) -> Skill:
        async def act(_: Intent, __: Sequence[Action], context: Context) -> Carried:
            return Carried(answer(context), (Done(ok=True, result={"now": context.now.isoformat()}),))

        return Skill(asking(name), act)

    return {
        "HassGetCurrentTime": skill("get_time", lambda context: replies.time(context.now, seed=context.seed)),
        "HassGetCurrentDate": skill("get_date", lambda context: replies.date(context.now, seed=context.seed)),
    }
