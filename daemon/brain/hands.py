"""The language model's hands for one turn: each call goes the way of a spoken command, or comes back with a reason.

A call that the person's words do not ask for is put to them as a question; a yes carries it out, as it does a gate.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Literal

import structlog

from daemon.acting import Acting, Planned
from daemon.brain.arguments import Arguments
from daemon.brain.grounds import Grounds
from daemon.brain.prompt import cleaned, quoted
from daemon.brain.tools import Toolbox, Unusable
from daemon.engines.protocols import ToolCall
from daemon.errors import Spoken
from daemon.language.consent import CONFIRMED
from daemon.language.plan import Intent, Plan
from daemon.skills.saying import listed
from daemon.skills.skill import Context
from daemon.turn import Turn

log = structlog.get_logger(__name__)

MOST_CALLS = 12
"""Calls of one turn; what comes after is not done."""
LONGEST_TOLD = 80
"""Characters of a text that is told back in a question."""

Outcome = Literal["done", "failed", "asked", "refused", "invalid", "again"]
"""What became of a call: carried out, tried in vain, put to the person, not allowed (or not possible), no call at all,
or the same as one before.
"""


@dataclass(frozen=True, slots=True)
class Taken:
    """A call and what became of it. `say` is for the person, `result` for the model."""

    call: ToolCall
    outcome: Outcome
    result: str
    say: str = ""


@dataclass(slots=True)
class Hands:
    """Takes the calls of one turn. `asked` tells that the person was asked something: then no more is done."""

    turn: Turn
    context: Context
    toolbox: Toolbox
    grounds: Grounds
    acting: Acting
    taken: list[Taken] = field(default_factory=list)

    @property
    def asked(self) -> bool:
        """Whether the person was asked back."""
        return self.turn.asked is not None

    @property
    def told_otherwise(self) -> bool:
        """Whether the person has heard already that something was not done."""
        return self.asked or any(taken.say and taken.outcome != "done" for taken in self.taken)

    def correction(self) -> str:
        """Return what is said instead of a deed that was not done."""
        return self.acting.replies.say("brain.not_done", seed=self.context.seed)

    async def take(self, call: ToolCall) -> Taken:
        """Do what a call asks, as if the person had. Raises LinkDown where it cannot be recorded: then nothing is."""
        taken = await self._take(call)
        self.taken.append(taken)
        log.info("tool_called", turn=str(self.turn.id), tool=call.name[:40], outcome=taken.outcome)
        return taken

    async def _take(self, call: ToolCall) -> Taken:
        if any(_same(before.call, call) for before in self.taken):
            return Taken(call, "again", quoted({"feito": False, "por_que": "isto já foi pedido nesta conversa"}))
        if self.asked or len(self.taken) >= MOST_CALLS:
            return Taken(call, "refused", quoted({"feito": False, "por_que": "não há mais o que fazer agora"}))
        try:
            said = self.toolbox.read(call)
            intent = self.toolbox.intent(said, self.context)
        except Unusable as unusable:
            return Taken(call, "invalid", quoted({"feito": False, "por_que": cleaned(unusable.why)}))
        if not said.reads and not self.grounds.asked_for(said, intent, self.context):
            # Before what may be is looked at: to ask others for leave would be to do something already.
            question = self._ask(said, intent)
            return Taken(call, "asked", _told(question, done=False), question)
        planned, instead = await self.acting.prepare(self.turn, (intent,), self.context)
        if instead is not None:
            return Taken(call, "asked" if self.asked else "refused", _told(instead, done=False), instead)
        return await self._do(call, said, planned)

    async def _do(self, call: ToolCall, said: Arguments, planned: Sequence[Planned]) -> Taken:
        before = len(self.turn.actions)
        await self.acting.store(self.turn, planned)
        say = " ".join([await self.acting.carry_out(self.turn, each, self.context) for each in planned])
        ended = self.turn.actions[before:]
        done = any(action.status == "success" for action in ended)
        if self.asked:
            return Taken(call, "asked", _told(say, done=False), say)
        data = {action.name: cleaned(action.result) for action in ended if action.result} if said.reads else {}
        return Taken(call, "done" if done else "failed", _told(say, done=done, data=data), "" if said.reads else say)

    def _ask(self, said: Arguments, intent: Intent) -> str:
        """Ask the person whether this is what they want, and have a yes carry it out."""
        question = self.acting.replies.say("brain.sure", doing=self._doing(said, intent))
        wanted = replace(intent, slots={"words": self.turn.understood.text, **intent.slots})
        self.turn.asked = Plan("skill", (wanted,), 1.0, question=question, awaits=CONFIRMED)
        return question

    def _doing(self, said: Arguments, intent: Intent) -> str:
        """Return what would be done, as an infinitive."""
        replies = self.acting.replies
        verbs: dict[str, list[str]] = {}
        with suppress(Spoken):
            sure = replace(intent, slots={**intent.slots, CONFIRMED: True})
            for action in self.acting.skills[intent.name].actions(sure, self.context):
                if action.type == "iot_control":
                    verbs.setdefault(action.name, []).append(str(action.parameters.get("name")))
        if verbs:
            told = [replies.devices("promised", verb, list(dict.fromkeys(names))) for verb, names in verbs.items()]
            return listed(told)
        if things := [one.name for one in self.context.household.things if one.id in intent.targets]:
            told_when = str(intent.slots.get("when") or "")[:LONGEST_TOLD]
            return ", ".join(filter(None, (replies.intended(intent.name, things, intent.slots), told_when)))
        slots: dict[str, object] = dict.fromkeys(("message", "when", "query", "name", "item", "text"), "")
        slots |= {name: str(value)[:LONGEST_TOLD] for name, value in intent.slots.items() if name in slots}
        slots["text"] = intent.slots.get("text", "")  # whole: nothing is kept that was not told
        return replies.say(f"brain.doing.{said.TOOL}", seed=0, **slots).strip()


def _told(say: str, *, done: bool, data: Mapping[str, object] | None = None) -> str:
    return quoted({"feito": done, "dito": cleaned(say), **({"dados": data} if data else {})})


def _same(one: ToolCall, other: ToolCall) -> bool:
    return one.name == other.name and quoted(one.arguments) == quoted(other.arguments)
