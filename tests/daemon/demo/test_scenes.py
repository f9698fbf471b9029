"""The recorded scenes: each is what its entry says, is woken once, and is written down exactly."""

import subprocess
import sys
import wave
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from pymicro_wakeword import MicroWakeWord, MicroWakeWordFeatures, Model

from daemon.audio.frames import RATE
from daemon.demo.making.evaluate import Transcribe, transcriber, words
from daemon.demo.making.scenes import AFTER_S, BEFORE_S, FOLDER, TAKES, Scene, scenes
from daemon.demo.models import WHISPER_CASA

FIRING_LAG_S = 0.1
"""How long after the wake word's end the detector tells of it, at the most."""
every_scene = pytest.mark.parametrize("scene", scenes(), ids=lambda scene: scene.wav.removesuffix(".wav"))


@pytest.fixture(scope="module")
def transcribe() -> Transcribe:
    return transcriber(WHISPER_CASA)


@cache
def samples(path: Path) -> NDArray[np.int16]:
    with wave.open(str(path), "rb") as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (RATE, 1, 2)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2")


@cache
def woken_s(wav: str) -> list[float]:
    """When the wake word's detector begins to fire; a silence of 0.5 s parts one time from the next."""
    detector, features = MicroWakeWord.from_builtin(Model.HEY_JARVIS), MicroWakeWordFeatures()
    fired = [0.0]
    begun = []
    step = RATE // 100
    sound = samples(FOLDER / wav)
    for end in range(step, len(sound), step):
        for feature in features.process_streaming(sound[end - step : end].tobytes()):
            if detector.process_streaming(feature):
                if end / RATE - fired[-1] > 0.5:
                    begun.append(end / RATE)
                fired.append(end / RATE)
    return begun


def test_there_are_five_scenes_and_a_take_for_each() -> None:
    assert len(scenes()) == 5
    assert {scene.wav for scene in scenes()} == set(TAKES) == {path.name for path in FOLDER.glob("*.wav")}
    assert len({take.manner.voice for take in TAKES.values()}) == 5
    assert {take.pause_s == 0 for take in TAKES.values()} == {True, False}


@every_scene
def test_begins_and_ends_in_a_quiet_room(scene: Scene) -> None:
    sound = samples(FOLDER / scene.wav) / 32768
    before, after = sound[: int(0.95 * BEFORE_S * RATE)], sound[-int(0.95 * AFTER_S * RATE) :]
    for quiet in (before, after):
        assert 0.0005 < quiet.std() < 0.003
    assert 0.3 < np.abs(sound).max() < 0.9


@every_scene
def test_is_woken_once_right_after_the_wake_word(scene: Scene) -> None:
    (woken,) = woken_s(scene.wav)
    assert 1.5 < woken < 2.1


@every_scene
@pytest.mark.parametrize("earlier_s", [0.0, 0.2, 0.3])
def test_command_is_written_down_exactly(scene: Scene, transcribe: Transcribe, earlier_s: float) -> None:
    sound = np.asarray(samples(FOLDER / scene.wav) / 32768, np.float32)
    start_s = woken_s(scene.wav)[0] - FIRING_LAG_S - earlier_s
    assert words(transcribe(sound[int(start_s * RATE) :])) == words(scene.text)


def test_the_script_makes_the_recordings_again(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "daemon.demo.making.scenes", "--out", str(tmp_path)], check=True, cwd=FOLDER.parents[2]
    )
    for scene in scenes():
        made, shipped = samples(tmp_path / scene.wav), samples(FOLDER / scene.wav)
        assert len(made) == len(shipped)
        # Processors round the resampling differently, by a bit at most: the same bytes on one machine, no more than that
        # apart between two.
        assert np.abs(made.astype(int) - shipped.astype(int)).max() <= 1
