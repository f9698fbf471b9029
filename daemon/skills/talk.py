"""Small talk that needs no language model."""

from collections.abc import Sequence

from daemon.language.plan import Intent
from daemon.language.replies import Replies
from daemon.skills.skill import Action, Carried, Context, Done, Skill, asking


def talk_skills(replies: Replies) -> dict[str, Skill]:
    """Return the skills that only say something, by intent."""

    async def nevermind(_: Intent, __: Sequence[Action], context: Context) -> Carried:
        return Carried(replies.say("talk.nevermind", seed=context.seed), (Done(ok=True, result={}),))

    async def respond(intent: Intent, _: Sequence[Action], context: Context) -> Carried:
        kind = intent.slots.get("kind")
        if kind == "greeting":
            say = replies.greeting(context.now, seed=context.seed)
        else:
            say = replies.say("talk.thanks" if kind == "thanks" else "talk.ok", seed=context.seed)
        return Carried(say, (Done(ok=True, result={}),))

    return {
        "HassNevermind": Skill(asking("nevermind"), nevermind),
        "HassRespond": Skill(asking("respond"), respond),
    }
