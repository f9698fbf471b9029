"""Small talk that needs no language model."""

from collections.abc import Sequence

from daemon.language.plan import Intent
from daemon.language.replies import Replies
from daemon.skills.skill import Action, Carried, Context, Done, Skill, asking


def talk_skills(replies: Replies) -> dict[str, Skill]:
    """Return the skills that only say something, by intent."""

    async def nevermind(_: Intent, __: Sequence[Action], context: Context) -> Carried:
        return Carried(replies.say("talk.nevermind", seed=context.seed), (Done(ok=True, result={}),))

    return {"HassNevermind": Skill(asking("nevermind"), nevermind)}
