"""Words for the whole house: "avisa todo mundo que o jantar está pronto"."""

import re
from collections.abc import Callable, Sequence

from daemon.errors import CannotDo
from daemon.language.plan import Intent
from daemon.language.replies import Replies
from daemon.skills.skill import Action, Carried, Context, Done, Skill, asking

_STATE = re.compile(
    r"\s+(?:(?:está|tá|ta|estão|tão)\s+)?(?:pront[oa]s?|na mesa|servid[oa]s?|saindo)\b|\s+(?:está|tá|ta|estão|tão)\b",
    re.IGNORECASE,
)
WRITTEN = frozenset({"text", "mqtt"})


def broadcast_skills(replies: Replies, announce: Callable[[str], None]) -> dict[str, Skill]:
    """Return the skill of announcements. `announce` has a sentence spoken once the voice is free."""

    async def act(intent: Intent, _: Sequence[Action], context: Context) -> Carried:
        message = _as_said(str(intent.slots.get("message") or "").strip(" .!"), context.text)
        message = message or _bidden(intent, context.text)
        if not message:
            raise CannotDo(replies.say("broadcast.what", seed=context.seed))
        said = _addressed(intent, message, replies)
        done = (Done(ok=True, result={"message": message}),)
        if context.source not in WRITTEN:
            return Carried(said, done)  # the answer itself sounds where all can hear it
        announce(said)
        return Carried(replies.say("broadcast.sent", seed=context.seed), done)

    return {"HassBroadcast": Skill(asking("broadcast", "household"), act)}


def _addressed(intent: Intent, message: str, replies: Replies) -> str:
    """Return the words that are said aloud: to all, or to whom they are for."""
    person = str(intent.slots.get("person") or "")
    if not person:
        return replies.say("broadcast.aloud", message=message)
    return replies.say("broadcast.to", name=person[:1].upper() + person[1:],
                       message=f"é pra {message}" if intent.slots.get("bidden") else message)  # fmt: skip


def _bidden(intent: Intent, said: str) -> str:
    """Return what somebody is to do, where only fixed words tell it: the last ones, after whom it is for."""
    person = str(intent.slots.get("person") or "").casefold()
    at = said.casefold().find(person) if person and intent.slots.get("bidden") else -1
    return said[at + len(person) :].strip(" .!?,") if at >= 0 else ""


def _as_said(message: str, said: str) -> str:
    """Return the message as it was said: "o jantar está pronto" may be read as "jantar", which is no news."""
    at = said.find(message)
    if not message or at < 0:
        return message
    before, after = said[:at].split(), _STATE.match(said[at + len(message) :])
    article = f"{before[-1].lower()} " if before and before[-1].lower() in {"o", "a", "os", "as"} else ""
    return f"{article}{message}{after.group() if after else ''}"
