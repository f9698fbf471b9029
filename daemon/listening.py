"""Listening: one service a sound source. Waits for the wake word, then takes turns; the wake word also cuts answers."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field

import structlog

from config.preferences import (
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
from daemon.events import NothingHeard, Observe, WakeWordHeard
from daemon.turn import Turn, Understood

log = structlog.get_logger(__name__)

LISTENING = PlugState("ready", "ouvindo")
MUTED = PlugState("ready", "mudo: não ouço nada até ser ligado de novo")
STORM_TURNS = 6
STORM_WINDOW_S = 20.0
"""More wake words than this in the window are a television or a loop: they are ignored until it calms down."""


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
            if not await self._until_called(frames, recent):
                return
            if self._storm():
                continue
            await self._cut_short()
            self.observe(WakeWordHeard(self.place().source))
            await self._hear(frames, rules, recent)

    async def _until_called(self, frames: AsyncGenerator[Frame, None], recent: deque[Frame]) -> bool:
        """Take frames until the wake word; False when the source ended."""
        while True:
            async with self.wake_word.use() as wake_word:
                async for frame in frames:
                    self.state = LISTENING
                    recent.append(frame)
                    if await wake_word.detect(frame):
                        return True
                    if self.wake_word.replaced(wake_word):
                        break
                else:
                    return False

    async def _hear(self, frames: AsyncGenerator[Frame, None], rules: EndpointRules, recent: deque[Frame]) -> None:
        try:
            async with self.detector.use() as detector:
                understood = await self.butler.listen(frames, self.place(), detector, rules, recent)
        except EngineFailed as failed:
            log.warning("hearing_failed", source=self.place().source, why=str(failed))
            await self.butler.apologise(self.place(), failed)
            return
        if understood is None:
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
        self.answered(turn)

    async def _cut_short(self) -> None:
        """Stop the answer being spoken, if any: the whole of barge-in."""
        answering, self._answering = self._answering, None
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
