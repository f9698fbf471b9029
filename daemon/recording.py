"""A turn on a recording: the same ears as for a microphone, on sound that is already there."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

from daemon.audio.endpointer import EndpointRules
from daemon.audio.frames import FRAME_MS, RATE, Frame
from daemon.audio.wav import WavSource, write_wav
from daemon.butler import Butler, Place
from daemon.engines.protocols import VoiceDetector, WakeWord
from daemon.turn import Turn

LONGEST_S = 120
"""Sound after this much of a recording is not looked at: a household's command is said by then."""


async def turn_on_recording(
    wav: Path,
    place: Place,
    butler: Butler,
    rules: EndpointRules,
    ears: Callable[[], tuple[WakeWord | None, VoiceDetector]],
) -> Turn | None:
    """Take one turn on a WAV file, from its wake word on, or from its beginning where nobody says the wake word.

    `ears` builds engines of its own, since engines keep state and the microphone's are in use; without a wake word
    engine it begins at the beginning. Returns None where nobody speaks within LONGEST_S. Raises CannotDo for a file
    that is no recording, EngineFailed, EngineMissing.
    """
    wake_word, detector = await asyncio.to_thread(ears)
    try:
        frames, called_at = await _until_called(WavSource(wav), wake_word)
        kept = round(rules.preroll_ms / FRAME_MS)
        preroll = frames[max(0, called_at - kept) : called_at]
        patient = replace(rules, wait_s=LONGEST_S)
        understood = await butler.listen(_again(frames[called_at:]), place, detector, patient, preroll)
    finally:
        detector.close()
        if wake_word is not None:
            wake_word.close()
    return None if understood is None else await butler.answer(understood, place)


async def _until_called(source: WavSource, wake_word: WakeWord | None) -> tuple[list[Frame], int]:
    """Return the recording's frames, and how many of them end with the wake word (0: it is not said)."""
    frames: deque[Frame] = deque()
    called_at = 0
    async with aclosing(source.frames()) as sound:
        async for frame in sound:
            frames.append(frame)
            if wake_word is not None and called_at == 0 and await wake_word.detect(frame):
                called_at = len(frames)
            if len(frames) * FRAME_MS > LONGEST_S * 1000:
                break
    return list(frames), called_at


async def _again(frames: Sequence[Frame]) -> AsyncGenerator[Frame, None]:
    for frame in frames:
        yield frame


async def shortened(wav: Path, to: Path) -> None:
    """Write the first LONGEST_S seconds of a sound file as a plain WAV (16 kHz mono s16). Raises CannotDo."""
    frames: list[Frame] = []
    async with aclosing(WavSource(wav, tail_s=0).frames()) as sound:
        async for frame in sound:
            frames.append(frame)
            if len(frames) * FRAME_MS > LONGEST_S * 1000:
                break
    await asyncio.to_thread(write_wav, to, b"".join(frames), RATE)
