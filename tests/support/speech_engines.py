"""Scripted speech engines: the same Protocols, known answers, known delays. Not patched in anywhere: handed over."""

import asyncio
from collections.abc import AsyncGenerator, Sequence

from daemon.audio.frames import Pcm, Utterance
from daemon.engines.protocols import ChatMessage, Transcript
from daemon.errors import MordomoError


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
    """Answers with `pieces`, each after `delay` seconds, then raises `failure` if there is one."""

    def __init__(self, pieces: Sequence[str], delay: float = 0.0, *, failure: MordomoError | None = None) -> None:
        self.name = "scripted-chat"
        self.asked: list[list[ChatMessage]] = []
        self.abandoned = 0
        self.closed = False
        self.failure = failure
        self._pieces = list(pieces)
        self._delay = delay

    async def chat(self, messages: Sequence[ChatMessage]) -> AsyncGenerator[str, None]:
        self.asked.append(list(messages))
        try:
            for piece in self._pieces:
                await asyncio.sleep(self._delay)
                yield piece
        except (GeneratorExit, asyncio.CancelledError):
            self.abandoned += 1
            raise
        if self.failure is not None:
            raise self.failure

    async def check(self) -> None:
        if self.failure is not None:
            raise self.failure

    def close(self) -> None:
        self.closed = True
