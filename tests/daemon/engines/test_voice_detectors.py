"""One contract for every voice detector: what it takes for speech, and that nothing poisons it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from support.engines import QUIET, TALKING, ScriptedVoiceDetector
from support.espeak import LAMP, TALK, frames, noisy, pcm, silence, spoken

from daemon.audio.frames import RATE
from daemon.engines.protocols import VoiceDetector
from daemon.engines.silero import Silero
from daemon.errors import EngineFailed, EngineMissing

KINDS: dict[str, Callable[[], VoiceDetector]] = {"silero": Silero.load, "scripted": ScriptedVoiceDetector}

SECONDS = np.arange(RATE * 3) / RATE
POISONS = {
    "constant tone": pcm(0.5 * np.sin(2 * np.pi * 440 * SECONDS)),
    "hum": pcm(np.sin(2 * np.pi * 60 * SECONDS)),
    "clipped": pcm(np.clip(20 * np.sin(2 * np.pi * 200 * SECONDS), -1, 1)),
    "full noise": pcm(np.random.default_rng(3).uniform(-1, 1, RATE * 3)),
    "direct current": pcm(np.full(RATE * 3, 1.0)),
    "lowest sample": b"\x00\x80" * RATE * 3,
    "samples that were NaN": bytes(RATE * 3) + pcm(np.full(RATE, -1.0)),
}


@pytest.fixture(params=KINDS)
def detector(request: pytest.FixtureRequest) -> Iterator[VoiceDetector]:
    engine = KINDS[request.param]()
    yield engine
    engine.close()


async def heard(detector: VoiceDetector, sound: bytes) -> list[float]:
    return [await detector.speech(frame) for frame in frames(sound)]


class TestEveryVoiceDetector:
    async def test_speech_is_likely_and_silence_is_not(self, detector: VoiceDetector) -> None:
        talk = await heard(detector, noisy(spoken(LAMP)))
        pause = (await heard(detector, noisy(silence(2))))[10:]
        assert np.mean(np.array(talk) >= 0.5) > 0.75
        assert max(pause) < 0.3

    async def test_probabilities_are_from_0_to_1(self, detector: VoiceDetector) -> None:
        for sound in POISONS.values():
            assert all(0 <= probability <= 1 for probability in await heard(detector, sound))

    @pytest.mark.parametrize("poison", POISONS)
    async def test_nothing_poisons_the_next_utterance(self, detector: VoiceDetector, poison: str) -> None:
        detector.reset()
        fresh = await heard(detector, noisy(silence(0.5) + spoken(LAMP) + silence(0.5)))
        await heard(detector, POISONS[poison])
        detector.reset()
        assert await heard(detector, noisy(silence(0.5) + spoken(LAMP) + silence(0.5))) == fresh

    @pytest.mark.parametrize("length", [0, 1, 2, 700, 1023, 1026, 20_000])
    async def test_frames_of_odd_lengths_are_survived(self, detector: VoiceDetector, length: int) -> None:
        assert 0 <= await detector.speech(spoken(TALK)[:length]) <= 1
        assert 0 <= await detector.speech(QUIET) <= 1

    async def test_closed_it_says_so(self, detector: VoiceDetector) -> None:
        await detector.speech(TALKING)
        detector.close()
        with pytest.raises(EngineFailed):
            await detector.speech(TALKING)


class TestSilero:
    async def test_noise_is_not_speech(self) -> None:
        detector = Silero.load()
        for name, sound in POISONS.items():
            detector.reset()
            assert np.mean(np.array((await heard(detector, sound))[10:]) >= 0.5) < 0.2, name
        detector.close()

    async def test_it_recovers_from_noise_without_a_reset(self) -> None:
        detector = Silero.load()
        for sound in POISONS.values():
            await heard(detector, sound)
            await heard(detector, noisy(silence(1)))
            assert np.mean(np.array(await heard(detector, noisy(spoken(LAMP)))) >= 0.5) > 0.75
        detector.close()

    def test_a_file_that_is_no_model_is_a_named_state(self, tmp_path: Path) -> None:
        broken = tmp_path / "voz.onnx"
        broken.write_bytes(b"nada")
        with pytest.raises(EngineMissing, match=r"voz.onnx"):
            Silero.load(broken)
        with pytest.raises(EngineMissing):
            Silero.load(tmp_path / "nenhum.onnx")
