"""Plan to Reply: skills first, the language model for the rest. Only here, and only now, are there effects."""

from collections.abc import AsyncGenerator, Awaitable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Protocol

from daemon.acting import Acting, Planned
from daemon.language.plan import Plan
from daemon.skills.skill import Context
from daemon.turn import Turn


class Thinks(Protocol):
    """What answers a sentence that no skill serves."""

    def answer(self, turn: Turn, context: Context, stored: Awaitable[None]) -> AsyncGenerator[str, None]:
        """Yield the sentences to speak, and act, once `stored` has come: what was heard is kept. Raises as that."""
        ...


class Asks(Protocol):
    """What may be asked of somebody once they have their answer."""

    async def after(self, turn: Turn, context: Context) -> Plan | None:
        """Return the question, None for none. Raises nothing."""
        ...


@dataclass(frozen=True, slots=True)
class Answers:
    """Answers turns: `acting` does what was understood, `brain` answers the rest (None: a house without one).

    `asks` may add a question to an answer.
    """

    acting: Acting
    brain: Thinks | None = None
    asks: Asks | None = None

    async def reply(self, turn: Turn, context: Context) -> AsyncGenerator[str, None]:
        """Store what was heard, act, and yield the sentences to speak, each as soon as it is whole.

        Raises LinkDown when what was heard can be kept neither in the database nor in the spool; nothing was done then.
        """
        async with aclosing(self._answered(turn, context)) as sentences:
            async for sentence in sentences:
                yield sentence
        asked = await self.asks.after(turn, context) if self.asks is not None else None
        if asked is not None:
            turn.asked = asked
            yield str(asked.question)

    async def _answered(self, turn: Turn, context: Context) -> AsyncGenerator[str, None]:
        plan = turn.understood.plan
        planned, instead = list[Planned](), plan.question
        if instead is None:
            planned, instead = await self.acting.prepare(turn, plan.intents, context)
        if instead is None and plan.route == "llm" and self.brain is not None:
            async with aclosing(self.brain.answer(turn, context, self.acting.store(turn, planned))) as sentences:
                async for sentence in sentences:
                    yield sentence
            return
        await self.acting.store(turn, planned)
        if instead is not None:
            yield instead
        elif plan.route == "llm":
            yield self.acting.replies.say("brain.missing", seed=context.seed)
        for each in planned:
            yield await self.acting.carry_out(turn, each, context)

    async def settle(self) -> None:
        """Return when every action that was begun has its end in the ledger."""
        await self.acting.settle()
