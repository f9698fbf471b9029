"""The house's voice: sentences to sound, one speaker at a time."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, suppress

from daemon.audio.frames import Pcm, Speaker
from daemon.engines.plug import Plug
from daemon.engines.protocols import TextToSpeech
from daemon.errors import EngineFailed, EngineMissing


class Voice:
    """Speaks through one speaker. Whoever speaks holds it to the end; the next one waits."""

    def __init__(self, tts: Plug[TextToSpeech], speaker: Speaker) -> None:
        self._tts = tts
        self._speaker = speaker
        self._turn = asyncio.Lock()
        self._closing = False
        self._playing: asyncio.Future[None] | None = None

    def through(self, speaker: Speaker) -> "Voice":
        """Return the same voice on another speaker (a WAV file, a satellite)."""
        return Voice(self._tts, speaker)

    def use(self, speaker: Speaker) -> None:
        """Speak through another speaker from the next time on."""
        self._speaker = speaker

    async def speak(
        self,
        sentences: AsyncIterator[str],
        *,
        first_audio: Callable[[], None] = lambda: None,
        before: Pcm | None = None,
    ) -> None:
        """Speak sentences as they come, after the tone `before`; call `first_audio` when the first speech goes out.

        Raises EngineFailed or EngineMissing (voice or speaker). Cancelling stops the sound.
        """
        async with self._turn:
            speech = self._speech(sentences, first_audio, before)
            async with aclosing(speech):
                await self._play(speech)

    def hush(self) -> None:
        """Stop what is being spoken, at once; whoever speaks goes on as if it had been heard out."""
        if self._playing is not None:
            self._playing.cancel()

    async def _play(self, speech: AsyncIterator[Pcm]) -> None:
        """Play to the end, or until `hush`. Cancelling stops the sound."""
        playing = self._playing = asyncio.ensure_future(self._speaker.play(speech))
        try:
            await asyncio.wait({playing})
        finally:
            self._playing = None
            if not playing.done():
                playing.cancel()
                await asyncio.wait({playing})
        if not playing.cancelled():
            playing.result()

    async def tone(self, tone: Pcm) -> None:
        """Play a tone alone; it needs no speech engine."""

        async def once() -> AsyncIterator[Pcm]:
            yield tone

        async with self._turn:
            await self._speaker.play(once())

    async def finish(self, within_s: float) -> None:
        """Let the sentence under way be heard out, for `within_s` seconds at most, and speak no other."""
        self._closing = True
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self._turn.acquire()

    async def _speech(
        self, sentences: AsyncIterator[str], first_audio: Callable[[], None], before: Pcm | None
    ) -> AsyncGenerator[Pcm, None]:
        if before is not None:
            yield before
        waiting = True
        async for sentence in sentences:
            async for piece in self._said(sentence):
                if waiting:
                    first_audio()
                    waiting = False
                yield piece
            if self._closing:
                return

    async def _said(self, sentence: str) -> AsyncGenerator[Pcm, None]:
        """Speak one sentence. An engine that breaks before its first sound is built anew and tried once more."""
        for last_try in (False, True):
            began = False
            try:
                async with self._tts.use() as tts, aclosing(tts.synthesise(sentence)) as pieces:
                    async for piece in pieces:
                        began = True
                        yield piece
            except EngineMissing:
                raise
            except EngineFailed:
                if began or last_try:
                    raise
            else:
                return
