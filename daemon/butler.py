"""The butler: one exchange from what was said to what was answered, stored and spoken."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable
from contextlib import aclosing, suppress
from dataclasses import dataclass, field, replace
from uuid import uuid4
from zoneinfo import ZoneInfo

import structlog

from daemon.answer import Answers
from daemon.audio import earcons
from daemon.audio.endpointer import Endpointer, EndpointRules
from daemon.audio.frames import Frame, Utterance
from daemon.clock import Clock
from daemon.conversation import Conversations
from daemon.engines.plug import Plug
from daemon.engines.protocols import SpeechToText, VoiceDetector
from daemon.errors import EngineFailed, EngineMissing, LinkDown
from daemon.events import NothingHeard, Observe, TurnEnded, TurnFailed
from daemon.language.language import Language
from daemon.language.plan import Heard, Household, Plan
from daemon.language.replies import Replies
from daemon.people.person import CODE, Person, Who, by_source
from daemon.people.said_code import CODE_SAID, HIDDEN
from daemon.people.voices.voiceprint import Heard as HeardVoice
from daemon.people.voices.voiceprint import Nobody, Voices
from daemon.satisfaction import Exchange
from daemon.skills.approvals import Leave, NoLeave
from daemon.skills.skill import Context
from daemon.turn import NoCodes, Proofs, Turn, Understood, hear
from daemon.voice import Voice
from db.ledger import Ledger, SaidMessage

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a turn happens: sound source, room, and the voice that answers there (None: in writing).

    `person` is who is known to ask there, whatever a voice tells; `approver` who gave them leave.
    """

    source: str
    area: str | None
    voice: Voice | None
    person: Person | None = None
    approver: Person | None = None


@dataclass(frozen=True, slots=True)
class Butler:
    """Takes turns. Holds the parts; keeps nothing of a turn itself."""

    stt: Plug[SpeechToText]
    language: Language
    household: Callable[[], Household]
    answers: Answers
    replies: Replies
    ledger: Ledger
    conversations: Conversations
    clock: Clock
    observe: Observe = field(default=lambda _: None)
    who: Who = by_source
    leave: Leave = field(default_factory=NoLeave)
    voices: Voices = field(default_factory=Nobody)
    codes: Proofs = field(default_factory=NoCodes)

    async def listen(
        self,
        frames: AsyncIterator[Frame],
        place: Place,
        detector: VoiceDetector,
        rules: EndpointRules,
        preroll: Iterable[Frame] = (),
    ) -> Understood | None:
        """Hear one utterance out and understand it; None when nobody spoke. Raises EngineFailed or EngineMissing."""

        async def understand(utterance: Utterance) -> Understood:
            return await self._understand(utterance, place)

        detector.reset()
        return await hear(frames, detector, Endpointer(rules, preroll), understand)

    async def ask(self, text: str, place: Place) -> Turn:
        """Take a turn on a typed sentence."""
        began = self.clock.monotonic()
        plan = self._plan(text, place, self.who(None, place.person, place.source))
        steps = {"understand": (self.clock.monotonic() - began) * 1000}
        return await self.answer(Understood(text, plan, steps=steps), place)

    async def answer(self, understood: Understood, place: Place) -> Turn:
        """Act on what was understood, answer it and store the turn. Cancelling it is barge-in; the rest stays unsaid.

        Failures of engines and links are apologised for and end the turn; anything else is a bug and is raised.
        """
        understood = await self.codes.compared(understood, (place.source, place.area))
        speaker = self.who(understood.speaker, place.person, place.source)
        conversation = self.conversations.at(place.source, place.area, speaker)
        turn = Turn(
            id=uuid4(),
            conversation_id=conversation.id,
            source=place.source,
            area=place.area,
            started_at=self.clock.now(),
            began=self.clock.monotonic(),
            understood=understood,
            steps=dict(understood.steps),
            user_id=speaker.id,
        )
        if understood.plan.route == "none" and understood.plan.question is None:
            turn.outcome = "ignored"
            self.observe(NothingHeard(place.source, understood.text))
            return turn
        conversation.busy += 1
        try:
            await self._speak(turn, place, self._sentences(turn, place, speaker, conversation.said))
            await self.answers.settle()
        except (LinkDown, EngineFailed) as lost:
            log.warning("turn_failed", turn=str(turn.id), why=str(lost))
            turn.outcome = "failed"
            if isinstance(lost, EngineMissing):
                turn.notices.append(f"{lost.why} ({lost.mend})")
            self.observe(TurnFailed(place.source, turn.id, str(lost)))
            turn.reply.append(await self.apologise(place, lost))
            with suppress(LinkDown):
                await self._store_said(turn)
        finally:
            conversation.busy -= 1
            self.conversations.over(conversation, turn, speaker)
        answered = turn.outcome == "answered"
        self.voices.took((place.source, place.area), understood.plan, understood.voice if answered else None)
        total_ms = (self.clock.monotonic() - turn.began) * 1000
        turn.steps["total"] = total_ms
        self.observe(TurnEnded(place.source, turn.id, understood.text, " ".join(turn.reply), total_ms))
        return turn

    async def _sentences(
        self, turn: Turn, place: Place, speaker: Person, said: tuple[str, ...]
    ) -> AsyncGenerator[str, None]:
        """Yield the answer's sentences and store them as said, also when the person cut in before the end.

        `said` is the answer before, for who asks to hear it again.
        """
        household = self.household()
        context = Context(
            now=turn.started_at.astimezone(ZoneInfo(household.timezone)),
            household=household,
            area=turn.area,
            person=speaker.name,
            user_id=speaker.id,
            seed=turn.id.int & 0xFFFF,
            source=turn.source,
            text=turn.understood.words or turn.understood.text,
            speaker=speaker,
            approver=place.approver,
            utterance=turn.understood.utterance,
            message_id=turn.id,
            said=said,
        )
        try:
            async with aclosing(self.answers.reply(turn, context)) as sentences:
                async for sentence in sentences:
                    turn.reply.append(sentence)
                    yield sentence
        except (asyncio.CancelledError, GeneratorExit):
            turn.outcome = "interrupted"
            raise
        finally:
            await asyncio.shield(self._store_said(turn))

    async def _store_said(self, turn: Turn) -> None:
        if not turn.reply:
            return
        metadata = {"source": turn.source, "outcome": turn.outcome, "steps": _rounded(turn.steps),
                    "signs": Exchange.of(turn).signs}  # fmt: skip
        await self.ledger.said(
            SaidMessage(
                conversation_id=turn.conversation_id,
                message_id=uuid4(),
                text=" ".join(turn.reply),
                at=self.clock.now(),
                latency_ms=round(turn.latency_ms if turn.latency_ms is not None else self._since(turn)),
                intent=turn.understood.plan.intents[0].name if turn.understood.plan.intents else None,
                metadata=metadata,
                rag_context=turn.rag_context,
            )
        )

    async def _speak(self, turn: Turn, place: Place, sentences: AsyncGenerator[str, None]) -> None:
        """Speak the sentences at the place, or only collect them where it has no voice."""

        def first_audio() -> None:
            turn.latency_ms = turn.steps["first_audio"] = self._since(turn)

        async with aclosing(sentences):
            if place.voice is not None:
                try:
                    await place.voice.speak(sentences, first_audio=first_audio)
                except (EngineFailed, LinkDown) as mute:
                    # What was asked is done all the same; the answer stays in writing.
                    turn.outcome = "unspoken"
                    async for _ in sentences:
                        pass
                    if not turn.reply:
                        raise
                    await self._unspoken(turn, place.voice, mute)
            async for _ in sentences:
                if turn.latency_ms is None:
                    turn.latency_ms = self._since(turn)

    async def _unspoken(self, turn: Turn, voice: Voice, mute: EngineFailed | LinkDown) -> None:
        """Note that the answer could not be spoken, and sound a tone where at least the speaker works."""
        mend = f" ({mute.mend})" if isinstance(mute, EngineMissing) else ""
        turn.notices.append(f"{mute.why}{mend}")
        log.warning("answer_unspoken", turn=str(turn.id), why=str(mute))
        with suppress(EngineFailed, LinkDown):
            await voice.tone(earcons.trouble())

    async def apologise(self, place: Place, lost: LinkDown | EngineFailed) -> str:
        """Say what was lost and return the sentence; where even the voice is broken it is left in writing."""
        sentence = self.replies.say(_apology_key(lost))

        async def apology() -> AsyncGenerator[str, None]:
            yield sentence

        if place.voice is not None:
            try:
                await place.voice.speak(apology())
            except (EngineFailed, LinkDown) as mute:
                log.warning("apology_unspoken", source=place.source, why=str(mute))
        return sentence

    async def _understand(self, utterance: Utterance, place: Place) -> Understood:
        began = self.clock.monotonic()
        identifying = asyncio.ensure_future(self._identify(utterance, place))  # beside transcription, so at no cost
        try:
            async with self.stt.use() as stt:
                transcript = await stt.transcribe(utterance)
            transcribed = self.clock.monotonic()
            voice, identify_ms = await identifying
        finally:
            identifying.cancel()
        known = self.clock.monotonic()
        speaker = None if voice is None else voice.person
        who = self.who(speaker, place.person, place.source)
        asked = self.conversations.code_asked(place.source, place.area)
        code = self.codes.heard(transcript.text, asked, self._before(place, who))
        if code is not None:
            transcript = replace(transcript, text=HIDDEN)
            return Understood(HIDDEN, CODE_SAID, None, transcript, {}, speaker, voice, code)
        transcript = replace(transcript, text=self.codes.hushed(transcript.text))
        plan = self.leave.doubted(self._plan(transcript.text, place, who), who, utterance.speech_ms / 1000)
        steps = {
            "transcribe": (transcribed - began) * 1000,
            "identify": identify_ms,
            "understand": (self.clock.monotonic() - known) * 1000,
        }
        return Understood(transcript.text, plan, utterance, transcript, steps, speaker, voice)

    async def _identify(self, utterance: Utterance, place: Place) -> tuple[HeardVoice | None, float]:
        """Return whose voice it is, and how many milliseconds it took to tell."""
        began = self.clock.monotonic()
        asked = self.conversations.asked(place.source, place.area)
        voice = await self.voices.identify(utterance, (place.source, place.area), asked)
        return voice, (self.clock.monotonic() - began) * 1000

    def _plan(self, text: str, place: Place, speaker: Person) -> Plan:
        """Return what a sentence means to this speaker: what another one was talking about is not theirs."""
        household = self.household()
        now = self.clock.now().astimezone(ZoneInfo(household.timezone))
        before = self._before(place, speaker)
        return self.language.understand(Heard(text, now, place.area, speaker.name, before), household)

    def _before(self, place: Place, speaker: Person) -> Plan | None:
        """Return what the next sentence follows on, but for a code that was asked for: no words fill that in."""
        before = self.conversations.before(place.source, place.area, speaker)
        before = None if before is not None and before.awaits == CODE else before
        if before is None or before.question is None:
            before = self.leave.question() or before
        return self.voices.asks((place.source, place.area)) or before

    def _since(self, turn: Turn) -> float:
        return (self.clock.monotonic() - turn.began) * 1000


def _rounded(steps: dict[str, float]) -> dict[str, float]:
    return {name: round(ms, 1) for name, ms in steps.items()}


def _apology_key(lost: LinkDown | EngineFailed) -> str:
    if isinstance(lost, LinkDown):
        return f"away.{lost.what}"
    return "engine.missing" if isinstance(lost, EngineMissing) else "engine.failed"
