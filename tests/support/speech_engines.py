"""Scripted speech engines: the same Protocols, known answers, known delays. Not patched in anywhere: handed over."""

import asyncio
from collections.abc import AsyncGenerator, Sequence

import numpy as np

from daemon.audio.frames import Pcm, Utterance
from daemon.engines.protocols import ChatMessage, Numbers, Piece, Tool, Transcript
from daemon.errors import EngineFailed, MordomoError


class ScriptedSpeechToText:
    """Answers with `texts` in turn (the last again and again), each after its delay (the last delay again and again)."""

    def __init__(
        self,
        texts: Sequence[str],
        delays: Sequence[float] = (0.0,),
        *,
        confidence: float = 0.9,
        failure: MordomoError | None = None,
    ) -> None:
        self.name = "scripted-stt"
        self.heard: list[Utterance] = []
        self.cancelled = 0
        self.closed = False
        self.failure = failure
        self._texts = list(texts)
        self._delays = list(delays)
        self._confidence = confidence

    async def transcribe(self, utterance: Utterance) -> Transcript:
        turn = len(self.heard)
        self.heard.append(utterance)
        try:
            await asyncio.sleep(self._delays[min(turn, len(self._delays) - 1)])
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if self.failure is not None:
            raise self.failure
        text = self._texts[min(turn, len(self._texts) - 1)] if utterance.pcm.strip(b"\0") else ""
        return Transcript(text, self._confidence if text else 0.0, "pt", self.name)

    def close(self) -> None:
        self.closed = True


class ScriptedSpeakerEncoder:
    """Takes how loud it is, in steps of 3,000, for whose voice it is: sounds of one step are one voice."""

    def __init__(self, *, failure: MordomoError | None = None, before: asyncio.Event | None = None) -> None:
        self.name = "scripted-voices"
        self.heard = 0
        self.closed = False
        self.failure = failure
        self._before = before

    async def embed(self, utterance: Utterance) -> Numbers | None:
        self.heard += 1
        if self._before is not None:
            await self._before.wait()
        if self.closed:
            raise EngineFailed(self.name, "já foi fechado")
        if self.failure is not None:
            raise self.failure
        samples = np.frombuffer(utterance.pcm[: len(utterance.pcm) // 2 * 2], "<i2")
        if samples.size < 4800 or not samples.any():
            return None
        step = round(float(np.quantile(np.abs(samples.astype(np.float64)), 0.6)) / 3000)
        vector = np.random.default_rng(step).standard_normal(64)
        return np.asarray(vector / np.linalg.norm(vector), np.float32)

    def close(self) -> None:
        self.closed = True


class ScriptedTextToSpeech:
    """Speaks every sentence as `pieces` pieces of `piece_ms`, the first after `delay` seconds, at 16 kHz."""

    def __init__(
        self, delay: float = 0.0, pieces: int = 2, *, piece_ms: int = 20, failure: MordomoError | None = None
    ) -> None:
        self.name = "scripted-tts"
        self.said: list[str] = []
        self.abandoned = 0
        self.closed = False
        self.failure = failure
        self._delay = delay
        self._pieces = pieces
        self._samples = 16 * piece_ms

    async def synthesise(self, sentence: str) -> AsyncGenerator[Pcm, None]:
        if not any(c.isalnum() for c in sentence):
            return
        self.said.append(sentence)
        await asyncio.sleep(self._delay)
        if self.failure is not None:
            raise self.failure
        try:
            for number in range(self._pieces):
                yield Pcm((1000 + number).to_bytes(2, "little") * self._samples, 16000)
        except GeneratorExit:
            self.abandoned += 1
            raise

    def close(self) -> None:
        self.closed = True


class ScriptedChat:
    """Answers with `pieces`, each after `delay` seconds, then raises `failure` if there is one.

    With `rounds` the first of them are given at the first question, and so on; the last again and again.
    """

    def __init__(
        self,
        pieces: Sequence[Piece] = (),
        delay: float = 0.0,
        *,
        failure: MordomoError | None = None,
        rounds: Sequence[Sequence[Piece]] = (),
    ) -> None:
        self.name = "scripted-chat"
        self.asked: list[list[ChatMessage]] = []
        self.offered: list[list[Tool]] = []
        self.warmed = 0
        self.hung_up = 0
        self.abandoned = 0
        self.closed = False
        self.failure = failure
        self._rounds = [list(each) for each in rounds] or [list(pieces)]
        self._delay = delay

    async def chat(self, messages: Sequence[ChatMessage], tools: Sequence[Tool] = ()) -> AsyncGenerator[Piece, None]:
        now = self._rounds[min(len(self.asked), len(self._rounds) - 1)]
        self.asked.append(list(messages))
        self.offered.append(list(tools))
        try:
            for piece in now:
                await asyncio.sleep(self._delay)
                yield piece
        except (GeneratorExit, asyncio.CancelledError):
            self.abandoned += 1
            raise
        if self.failure is not None:
            raise self.failure

    async def warm(self, messages: Sequence[ChatMessage], tools: Sequence[Tool] = ()) -> None:
        self.warmed += 1
        if self.failure is not None:
            raise self.failure

    async def check(self) -> None:
        if self.failure is not None:
            raise self.failure

    async def hang_up(self) -> None:
        self.hung_up += 1

    def close(self) -> None:
        self.closed = True
