"""The household's language model answers what no skill does: with hands, with memory, and with nothing untrue.

Static prompt and tools ──▶ history ──▶ question with its data ──▶ model ─┬─▶ sentences, each checked ──▶ spoken
                                                   ▲                      └─▶ calls ──▶ hands ──▶ results ─┐
                                                   └───────────────────────────────────────────────────────┘
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field

import structlog

from daemon.acting import Acting
from daemon.ahead import ahead
from daemon.brain.answering import Given, Round
from daemon.brain.claims import Claims
from daemon.brain.grounds import Grounds
from daemon.brain.hands import Hands
from daemon.brain.prompt import asks, instructions, question, words
from daemon.brain.prompts import Prompts, Version
from daemon.brain.recall import Nothing, Recalls, Remembered
from daemon.brain.shadow import Asked, Records
from daemon.brain.streams import after, patiently
from daemon.brain.tools import Toolbox
from daemon.engines.plug import Plug
from daemon.engines.protocols import Chat, ChatMessage, Tool
from daemon.errors import EngineFailed, EngineMissing, LinkDown
from daemon.language.plan import Household
from daemon.skills.skill import Context
from daemon.turn import Turn
from db.database import Database
from db.messages import history

log = structlog.get_logger(__name__)

REMEMBERED = 8
"""So many messages of the conversation go to the language model."""
RECALL_S = 0.25
"""Longest wait for the memory, should it not keep its own bound."""
STILL_THERE_S = 0.4
"""Longest wait for a silent server to say that it is there."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one answer may take: rounds of calls, seconds in all, seconds of silence before a word of comfort."""

    tools: bool = True
    rounds: int = 4
    whole_s: float = 45.0
    patience_s: float = 1.8


@dataclass(frozen=True, slots=True)
class Brain:
    """Answers by the language model of `plug`."""

    plug: Plug[Chat]
    acting: Acting
    db: Database
    toolbox: Toolbox
    grounds: Grounds
    prompts: Prompts
    records: Records
    limits: Callable[[], Limits] = Limits
    recall: Recalls = field(default_factory=Nothing)
    claims: Claims = field(default_factory=Claims.load)

    async def answer(self, turn: Turn, context: Context, stored: Awaitable[None]) -> AsyncGenerator[str, None]:
        """Yield the sentences to speak; any failure of the model becomes one that is honest.

        The model reads while what was heard goes to the disk; nothing is done or said before `stored`. Raises LinkDown
        where that does, or where what the model calls for can be recorded nowhere.
        """
        self.records.stop_shadow()
        storing = asyncio.ensure_future(stored)
        try:
            async with aclosing(self._answer(turn, context, storing)) as sentences:
                async for sentence in sentences:
                    yield sentence
        finally:
            storing.cancel()
            await asyncio.wait({storing})

    async def _answer(self, turn: Turn, context: Context, stored: "asyncio.Future[None]") -> AsyncGenerator[str, None]:
        monotonic = self.acting.clock.monotonic
        given = Given(monotonic(), monotonic)
        hands = Hands(turn, context, self.toolbox, self.grounds, self.acting)
        messages = await self._messages(turn, context, given)
        asked = Asked(turn, context, self.prompts.active, messages, self._tools())
        failure: EngineFailed | LinkDown | None = None
        try:
            async with aclosing(self._rounds(asked, given, hands, stored)) as sentences:
                async for sentence in sentences:
                    turn.steps.setdefault("first_sentence", given.ms)
                    yield sentence
        except _Lost as lost:
            failure = lost.why
            await stored
            if (sorry := self._sorry(turn, failure, given, hands)) is not None:
                yield given.tell(sorry)
        finally:
            self.records.keep(asked, given, hands.taken, "" if failure is None else str(failure))
        if not given.told:
            yield given.tell(self.acting.replies.say("brain.lost", seed=context.seed))
        if failure is None and self.prompts.shadow is not None:
            self.records.start_shadow(asked, self.prompts.shadow)

    def static(self, household: Household, version: Version | None = None) -> tuple[list[ChatMessage], Sequence[Tool]]:
        """Return how every conversation in this house begins."""
        return [instructions((version or self.prompts.active).content, household)], self._tools()

    async def _rounds(
        self, asked: Asked, given: Given, hands: Hands, stored: "asyncio.Future[None]"
    ) -> AsyncGenerator[str, None]:
        """Talk with the model until it calls for nothing more, or the person was asked, or it is enough."""
        limits = self.limits()
        messages = [instructions(asked.version.content, asked.context.household), *asked.messages]
        try:
            async with self.plug.use() as model, _hung_up(model):

                async def waiting() -> str:
                    return await self._comfort(model, given, asked.context)

                while given.rounds < limits.rounds and given.ms < limits.whole_s * 1000:
                    given.rounds += 1
                    now = Round(given, hands, self.claims, waiting)
                    pieces = ahead(model.chat(messages, asked.tools))
                    patient = after(stored, patiently(pieces, limits.patience_s))
                    async with aclosing(pieces), aclosing(patient), aclosing(now.sentences(patient)) as sentences:
                        async for sentence in sentences:
                            yield sentence
                    if not now.calls or hands.asked:
                        return
                    messages += now.replies()
        except (EngineFailed, LinkDown) as failure:
            if isinstance(failure, LinkDown) and failure.what != "ollama":
                raise
            raise _Lost(failure) from failure

    async def _comfort(self, model: Chat, given: Given, context: Context) -> str:
        """Return what is said to somebody who waits, once the server said that it is there. Raises as `check`."""
        try:
            async with asyncio.timeout(STILL_THERE_S):
                await model.check()
        except TimeoutError:
            raise EngineFailed(model.name, "o servidor não responde", "slow") from None
        return given.tell(self.acting.replies.say("brain.thinking", seed=context.seed))

    def _sorry(self, turn: Turn, failure: EngineFailed | LinkDown, given: Given, hands: Hands) -> str | None:
        """Return the sentence for a failure; None where all that was asked for is done and told."""
        turn.outcome = "model_failed"
        log.warning("model_failed", turn=str(turn.id), why=failure.why, after_rounds=given.rounds)
        if isinstance(failure, EngineMissing):
            turn.notices.append(f"{failure.why} ({failure.mend})")
        if hands.taken and given.told and given.rounds > 1:
            turn.outcome = "answered"
            return None
        plan = turn.understood.plan
        if plan.unknown is not None and not hands.taken:  # a command for what is not there: that is known without it
            return self.acting.replies.say("unknown.thing", seed=hands.context.seed, thing=plan.unknown)
        if plan.cannot is not None and not hands.taken:
            return self.acting.replies.say("unknown.known", name=plan.cannot)
        if given.known and not given.told and not hands.taken:
            return self.acting.replies.say("brain.remembered", fact=given.known)
        key = "away" if isinstance(failure, LinkDown) else "missing" if isinstance(failure, EngineMissing) else "failed"
        if isinstance(failure, EngineFailed) and failure.kind != "broken":
            key = failure.kind
        return self.acting.replies.say(f"brain.{key}", seed=hands.context.seed)

    async def _messages(self, turn: Turn, context: Context, given: Given) -> list[ChatMessage]:
        """Return the conversation so far and the question, with what is remembered of it."""
        recent, remembered = await asyncio.gather(self._recent(turn), self._remembered(context))
        # Without their words: what somebody has the house forget must not live on here.
        turn.rag_context = [{"id": str(each.id), "score": round(each.score, 4)} for each in remembered]
        if remembered and remembered[0].sure and asks(context.text):
            given.known = remembered[0].text
        return [*recent, question(context, remembered)]

    async def _recent(self, turn: Turn) -> list[ChatMessage]:
        """Return the conversation so far, oldest first; without a database the model answers without it."""
        try:
            messages = await history(self.db, turn.conversation_id, REMEMBERED, before=turn.id)
        except LinkDown:
            return []
        return [ChatMessage(m.role, words(m.content)) for m in messages if m.role != "system"]

    async def _remembered(self, context: Context) -> Sequence[Remembered]:
        try:
            async with asyncio.timeout(RECALL_S):
                return await self.recall.recall(context.text, context.speaker, context.area, context.now)
        except TimeoutError:
            log.warning("recall_too_slow", bound_s=RECALL_S)
            return ()

    def _tools(self) -> Sequence[Tool]:
        return self.toolbox.tools if self.limits().tools else ()


@asynccontextmanager
async def _hung_up(model: Chat) -> AsyncIterator[None]:
    """Have nothing left open behind a conversation, however it ends."""
    try:
        yield
    finally:
        await model.hang_up()


class _Lost(Exception):  # noqa: N818 - never leaves this file
    """The model failed, and not the house: told apart from a LinkDown of the ledger."""

    def __init__(self, why: EngineFailed | LinkDown) -> None:
        super().__init__(str(why))
        self.why = why
