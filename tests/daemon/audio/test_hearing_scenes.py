"""From a file to an utterance, with the real engines: the recorded scenes of the demonstration."""

from collections import deque
from contextlib import aclosing
from pathlib import Path

import numpy as np
import pytest
from support.espeak import HEY_JARVIS, LAMP, noisy, pcm, silence, spoken

from daemon import demo
from daemon.audio.endpointer import Ended, Endpoint, Endpointer, EndpointRules
from daemon.audio.frames import FRAME_MS, RATE, Frame
from daemon.audio.wav import WavSource, read_speech, write_wav
from daemon.engines.microwakeword import MicroWakeWord
from daemon.engines.silero import Silero

SCENES = sorted((Path(str(demo.__file__)).parent / "scenes").glob("*.wav"))
PREROLL_FRAMES = 10


async def hear(path: Path) -> tuple[list[float], list[tuple[float, Endpoint]]]:
    """Return when (in seconds of the sound) the wake word fired, and what the endpointer said after it."""
    wake_word, detector = MicroWakeWord.load("hey_jarvis"), Silero.load()
    woken: list[float] = []
    events: list[tuple[float, Endpoint]] = []
    before: deque[Frame] = deque(maxlen=PREROLL_FRAMES)
    endpointer: Endpointer | None = None
    at_s = 0.0
    async with aclosing(WavSource(path).frames()) as frames:
        async for frame in frames:
            at_s += FRAME_MS / 1000
            before.append(frame)
            if await wake_word.detect(frame):
                woken.append(at_s)
                endpointer = Endpointer(EndpointRules(), before)
            elif endpointer is not None:
                event = endpointer.push(frame, await detector.speech(frame))
                if event is not None:
                    events.append((at_s, event))
    wake_word.close()
    detector.close()
    return woken, events


def last_sound_s(pcm16: bytes) -> float:
    loud = np.flatnonzero(np.abs(np.frombuffer(pcm16, "<i2").astype(np.int32)) > 800)
    return float(loud[-1] / RATE)


@pytest.mark.parametrize("scene", SCENES, ids=lambda path: path.stem)
async def test_every_scene_wakes_once_and_gives_one_utterance(scene: Path) -> None:
    woken, events = await hear(scene)
    assert len(woken) == 1
    over_s, end = events[-1]
    assert isinstance(end, Ended)
    assert not end.too_long
    assert 500 < end.utterance.duration_ms < 8000
    silence_s = over_s - last_sound_s(read_speech(scene))
    assert 0.4 < silence_s < 1.1


@pytest.mark.parametrize("gap_s", [0.1, 0.4, 1.5])
@pytest.mark.parametrize("level", [0.002, 0.01])
async def test_in_one_breath_or_after_a_pause_no_syllable_is_lost(gap_s: float, level: float, tmp_path: Path) -> None:
    command = spoken(LAMP)
    before = silence(1) + spoken(HEY_JARVIS) + silence(gap_s)
    sound = noisy(before + command + silence(1), level)
    write_wav(tmp_path / "breath.wav", sound, RATE)
    woken, events = await hear(tmp_path / "breath.wav")

    assert len(woken) == 1
    end = events[-1][1]
    assert isinstance(end, Ended)
    begins_at = sound.find(end.utterance.pcm)
    assert 0 <= begins_at <= len(before)
    assert begins_at + len(end.utterance.pcm) >= len(before) + len(command)


async def test_silence_and_noise_wake_nobody(tmp_path: Path) -> None:
    write_wav(tmp_path / "noise.wav", pcm(np.random.default_rng(5).normal(0, 0.05, RATE * 5)), RATE)
    assert await hear(tmp_path / "noise.wav") == ([], [])
