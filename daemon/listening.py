"""Listening: one service a sound source. Waits for the wake word, then takes turns until the conversation rests.

The wake word also cuts answers. After an answer that asks something, and by preference after any, it is listened on for
a while without the wake word; so it is after what the house asked by itself (`asked_aloud`). What is said then counts
where it answers the question or is a command, and anything else (people talking among themselves, a television) is not
for us, is neither answered nor stored, and ends it.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Literal

import structlog

from config.preferences import (
    CONVERSATION_ANSWER_S,
    CONVERSATION_FOLLOW_UP_S,
    ENDPOINT_MAX_S,
    ENDPOINT_MIN_SPEECH_MS,
    ENDPOINT_PROVISIONAL_MS,
    ENDPOINT_SILENCE_MS,
    ENDPOINT_THRESHOLD,
    ENDPOINT_WAIT_S,
    PREROLL_MS,
    Preferences,
)
from daemon.audio.endpointer import EndpointRules
from daemon.audio.frames import FRAME_MS, Frame, Source
from daemon.butler import Butler, Place
from daemon.clock import Clock
from daemon.engines.plug import Plug, PlugState
from daemon.engines.protocols import VoiceDetector, WakeWord
from daemon.errors import EngineFailed, EngineMissing, LinkDown
from daemon.events import ListeningOn, NothingHeard, Observe, WakeWordHeard
from daemon.language.consent import DECLINED
from daemon.turn import Turn, Understood, is_question

log = structlog.get_logger(__name__)

LISTENING = PlugState("ready", "ouvindo")
MUTED = PlugState("ready", "mudo: não ouço nada até ser ligado de novo")
STORM_TURNS = 6
STORM_WINDOW_S = 20.0
"""More wake words than this in the window are a television or a loop: they are ignored until it calms down."""
MOST_FOLLOWING = 8
"""So many turns follow one wake word; then it has to be said again, or a television could go on for ever."""
ECHO_MS = 150
"""Sound right after an answer that is not listened to: the end of our own voice. People take longer to begin."""
TALK = frozenset({"HassRespond", "HassNevermind"})
"""What people say to each other all day: "ok", "bom dia", "deixa"."""
SURE = 0.7
"""A command that nobody called for must be understood better than this."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """What was said into the room last: whether it asks something, and whether it was the language model that did."""

    asks: bool
    by_model: bool = False


@dataclass(frozen=True, slots=True)
class Following:
    """How long it is listened on without the wake word, in seconds: after a question, and after any other answer."""

    answer_s: int = 0
    other_s: int = 0

    def after(self, spoken: Spoken) -> int:
        """Return for how long after this was said; 0 is not at all."""
        return self.answer_s if spoken.asks else self.other_s


@dataclass(slots=True)
class Listening:
    """Hears one source for ever (or to its end, for a file). `place` tells where its answers go.

    While `muted` the source is not even opened; `restart` has it looked at again.
    """

    source: Callable[[], Source]
    place: Callable[[], Place]
    butler: Butler
    wake_word: Plug[WakeWord]
    detector: Plug[VoiceDetector]
    rules: Callable[[], EndpointRules]
    clock: Clock
    observe: Observe = field(default=lambda _: None)
    name: str = "listening"
    state: PlugState = field(default=PlugState("empty"))
    answered: Callable[[Turn], None] = field(default=lambda _: None)
    muted: Callable[[], bool] = field(default=lambda: False)
    following: Callable[[], Following] = field(default=Following)
    _followed: int = 0
    _last: Spoken | None = None
    """What was just said, and is listened on after from the next frame on."""
    _hearing: bool = False
    _answering: asyncio.Task[None] | None = None
    _session: asyncio.Task[None] | None = None
    _restarting: bool = False
    _woken: deque[float] = field(default_factory=lambda: deque(maxlen=STORM_TURNS))

    async def run(self) -> None:
        """Listen until the source ends. Raises LinkDown when the source, or an engine it needs, is away."""
        while True:
            self._session = asyncio.create_task(self._run_once())
            try:
                await self._session
            except asyncio.CancelledError:
                if not self._restarting:
                    raise
                self._restarting = False
            else:
                return

    async def restart(self) -> None:
        """Listen to a source built anew; its device was changed."""
        if self._session is not None and not self._session.done():
            self._restarting = True
            self._session.cancel()

    def asked_aloud(self) -> None:
        """Listen for the answer to what the house has just asked by itself; who is already heard answers otherwise."""
        self.butler.conversations.asked_otherwise()
        answering = self._answering is not None and not self._answering.done()
        if self.state == LISTENING and not self._hearing and not answering:
            self._followed = 0
            self._follow(Spoken(asks=True))

    async def _run_once(self) -> None:
        if self.muted():
            self.state = MUTED
            await asyncio.Event().wait()  # the microphone stays closed until `restart`
        self.state = PlugState("loading")
        try:
            async with aclosing(self.source().frames()) as frames:
                await self._listen(frames)
            if self._answering is not None:
                await self._answering
        except EngineMissing as missing:
            self.state = PlugState("missing", missing.why, missing.mend)
            raise LinkDown(missing.engine, missing.why) from missing
        except EngineFailed as failed:
            self.state = PlugState("failed", failed.why)
            raise LinkDown(failed.engine, failed.why) from failed
        except LinkDown as down:
            self.state = PlugState("failed", down.why)
            raise
        finally:
            await self._cut_short()

    async def _listen(self, frames: AsyncGenerator[Frame, None]) -> None:
        recent: deque[Frame] = deque(maxlen=1)
        while True:
            rules = self.rules()
            recent = deque(recent, maxlen=max(1, round(rules.preroll_ms / FRAME_MS)))
            called = await self._until_called(frames, recent)
            if called is None:
                return
            if isinstance(called, Spoken):
                self._followed += 1
                await _pass_over(frames, ECHO_MS)
                await self._hear(frames, replace(rules, wait_s=self.following().after(called)), recent, called)
                continue
            self._followed = 0
            if self._storm():
                continue
            await self._cut_short()
            self.observe(WakeWordHeard(self.place().source))
            await self._hear(frames, rules, recent)

    async def _until_called(
        self, frames: AsyncGenerator[Frame, None], recent: deque[Frame]
    ) -> Spoken | Literal[True] | None:
        """Take frames until the wake word, or until something was said that is followed; None: the source ended."""
        while True:
            async with self.wake_word.use() as wake_word:
                async for frame in frames:
                    self.state = LISTENING
                    recent.append(frame)
                    if await wake_word.detect(frame):
                        return True
                    if self._last is not None:
                        spoken, self._last = self._last, None
                        recent.clear()  # it is our own voice
                        return spoken
                    if self.wake_word.replaced(wake_word):
                        break
                else:
                    return None

    def _follow(self, spoken: Spoken) -> None:
        """Have it listened on after this, where the household wants that; whatever else would speak waits from now."""
        if self._followed < MOST_FOLLOWING and self.following().after(spoken) > 0:
            self._last = spoken
            self.observe(ListeningOn(self.place().source))

    async def _hear(
        self,
        frames: AsyncGenerator[Frame, None],
        rules: EndpointRules,
        recent: deque[Frame],
        after: Spoken | None = None,
    ) -> None:
        """Hear one utterance out and have it answered; uncalled, `after` an answer, only if it is for us."""
        self._hearing = True
        try:
            async with self.detector.use() as detector:
                understood = await self.butler.listen(frames, self.place(), detector, rules, recent)
        except EngineFailed as failed:
            log.warning("hearing_failed", source=self.place().source, why=str(failed))
            if after is None:
                await self.butler.apologise(self.place(), failed)
            else:
                self.observe(NothingHeard(self.place().source, ""))
            return
        finally:
            self._hearing = False
        if understood is None or not (after is None or is_for_us(understood, after)):
            self.observe(NothingHeard(self.place().source, ""))
            return
        self._answering = asyncio.create_task(self._answer(understood))

    async def _answer(self, understood: Understood) -> None:
        """Answer; whatever goes wrong costs this turn and no more."""
        try:
            turn = await self.butler.answer(understood, self.place())
        except Exception:
            log.exception("turn_lost", source=self.place().source)
            return
        self._follow(Spoken(asks(turn), by_model=turn.understood.plan.route == "llm"))
        self.answered(turn)

    async def _cut_short(self) -> None:
        """Stop the answer being spoken, if any: the whole of barge-in."""
        answering, self._answering = self._answering, None
        if self._last is not None:
            self._last = None
            self.observe(NothingHeard(self.place().source, ""))
        if answering is not None and not answering.done():
            answering.cancel()
            await asyncio.wait({answering})

    def _storm(self) -> bool:
        now = self.clock.monotonic()
        storm = len(self._woken) == STORM_TURNS and now - self._woken[0] < STORM_WINDOW_S
        if storm:
            log.warning("wake_word_storm", source=self.place().source, turns=STORM_TURNS, within_s=STORM_WINDOW_S)
        else:
            self._woken.append(now)
        return storm


def asks(turn: Turn) -> bool:
    """Tell whether a turn ended with a question to the person."""
    asked = turn.asked is not None or turn.understood.plan.question is not None
    return asked or bool(turn.reply and is_question(turn.reply[-1]))


def is_for_us(understood: Understood, after: Spoken) -> bool:
    """Tell whether what nobody called for is meant for Mordomo: a command, or the answer to what it asked.

    What only the language model could make something of is so only where the model itself has just asked.
    """
    plan = understood.plan
    if plan.route == "llm":
        return after.asks and after.by_model
    talk = all(intent.name in TALK and intent != DECLINED for intent in plan.intents)
    return plan.route == "skill" and plan.confidence > SURE and not talk


async def _pass_over(frames: AsyncGenerator[Frame, None], ms: float) -> None:
    """Take so much sound and let it go."""
    left = round(ms / FRAME_MS)
    while left > 0 and await anext(frames, None) is not None:
        left -= 1


def following(prefs: Preferences) -> Following:
    """Return how long it is listened on, as the household set it."""
    return Following(prefs[CONVERSATION_ANSWER_S], prefs[CONVERSATION_FOLLOW_UP_S])


def endpoint_rules(prefs: Preferences) -> EndpointRules:
    """Return the endpointer's rules as the household set them."""
    return EndpointRules(
        threshold=prefs[ENDPOINT_THRESHOLD],
        min_speech_ms=prefs[ENDPOINT_MIN_SPEECH_MS],
        silence_ms=prefs[ENDPOINT_SILENCE_MS],
        provisional_ms=min(prefs[ENDPOINT_PROVISIONAL_MS], prefs[ENDPOINT_SILENCE_MS]),
        max_s=prefs[ENDPOINT_MAX_S],
        wait_s=prefs[ENDPOINT_WAIT_S],
        preroll_ms=prefs[PREROLL_MS],
    )
