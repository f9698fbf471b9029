"""Frames: 16 kHz, mono, signed 16-bit little-endian samples, as `bytes`.

Sources give frames of `FRAME_SAMPLES` (32 ms): the window of the voice detector, so that nothing is re-cut on the way.
"""

from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass
from typing import Protocol

RATE = 16_000
"""Samples a second of every frame and utterance."""
SAMPLE_BYTES = 2
FRAME_SAMPLES = 512
FRAME_BYTES = FRAME_SAMPLES * SAMPLE_BYTES
FRAME_MS = FRAME_SAMPLES * 1000 / RATE

Frame = bytes


def duration_ms(pcm: bytes) -> float:
    """Return the length in milliseconds of 16 kHz mono s16le samples."""
    return len(pcm) / SAMPLE_BYTES * 1000 / RATE


@dataclass(frozen=True, slots=True)
class Pcm:
    """A piece of synthesised speech: mono s16le `samples` at `rate` Hz (8,000 to 48,000)."""

    samples: bytes
    rate: int

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return len(self.samples) / SAMPLE_BYTES / self.rate


@dataclass(frozen=True, slots=True)
class Utterance:
    """The speech of one person, cut out of the frames by the endpointer.

    `pcm` is 16 kHz mono s16le, with the pre-roll before the first speech and a little silence after the last.
    `speech_ms` is how much of it the voice detector called speech.
    """

    pcm: bytes
    speech_ms: float

    @property
    def duration_ms(self) -> int:
        """Length of the whole cut in milliseconds."""
        return round(duration_ms(self.pcm))


class Source(Protocol):
    """A sound source: the microphone, a WAV file, a satellite."""

    name: str

    def frames(self) -> AsyncGenerator[Frame, None]:
        """Yield frames of FRAME_BYTES until the source ends. Raises EngineMissing or LinkDown when it goes away."""
        ...


class Speaker(Protocol):
    """A way for sound out: the local sound card, a WAV file, a satellite. One utterance at a time."""

    async def play(self, speech: AsyncIterator[Pcm]) -> None:
        """Play pieces as they come and return when the last was heard. Cancelling stops the sound within 100 ms."""
        ...
