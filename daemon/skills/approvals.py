"""Leave by voice: "pode", "não pode", and what waits for an answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from daemon.language.consent import CONFIRMED
from daemon.language.plan import Intent, Plan
from daemon.language.replies import Replies
from daemon.people.person import Person
from daemon.skills.saying import listed
from daemon.skills.skill import Action, Carried, Context, Done, Skill, asking
from db.audit import Channel


@dataclass(frozen=True, slots=True)
class Answer:
    """What somebody answered: who, by which way, and where they were heard saying it (None: not aloud)."""

    granted: bool
    person: Person
    by: str
    via: Channel
    area: str | None = None


class Requests(Protocol):
    """What these skills need of the approvals."""

    async def answer(self, approval: UUID | None, answer: Answer) -> str:
        """Record an answer to a request (None: the newest). Raises CannotDo, Refused, LinkDown."""
        ...

    async def waiting(self) -> list[tuple[str, str]]:
        """Return what waits, as (who asked, for what). Raises LinkDown."""
        ...


class Leave(Protocol):
    """What somebody asked leave for, and anybody may answer."""

    def question(self) -> Plan | None:
        """Return the question that waits, as what was asked before; None where none waits."""
        ...

    def doubted(self, plan: Plan, speaker: Person, speech_s: float) -> Plan:
        """Return the plan, or a question who speaks, where it would give leave in too few words to tell by voice."""
        ...


class NoLeave:
    """A house in which nobody asks for leave."""

    def question(self) -> None:
        """None waits."""

    def doubted(self, plan: Plan, *_: object) -> Plan:
        """Doubt nothing."""
        return plan


@dataclass(frozen=True, slots=True)
class ApprovalSkills:
    """The skills of giving leave."""

    requests: Requests
    replies: Replies

    def by_intent(self) -> dict[str, Skill]:
        """Return the skills by the intents that they carry out."""
        return {
            "GrantApproval": Skill(asking("answer_approval", "household"), self.answer),
            "ListApprovals": Skill(asking("list_approvals"), self.read_out),
        }

    async def answer(self, intent: Intent, _: Sequence[Action], context: Context) -> Carried:
        """Answer the request that is meant, or the newest."""
        granted, named = intent.slots.get(CONFIRMED) is True, intent.slots.get("approval")
        heard = context.area if context.channel == "voice" else None
        said = await self.requests.answer(
            UUID(str(named)) if named else None,
            Answer(granted, context.speaker, context.who, context.channel, heard),
        )
        return Carried(said, (Done(ok=True, result={"granted": granted}),))

    async def read_out(self, _: Intent, __: Sequence[Action], context: Context) -> Carried:
        """Tell what waits for an answer."""
        waiting = await self.requests.waiting()
        done = (Done(ok=True, result={"count": len(waiting)}),)
        if not waiting:
            return Carried(self.replies.say("approval.none", seed=context.seed), done)
        told = [self.replies.say("approval.waiting_one", who=who, doing=doing) for who, doing in waiting]
        return Carried(self.replies.say("approval.waiting", listed=listed(told)), done)
