"""The one way from intents to effects, for what was understood and for what the language model calls alike.

intents ──meant──▶ what is really carried out ──checked──▶ actions ──stored──▶ carried out ──recorded──▶ sentences
"""

import asyncio
from collections.abc import Awaitable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol
from uuid import UUID

import structlog

from daemon.clock import Clock
from daemon.errors import LinkDown, Refused, Spoken
from daemon.language.plan import Intent
from daemon.language.replies import Replies
from daemon.skills.skill import Action, AsksBack, Carried, Context, Done, Others, Skill, joined
from daemon.turn import ActionDone, Turn
from db.ledger import HeardMessage, Ledger, NewAction

log = structlog.get_logger(__name__)

Planned = tuple[Intent, Skill, tuple[Action, ...]]


class Permits(Protocol):
    """Whether somebody may have this done."""

    async def check(self, intents: Sequence[Intent], context: Context) -> None:
        """Return where all of it is allowed. Raises Refused, AsksBack or another Spoken where it is not."""
        ...


class Everybody:
    """Permits everything to everybody."""

    async def check(self, intents: Sequence[Intent], context: Context) -> None:
        """Return."""


@dataclass(frozen=True, slots=True)
class Acting:
    """Takes actions. `skills` maps an intent's name to the skill that carries it out."""

    skills: Mapping[str, Skill]
    ledger: Ledger
    replies: Replies
    clock: Clock
    permits: Permits = field(default_factory=Everybody)
    under_way: set[asyncio.Future[str]] = field(default_factory=set)

    async def prepare(
        self, turn: Turn, intents: Sequence[Intent], context: Context
    ) -> tuple[list[Planned], str | None]:
        """Return what will be done, or what is said instead: half of what was asked would surprise more than none.

        Changes nothing in the house. What is asked back is left in `turn.asked`.
        """
        try:
            intents = self._whole(turn, intents)
            await self.permits.check([one for one in intents if self._stands_for(one) is not None], context)
            meant = joined([one for intent in intents for one in await self._meant(intent, context)])
            if any(intent.name not in self.skills for intent in meant):
                return [], self.replies.say("skill.missing", seed=context.seed)
            await self.permits.check(meant, context)
            with_skills = [(intent, self.skills[intent.name]) for intent in meant]
            return [(intent, skill, skill.actions(intent, context)) for intent, skill in with_skills], None
        except LinkDown as down:
            return [], self._away(turn, down, context)
        except AsksBack as asks:
            say = self._spoken(turn, asks, context)
            turn.asked = replace(asks.plan, intents=_with_words(intents, turn))  # a yes is for all of it
            return [], say
        except Spoken as spoken:
            return [], self._spoken(turn, spoken, context)

    async def store(self, turn: Turn, planned: Sequence[Planned]) -> None:
        """Commit what was heard with these actions as pending; called again for the turn it adds actions only.

        Raises LinkDown when it can be kept neither in the database nor in the spool: nothing may be done then.
        """
        began = self.clock.monotonic()
        understood = turn.understood
        transcript, utterance = understood.transcript, understood.utterance
        names = [intent.name for intent in understood.plan.intents]
        await self.ledger.heard(
            HeardMessage(
                conversation_id=turn.conversation_id,
                message_id=turn.id,
                text=understood.text,
                at=turn.started_at,
                user_id=turn.user_id,
                intent="+".join(names)[:100] or understood.plan.route,
                confidence=transcript.confidence if transcript else understood.plan.confidence,
                audio_duration_ms=utterance.duration_ms if utterance else None,
                transcription_model=transcript.model[:50] if transcript else None,
                metadata={"source": turn.source, "area": turn.area, "route": understood.plan.route},
                actions=tuple(
                    NewAction(a.id, a.type, a.name, a.parameters) for _, _, actions in planned for a in actions
                ),
            )
        )
        turn.steps["store"] = turn.steps.get("store", 0.0) + (self.clock.monotonic() - began) * 1000

    async def carry_out(self, turn: Turn, planned: Planned, context: Context) -> str:
        """Take the stored actions and return what to say; before it is said, the ledger has what must not be forgotten.

        Who cuts in stops the voice, not a command that is on its way: its row must learn how it ended.
        """
        return await asyncio.shield(self._keep(self._carry_out(turn, *planned, context)))

    async def settle(self) -> None:
        """Return when every action that was begun has its end in the ledger."""
        while self.under_way:
            await asyncio.wait(set(self.under_way))

    def _whole(self, turn: Turn, intents: Sequence[Intent]) -> Sequence[Intent]:
        """Return the intents, or the one alone that takes the whole sentence."""
        for intent in intents:
            skill = self.skills.get(intent.name)
            if skill is not None and skill.whole:
                return (replace(intent, slots={"text": turn.understood.text, **intent.slots}),)
        return intents

    async def _meant(self, intent: Intent, context: Context) -> tuple[Intent, ...]:
        """Return the intents that are carried out for this one; most are that themselves."""
        stands_for = self._stands_for(intent)
        return (intent,) if stands_for is None else await stands_for(intent, context)

    def _stands_for(self, intent: Intent) -> Others | None:
        skill = self.skills.get(intent.name)
        return None if skill is None else skill.stands_for

    async def _carry_out(
        self, turn: Turn, intent: Intent, skill: Skill, actions: tuple[Action, ...], context: Context
    ) -> str:
        began = self.clock.monotonic()
        ids = [action.id for action in actions]
        moves = any(action.type != "query" for action in actions)
        # The pending rows are committed, so a command need not wait until they read "executing".
        begun = self._keep(self._record_begun(ids)) if moves else None
        carried = await self._act(turn, intent, skill, actions, context)
        ended = [_ended(action, done) for action, done in zip(actions, carried.outcomes, strict=True)]
        turn.actions += ended
        # Nor need the voice: what a skill promises it has stored itself, and a lamp that says it is on, is.
        self._keep(self._record_ended(begun or self._record_begun(ids), ended))
        turn.steps["act"] = turn.steps.get("act", 0.0) + (self.clock.monotonic() - began) * 1000
        return carried.say

    async def _record_begun(self, ids: Sequence[UUID]) -> str:
        await self.ledger.executing(ids, self.clock.now())
        return ""

    async def _record_ended(self, begun: Awaitable[str], ended: Sequence[ActionDone]) -> str:
        await begun
        at = self.clock.now()
        await asyncio.gather(
            *(
                self.ledger.finished(action.id, status=action.status, result=action.result, error=action.error, at=at)
                for action in ended
            )
        )
        return ""

    def _keep(self, work: Coroutine[None, None, str]) -> "asyncio.Future[str]":
        """Let work go on whatever becomes of the turn."""
        task = asyncio.ensure_future(work)
        self.under_way.add(task)
        task.add_done_callback(self._over)
        return task

    def _over(self, task: "asyncio.Future[str]") -> None:
        self.under_way.discard(task)
        if not task.cancelled() and (failure := task.exception()) is not None:
            log.error("action_not_recorded", why=str(failure))

    async def _act(
        self, turn: Turn, intent: Intent, skill: Skill, actions: tuple[Action, ...], context: Context
    ) -> Carried:
        """Let the skill act; what it raises becomes a sentence and failed actions."""
        try:
            return await skill.act(intent, actions, context)
        except Spoken as spoken:
            say = self._spoken(turn, spoken, context)
        except LinkDown as down:
            say = self._away(turn, down, context)
        failed = Done(ok=False, result={}, error=say)
        return Carried(say, tuple(failed for _ in actions))

    def _away(self, turn: Turn, down: LinkDown, context: Context) -> str:
        log.warning("skill_without_link", turn=str(turn.id), link=down.what, why=down.why)
        return self.replies.say(f"away.{down.what}", seed=context.seed)

    def _spoken(self, turn: Turn, spoken: Spoken, context: Context) -> str:
        """Note what a skill said instead of acting, and return it."""
        if isinstance(spoken, Refused):
            log.warning("refused", turn=str(turn.id), why=spoken.say, person=context.person)
        if isinstance(spoken, AsksBack):
            turn.asked = spoken.plan
        return spoken.say


def _with_words(intents: Sequence[Intent], turn: Turn) -> tuple[Intent, ...]:
    """Return the intents with the words that asked for them: the ledger is not to say that "sim" opened the gate."""
    return tuple(replace(one, slots={"words": turn.understood.text, **one.slots}) for one in intents)


def _ended(action: Action, done: Done) -> ActionDone:
    return ActionDone(
        action.id, action.name, action.parameters, "success" if done.ok else "failed", done.result, done.error
    )
