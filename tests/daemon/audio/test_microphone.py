"""What the microphone's frames go through between the sound card's thread and whoever listens."""

import asyncio

import numpy as np
import pytest
from structlog.testing import capture_logs

from daemon.audio.frames import FRAME_BYTES, RATE
from daemon.audio.microphone import WAITING_FRAMES, FrameQueue
from daemon.errors import LinkDown


async def drained(queue: FrameQueue, count: int) -> list[bytes]:
    return [await queue.get() for _ in range(count)]


async def test_pieces_of_any_length_become_whole_frames() -> None:
    sound = np.arange(5 * 512, dtype="<i2").tobytes()
    queue = FrameQueue(RATE, 1)
    for begin, end in ((0, 10), (10, 2000), (2000, 2002), (2002, len(sound))):
        queue.put(sound[begin:end])
    assert b"".join(await drained(queue, 5)) == sound


@pytest.mark.parametrize(("rate", "channels"), [(16_000, 2), (44_100, 1), (48_000, 2)])
async def test_other_rates_and_channels_are_converted(rate: int, channels: int) -> None:
    tone = np.rint(8000 * np.sin(2 * np.pi * 440 * np.arange(rate) / rate)).astype("<i2")
    interleaved = np.repeat(tone, channels).tobytes()
    queue = FrameQueue(rate, channels)
    step = rate // 31 * 2 * channels
    for at in range(0, len(interleaved), step):
        queue.put(interleaved[at : at + step])
    sound = np.frombuffer(b"".join(await drained(queue, 30)), "<i2").astype(np.float64)
    spectrum = np.abs(np.fft.rfft(sound[: RATE * 15 // 16]))
    assert spectrum.argmax() * 16 / 15 == pytest.approx(440, abs=2)
    assert np.abs(sound[1000:-1000]).max() == pytest.approx(8000, rel=0.02)


async def test_the_oldest_frames_are_lost_and_told_once() -> None:
    queue = FrameQueue(RATE, 1)
    with capture_logs() as logs:
        for number in range(WAITING_FRAMES + 40):
            queue.put(bytes([number]) * FRAME_BYTES)
    assert queue.lost == 40
    assert [log["event"] for log in logs] == ["microphone_frames_lost"]
    assert (await queue.get())[0] == 40


async def test_what_the_card_lost_counts_as_well() -> None:
    queue = FrameQueue(RATE, 1)
    queue.put(bytes(FRAME_BYTES), overflowed=True)
    assert queue.lost == 1


async def test_an_unplugged_microphone_is_a_link_down_even_behind_a_full_queue() -> None:
    queue = FrameQueue(RATE, 1, limit=4)
    for _ in range(4):
        queue.put(bytes(FRAME_BYTES))
    queue.end()
    await drained(queue, 3)
    with pytest.raises(LinkDown, match="microfone"):
        await queue.get()


async def test_frames_are_waited_for() -> None:
    queue = FrameQueue(RATE, 1)
    waiting = asyncio.create_task(queue.get())
    await asyncio.sleep(0)
    assert not waiting.done()
    queue.put(bytes(FRAME_BYTES))
    assert await waiting == bytes(FRAME_BYTES)
