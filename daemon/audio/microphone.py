"""The local microphone as a Source."""

import asyncio
from collections.abc import AsyncGenerator
from functools import partial
from typing import Any

import numpy as np
import structlog

from daemon.audio import portaudio
from daemon.audio.frames import FRAME_BYTES, FRAME_SAMPLES, RATE, SAMPLE_BYTES, Frame, Pcm
from daemon.audio.resample import Resampler
from daemon.errors import LinkDown

log = structlog.get_logger(__name__)

WAITING_FRAMES = 64
"""How many frames (2 s) wait for whoever listens; after that the oldest are lost."""
SILENT_S = 5.0
"""A microphone that gives nothing for so long has been unplugged."""
_LOG_EVERY_S = 60.0


class FrameQueue:
    """Pieces from the sound card's thread, cut to frames, in a bounded queue: the oldest are lost, never the newest.

    All methods run on the event loop.
    """

    def __init__(self, rate: int, channels: int, limit: int = WAITING_FRAMES) -> None:
        self.lost = 0
        self._rate = rate
        self._channels = channels
        self._resampler = Resampler(RATE)
        self._rest = b""
        self._frames: asyncio.Queue[Frame | None] = asyncio.Queue(limit)
        self._logged_s = -_LOG_EVERY_S
        self._lost_when_logged = 0

    def put(self, samples: bytes, *, overflowed: bool = False) -> None:
        """Take s16le samples, the channels interleaved; `overflowed` where the card has lost some before them."""
        if self._channels > 1:
            whole = len(samples) // (SAMPLE_BYTES * self._channels) * SAMPLE_BYTES * self._channels
            by_channel = np.frombuffer(samples[:whole], "<i2").reshape(-1, self._channels)
            samples = by_channel.mean(axis=1).astype("<i2").tobytes()
        sound = self._rest + self._resampler.take(Pcm(samples, self._rate))
        whole = len(sound) // FRAME_BYTES * FRAME_BYTES
        self._rest = sound[whole:]
        self.lost += overflowed
        for at in range(0, whole, FRAME_BYTES):
            self._add(sound[at : at + FRAME_BYTES])
        if self.lost > self._lost_when_logged:
            self._log()

    def end(self) -> None:
        """Say that no more will come."""
        self._add(None)

    async def get(self) -> Frame:
        """Return the next frame. Raises LinkDown when the microphone is gone."""
        try:
            async with asyncio.timeout(SILENT_S):
                frame = await self._frames.get()
        except TimeoutError:
            raise LinkDown("microfone", "parou de mandar som") from None
        if frame is None:
            raise LinkDown("microfone", "foi desligado")
        return frame

    def _add(self, frame: Frame | None) -> None:
        if self._frames.full():
            self._frames.get_nowait()
            self.lost += 1
        self._frames.put_nowait(frame)

    def _log(self) -> None:
        now_s = asyncio.get_running_loop().time()
        if now_s - self._logged_s >= _LOG_EVERY_S:
            log.warning("microphone_frames_lost", frames=self.lost - self._lost_when_logged)
            self._logged_s, self._lost_when_logged = now_s, self.lost


class Microphone:
    """A Source over the sound card: 16 kHz where the card can, else its own rate, resampled."""

    def __init__(self, device: str = "") -> None:
        """Take the card's name or a part of it; empty is the system's own microphone."""
        self.name = "microfone"
        self._device = device

    async def frames(self) -> AsyncGenerator[Frame, None]:
        """Yield frames for ever. Raises EngineMissing when there is no microphone, LinkDown when it goes away."""
        loop = asyncio.get_running_loop()
        queue: FrameQueue | None = None

        def heard(samples: Any, _count: int, _time: Any, status: Any) -> None:
            if queue is not None and not loop.is_closed():
                loop.call_soon_threadsafe(partial(queue.put, bytes(samples), overflowed=bool(status.input_overflow)))

        def finished() -> None:
            if queue is not None and not loop.is_closed():
                loop.call_soon_threadsafe(queue.end)

        def build(sounddevice: Any) -> Any:
            make = partial(
                sounddevice.RawInputStream,
                dtype="int16",
                latency="high",
                callback=heard,
                finished_callback=finished,
            )
            return portaudio.first_that_opens(sounddevice, "input", self._device, RATE, partial(_with_blocks, make))

        async with portaudio.stream("input", build) as stream:
            queue = FrameQueue(round(stream.samplerate), stream.channels)
            await portaudio.start("input", stream)
            log.info("microphone_open", rate=round(stream.samplerate), channels=stream.channels)
            while True:
                yield await queue.get()


def _with_blocks(make: Any, *, samplerate: int, **rest: Any) -> Any:
    """Ask for blocks of one frame's time."""
    return make(samplerate=samplerate, blocksize=samplerate * FRAME_SAMPLES // RATE, **rest)
