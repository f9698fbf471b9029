"""Plan to Reply: skills first, the language model for the rest. Only here, and only now, are there effects."""

import asyncio
from collections.abc import AsyncGenerator, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

import structlog

from daemon.ahead import ahead
from daemon.clock import Clock
from daemon.engines.plug import Plug
from daemon.engines.protocols import Chat, ChatMessage
from daemon.errors import EngineFailed, EngineMissing, LinkDown, Refused, Spoken
from daemon.language.plan import Intent
from daemon.language.replies import Replies
from daemon.sentences import sentences
from daemon.skills.skill import Action, AsksBack, Carried, Context, Done, Skill, joined
from daemon.turn import ActionDone, Turn
from db.database import Database
from db.ledger import HeardMessage, Ledger, NewAction
from db.messages import history

log = structlog.get_logger(__name__)

REMEMBERED = 8
"""So many messages of the conversation go to the language model."""

Planned = tuple[Intent, Skill, tuple[Action, ...]]


@dataclass(frozen=True, slots=True)
class Answers:
    """Answers turns. `skills` maps an intent's name to the skill that carries it out."""

    skills: Mapping[str, Skill]
    ledger: Ledger
    db: Database
    brain: Plug[Chat]
    replies: Replies
    clock: Clock
    under_way: set[asyncio.Future[str]] = field(default_factory=set)

    async def reply(self, turn: Turn, context: Context) -> AsyncGenerator[str, None]:
        """Store what was heard, act, and yield the sentences to speak, each as soon as it is whole.

        Raises LinkDown when what was heard can be kept neither in the database nor in the spool; nothing was done then.
        """
        planned, instead = await self._planned(turn, context)
        await self._store_heard(turn, planned)
        if instead is not None:
            yield instead
        elif turn.understood.plan.route == "llm":
            async for sentence in self._from_model(turn, context):
                yield sentence
        for intent, skill, actions in planned:
            # Who cuts in stops the voice, not a command that is on its way: its row must learn how it ended.
            yield await asyncio.shield(self._keep(self._carry_out(turn, intent, skill, actions, context)))

    async def _planned(self, turn: Turn, context: Context) -> tuple[list[Planned], str | None]:
        """Return what will be done, or what is said instead: half of what was asked would surprise more than none."""
        plan = turn.understood.plan
        if plan.question is not None:
            return [], plan.question
        try:
            intents = self._whole(turn, plan.intents)
            meant = joined([one for intent in intents for one in await self._meant(intent, context)])
            if any(intent.name not in self.skills for intent in meant):
                return [], self.replies.say("skill.missing", seed=context.seed)
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

    def _whole(self, turn: Turn, intents: tuple[Intent, ...]) -> tuple[Intent, ...]:
        """Return the intents, or the one alone that takes the whole sentence."""
        for intent in intents:
            skill = self.skills.get(intent.name)
            if skill is not None and skill.whole:
                return (replace(intent, slots={"text": turn.understood.text, **intent.slots}),)
        return intents

    async def _meant(self, intent: Intent, context: Context) -> tuple[Intent, ...]:
        """Return the intents that are carried out for this one; most are that themselves."""
        skill = self.skills.get(intent.name)
        if skill is None or skill.stands_for is None:
            return (intent,)
        return await skill.stands_for(intent, context)

    async def _store_heard(self, turn: Turn, planned: Sequence[Planned]) -> None:
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
        turn.steps["store"] = (self.clock.monotonic() - began) * 1000

    async def settle(self) -> None:
        """Return when every action that was begun has its end in the ledger."""
        while self.under_way:
            await asyncio.wait(set(self.under_way))

    async def _carry_out(
        self, turn: Turn, intent: Intent, skill: Skill, actions: tuple[Action, ...], context: Context
    ) -> str:
        """Take the actions and return what to say; before it is said, the ledger has what the house must not forget."""
        began = self.clock.monotonic()
        only_asks = all(action.type == "query" for action in actions)
        if only_asks:
            carried = await self._act(turn, intent, skill, actions, context)
        else:
            # Its pending row is committed, so the command need not wait until it reads "executing".
            begun = self._keep(self._record_begun([action.id for action in actions]))
            carried = await self._act(turn, intent, skill, actions, context)
            await begun
        ended = [_ended(action, done) for action, done in zip(actions, carried.outcomes, strict=True)]
        turn.actions += ended
        if only_asks:
            # Nothing was changed by asking, so the answer need not wait for its own record.
            self._keep(self._record_asked(ended))
        else:
            await self._record(ended)
        turn.steps["act"] = turn.steps.get("act", 0.0) + (self.clock.monotonic() - began) * 1000
        return carried.say

    async def _record_begun(self, ids: Sequence[UUID]) -> str:
        await self.ledger.executing(ids, self.clock.now())
        return ""

    async def _record_asked(self, ended: Sequence[ActionDone]) -> str:
        await self._record_begun([action.id for action in ended])
        await self._record(ended)
        return ""

    async def _record(self, ended: Sequence[ActionDone]) -> None:
        at = self.clock.now()
        await asyncio.gather(
            *(
                self.ledger.finished(action.id, status=action.status, result=action.result, error=action.error, at=at)
                for action in ended
            )
        )

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

    async def _from_model(self, turn: Turn, context: Context) -> AsyncGenerator[str, None]:
        """Ask the household's language model; any failure becomes one honest sentence."""
        began = self.clock.monotonic()
        failure = ""
        try:
            async with self.brain.use() as model:
                messages = [
                    system_prompt(context),
                    *await self._recent(turn),
                    ChatMessage("user", turn.understood.text),
                ]
                async for sentence in sentences(ahead(model.chat(messages))):
                    turn.steps.setdefault("first_sentence", (self.clock.monotonic() - began) * 1000)
                    yield sentence
        except LinkDown as down:
            failure, key = f"{down.what}: {down.why}", "brain.away"
        except EngineMissing as missing:
            failure, key = missing.why, "brain.missing"
            turn.notices.append(f"{missing.why} ({missing.mend})")
        except EngineFailed as failed:
            failure, key = failed.why, "brain.failed"
        if failure:
            turn.outcome = "model_failed"
            log.warning("model_failed", turn=str(turn.id), why=failure)
            yield self.replies.say(key, seed=context.seed)

    async def _recent(self, turn: Turn) -> list[ChatMessage]:
        """Return the conversation so far, oldest first; without a database the model answers without it."""
        try:
            messages = await history(self.db, turn.conversation_id, REMEMBERED, before=turn.id)
        except LinkDown:
            return []
        return [ChatMessage(m.role, m.content) for m in messages if m.role != "system"]


def _with_words(intents: Sequence[Intent], turn: Turn) -> tuple[Intent, ...]:
    """Return the intents with the words that asked for them: the ledger is not to say that "sim" opened the gate."""
    return tuple(replace(one, slots={"words": turn.understood.text, **one.slots}) for one in intents)


def _ended(action: Action, done: Done) -> ActionDone:
    return ActionDone(
        action.id, action.name, action.parameters, "success" if done.ok else "failed", done.result, done.error
    )


def system_prompt(context: Context) -> ChatMessage:
    """Return who the model is and what it may not claim. What people and devices write never goes in here."""
    today = spoken_today(context.now)
    return ChatMessage(
        "system",
        "Você é o Mordomo, o assistente de voz de uma casa brasileira. Responda em português do Brasil, em uma a três "
        "frases curtas, como quem fala, sem listas, sem markdown e sem emojis. Você não controla aparelhos nem agenda "
        "nada nesta conversa: nunca diga que fez, ligou, desligou ou anotou algo; diga que não conseguiu entender o "
        f"pedido e sugira dizer de outro jeito. Se não souber, diga que não sabe. Agora é {today}.",
    )


def spoken_today(now: datetime) -> str:
    """Return date and time as a model reads them best: `2026-11-20 14:05 (sexta-feira)`."""
    weekdays = ("segunda-feira", "terça-feira", "quarta-feira", "quinta-feira", "sexta-feira", "sábado", "domingo")
    return f"{now:%Y-%m-%d %H:%M} ({weekdays[now.weekday()]})"
