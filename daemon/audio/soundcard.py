"""The local sound card as a Speaker."""

import asyncio
import threading
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import numpy as np

from daemon.audio import portaudio
from daemon.audio.frames import SAMPLE_BYTES, Pcm
from daemon.audio.resample import Resampler
from daemon.errors import LinkDown

AHEAD_S = 5.0
"""How much sound waits for the card; beyond that the voice must wait."""
SILENT_S = 5.0
"""A card that asks for nothing for so long has been unplugged."""
_LATENCY_S = 0.1
"""The card's own buffer. On a busy machine PortAudio's "low" (9 ms) runs dry all the time through PulseAudio, its
"high" (35 ms) now and then. A longer one delays no sound: it begins before it is full, and is dropped on cancelling."""
_MARGIN_S = 0.01


class _Waiting:
    """Sound on its way to the card's thread. `buffer_bytes` is what the card holds itself."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._asked = 0
        self.buffer_bytes = 0
        self._finished = asyncio.Event()
        self._loop = loop
        self._lock = threading.Lock()
        self._sound = bytearray()
        self._ended = False
        self._lost = False
        self._silence_bytes = 0
        self._taken = asyncio.Event()

    def add(self, sound: bytes) -> int:
        """Add sound and return how many bytes wait."""
        with self._lock:
            self._sound += sound
            return len(self._sound)

    def drop(self) -> None:
        """Forget the sound that waits: what the card already has ends within its latency."""
        with self._lock:
            self._sound.clear()

    async def end(self) -> None:
        """Say that nothing more comes, and return when the last was heard. Raises LinkDown."""
        self._ended = True
        await self._until(self._finished)

    def take(self, count: int) -> bytes:
        """Return `count` bytes, the lacking ones silent. In the card's thread.

        PortAudio drops what its buffer holds when a callback says that it is done (measured: the last 30 to 130 ms),
        so silence follows until the last of the sound has been pushed out of that buffer.
        """
        self._asked += 1
        with self._lock:
            sound = bytes(self._sound[:count])
            del self._sound[:count]
        if self._ended and not sound:
            self._silence_bytes += count
        self._tell(self._taken)
        if self._silence_bytes > self.buffer_bytes:
            self._tell(self._finished)
        return sound + bytes(count - len(sound))

    def lose(self) -> None:
        """Take note that the card has stopped by itself. In the card's thread."""
        self._lost = True
        self._tell(self._taken)
        self._tell(self._finished)

    def _tell(self, event: asyncio.Event) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(event.set)

    async def room(self, limit: int) -> None:
        """Return when at most `limit` bytes wait. Raises LinkDown when the card takes nothing."""
        while self.add(b"") > limit:
            self._taken.clear()
            await self._until(self._taken)

    async def _until(self, event: asyncio.Event) -> None:
        """Wait for an event. Raises LinkDown when the card has not asked for sound for SILENT_S."""
        while not event.is_set():
            asked = self._asked
            try:
                async with asyncio.timeout(SILENT_S):
                    await event.wait()
            except TimeoutError:
                if self._asked == asked:
                    raise LinkDown("alto-falante", "parou de tocar") from None
        if self._lost:
            raise LinkDown("alto-falante", "foi desligado")


class SoundCard:
    """A Speaker over the sound card, at the rate of the first piece where the card can, else at its own."""

    def __init__(self, device: str = "") -> None:
        """Take the card's name or a part of it; empty is the system's own."""
        self._device = device
        self._one_at_a_time = asyncio.Lock()

    async def play(self, speech: AsyncIterator[Pcm]) -> None:
        """Play pieces as they come and return when the last was heard. Cancelling stops the sound at once.

        Where a piece is late there is silence. When `speech` fails, what it gave before is still heard. Raises
        EngineMissing when there is no card, LinkDown when it goes away.
        """
        async with self._one_at_a_time:
            pieces = aiter(speech)
            first = await anext(pieces, None)
            if first is not None:
                await self._play(first, pieces)

    async def _play(self, first: Pcm, rest: AsyncIterator[Pcm]) -> None:
        waiting = _Waiting(asyncio.get_running_loop())
        async with portaudio.stream("output", partial(self._build, waiting, first.rate)) as stream:
            resampler = Resampler(round(stream.samplerate))
            second_bytes = resampler.rate * stream.channels * SAMPLE_BYTES
            waiting.buffer_bytes = round((stream.latency + _MARGIN_S) * second_bytes)

            def add(sound: bytes) -> None:
                waiting.add(_spread(sound, stream.channels))

            async def hear_out() -> None:
                add(resampler.rest())
                await waiting.end()

            try:
                add(resampler.take(first))
                await portaudio.start("output", stream)
                try:
                    async for piece in rest:
                        await waiting.room(round(AHEAD_S * second_bytes))
                        add(resampler.take(piece))
                except Exception:
                    await hear_out()
                    raise
                await hear_out()
            finally:
                waiting.drop()

    def _build(self, waiting: _Waiting, rate: int, sounddevice: Any) -> Any:
        def wanted(out: Any, _count: int, _time: Any, _status: Any) -> None:
            out[:] = waiting.take(len(out))

        make = partial(
            sounddevice.RawOutputStream,
            dtype="int16",
            latency=_LATENCY_S,
            callback=wanted,
            finished_callback=waiting.lose,
        )
        return portaudio.first_that_opens(sounddevice, "output", self._device, rate, make)


def _spread(mono: bytes, channels: int) -> bytes:
    """Return the same sound on every channel."""
    return mono if channels == 1 else np.repeat(np.frombuffer(mono, "<i2"), channels).tobytes()
