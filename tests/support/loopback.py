"""A program for the sound card's test: plays through SoundCard, hears through Microphone, prints what came back as JSON.

Run it where the system's speaker leads into the system's microphone: `python -m support.loopback`.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import aclosing

import numpy as np

from daemon.audio.frames import FRAME_BYTES, RATE, Frame, Pcm
from daemon.audio.microphone import Microphone
from daemon.audio.soundcard import SoundCard

VOICE_RATE = 22_050
SECONDS = 1.0


def chirp(rate: int) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    time_s = np.arange(round(rate * SECONDS)) / rate
    return np.sin(2 * np.pi * (200 * time_s + 1500 * time_s**2)) * 12_000


async def chirps() -> AsyncIterator[Pcm]:
    sound = chirp(VOICE_RATE).astype("<i2").tobytes()
    for at in range(0, len(sound), VOICE_RATE // 5):
        yield Pcm(sound[at : at + VOICE_RATE // 5], VOICE_RATE)


async def endless() -> AsyncIterator[Pcm]:
    while True:
        yield Pcm(chirp(VOICE_RATE).astype("<i2").tobytes(), VOICE_RATE)


async def main() -> None:
    heard: list[Frame] = []
    times_s: list[float] = []
    first = asyncio.Event()

    async def listen() -> None:
        async with aclosing(Microphone().frames()) as frames:
            async for frame in frames:
                heard.append(frame)
                times_s.append(time.monotonic())
                first.set()

    async with asyncio.TaskGroup() as tasks:
        listening = tasks.create_task(listen())
        await first.wait()
        began = len(heard)
        began_s = time.monotonic()
        await SoundCard().play(chirps())
        took_s = time.monotonic() - began_s
        await asyncio.sleep(0.4)
        at, likeness = found(b"".join(heard[began:]))

        playing = tasks.create_task(SoundCard().play(endless()))
        await asyncio.sleep(1)
        cancelled_at = len(heard)
        playing.cancel()
        await asyncio.wait({playing})
        await asyncio.sleep(0.6)
        loud = [number for number, frame in enumerate(heard[cancelled_at:]) if loudness(frame) > 200]
        listening.cancel()
    print(
        json.dumps(
            {
                "likeness": likeness,
                "delay_ms": (times_s[began + at * 2 // FRAME_BYTES] - began_s) * 1000,
                "play_took_s": took_s,
                "loud_after_cancel_ms": (max(loud, default=-1) + 1) * FRAME_BYTES / 2 / RATE * 1000,
            }
        )
    )


def found(sound: bytes) -> tuple[int, float]:
    """Return where the chirp begins, in samples, and how like it is (1: the same)."""
    samples = np.frombuffer(sound, "<i2").astype(np.float64)
    wanted = chirp(RATE)
    at = int(np.correlate(samples, wanted, "valid").argmax())
    piece = samples[at : at + len(wanted)]
    return at, float(piece @ wanted / np.sqrt((piece @ piece) * (wanted @ wanted) + 1))


def loudness(frame: Frame) -> int:
    return int(np.abs(np.frombuffer(frame, "<i2").astype(np.int32)).max())


if __name__ == "__main__":
    asyncio.run(main())
