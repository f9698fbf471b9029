"""A wake word and a voice detector of which a test knows beforehand what they hear. Handed over, never patched in."""

import asyncio
from collections.abc import Sequence

import numpy as np

from daemon.audio.frames import FRAME_BYTES, FRAME_SAMPLES, Frame
from daemon.errors import EngineFailed, MordomoError

QUIET: Frame = bytes(FRAME_BYTES)
"""A frame in which nobody speaks."""
TALKING: Frame = np.resize(np.array([9000, -9000, 4000, -2000], "<i2"), FRAME_SAMPLES).tobytes()
"""A frame that ScriptedVoiceDetector takes for speech."""
WAKE: Frame = np.resize(np.array([7, -7, 3, 5, -9, 1], "<i2"), FRAME_SAMPLES).tobytes()
"""A frame that ScriptedWakeWord takes for its word. To the voice detector it is silence."""
_LOUD = 1000


class ScriptedWakeWord:
    """Hears WAKE, wherever it lies in the stream. `failure` is raised instead, where there is one."""

    def __init__(self, name: str = "scripted-wake-word", *, failure: MordomoError | None = None) -> None:
        self.name = name
        self.failure = failure
        self.fired = 0
        self.closed = False
        self._recent = b""

    async def detect(self, frame: Frame) -> bool:
        if self.closed:
            raise EngineFailed(self.name, "já foi fechado")
        await asyncio.sleep(0)
        if self.failure is not None:
            raise self.failure
        self._recent += frame
        found = self._recent.find(WAKE)
        self._recent = self._recent[-(FRAME_BYTES - 1) :] if found < 0 else self._recent[found + FRAME_BYTES :]
        self.fired += found >= 0
        return found >= 0

    def close(self) -> None:
        self.closed = True


class ScriptedVoiceDetector:
    """Gives `probabilities` one after the other, and when they are used up (or there are none) 1 for a loud frame."""

    def __init__(self, probabilities: Sequence[float] = (), *, failure: MordomoError | None = None) -> None:
        self.name = "scripted-voice-detector"
        self.failure = failure
        self.resets = 0
        self.closed = False
        self._probabilities = list(probabilities)

    async def speech(self, frame: Frame) -> float:
        if self.closed:
            raise EngineFailed(self.name, "já foi fechado")
        await asyncio.sleep(0)
        if self.failure is not None:
            raise self.failure
        if self._probabilities:
            return self._probabilities.pop(0)
        samples = np.frombuffer(frame, "<i2", len(frame) // 2)
        return 1.0 if len(samples) and int(np.abs(samples.astype(np.int32)).max()) >= _LOUD else 0.0

    def reset(self) -> None:
        self.resets += 1

    def close(self) -> None:
        self.closed = True
