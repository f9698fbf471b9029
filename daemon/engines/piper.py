"""Text to speech with Piper: a neural voice (ONNX), on the processor."""

from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING

from daemon.audio.frames import Pcm
from daemon.engines.pieces import Put, pieces
from daemon.engines.weights import missing_from_piper
from daemon.errors import EngineFailed, EngineMissing
from daemon.language.pt_br.speakable import speakable

if TYPE_CHECKING:
    from piper import PiperVoice

AHEAD = 8
"""Chunks (a sentence each) that may wait to be played."""
THREADS = 2
"""The second speaks on while the first still computes a sentence that was interrupted."""


class Piper:
    """TextToSpeech. Yields one piece a sentence, as soon as it is synthesised."""

    def __init__(self, voice: "PiperVoice", *, name: str, speed: Callable[[], float] | float = 1.0) -> None:
        """Take a loaded voice; `load` makes one from a file. `speed` (0.5 to 2; 1 is its own) is asked every time."""
        self.name = name
        self._voice: PiperVoice | None = voice
        self._speed = speed
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="piper")

    @classmethod
    def load(cls, path: Path, *, speed: Callable[[], float] | float = 1.0) -> "Piper":
        """Load `path`, an .onnx with its .onnx.json beside it. Raises EngineMissing or EngineFailed."""
        lacking = missing_from_piper(path)
        if lacking:
            raise EngineMissing("piper", f"falta {', '.join(lacking)} em {path.parent}", "mordomo models pull")
        try:
            from piper import PiperVoice  # noqa: PLC0415 - brings onnxruntime, only where it is used

            voice = PiperVoice.load(path)
        except Exception as broken:  # onnxruntime's errors, JSON that is none, keys that lack
            raise EngineFailed("piper", f"não consegui carregar a voz {path.name}: {broken}") from broken
        return cls(voice, name=path.name.removesuffix(".onnx"), speed=speed)

    async def synthesise(self, sentence: str) -> AsyncGenerator[Pcm, None]:
        """Yield the sound at the voice's own rate; nothing for a text with nothing to say. Raises EngineFailed."""
        voice, text = self._voice, speakable(sentence)
        if voice is None:
            raise EngineFailed("piper", "já foi desligado")
        if not text:
            return
        speed = self._speed() if callable(self._speed) else self._speed

        def produce(put: Put) -> None:
            self._synthesise(voice, text, speed, put)

        async with aclosing(pieces(self._pool, produce, ahead=AHEAD)) as made:
            async for piece in made:
                yield piece

    def close(self) -> None:
        """Let the voice go; a sentence under way is finished by its thread."""
        self._voice = None
        self._pool.shutdown(wait=False)

    @staticmethod
    def _synthesise(voice: "PiperVoice", text: str, speed: float, put: Put) -> None:
        from piper import SynthesisConfig  # noqa: PLC0415 - loaded with the voice

        try:
            for chunk in voice.synthesize(text, SynthesisConfig(length_scale=voice.config.length_scale / speed)):
                if not put(Pcm(chunk.audio_int16_bytes, chunk.sample_rate)):
                    return
        except Exception as broken:  # whatever breaks inside onnxruntime costs this sentence, not the daemon
            raise EngineFailed("piper", f"falhou ao falar: {broken}") from broken
