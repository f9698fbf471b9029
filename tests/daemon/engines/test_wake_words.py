"""One contract for every wake word, and what each of them refuses."""

import asyncio
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.engines import QUIET, WAKE, ScriptedWakeWord
from support.espeak import HEY_JARVIS, LAMP, OKAY_NABU, TALK, frames, noisy, pcm, silence, spoken

from daemon.audio.frames import FRAME_BYTES, RATE
from daemon.engines.microwakeword import MicroWakeWord
from daemon.engines.openwakeword import OpenWakeWord
from daemon.engines.porcupine import KEY_NAME, Porcupine, own_sensitivity
from daemon.engines.protocols import WakeWord
from daemon.engines.wake_word import cutoff_for
from daemon.errors import EngineFailed, EngineMissing

MALFORMED_KEY = "chave-Secreta-0123456789=="


class MarkedPorcupine:
    """Stands where `pvporcupine.Porcupine` would, which needs a key: strict about lengths, and hears WAKE."""

    frame_length = 512

    def __init__(self) -> None:
        self.deleted = False
        self._recent = b""

    def process(self, samples: Any) -> int:
        assert len(samples) == self.frame_length
        assert not self.deleted
        self._recent += bytes(samples)
        heard = WAKE in self._recent
        self._recent = b"" if heard else self._recent[-2 * FRAME_BYTES :]
        return 0 if heard else -1

    def delete(self) -> None:
        self.deleted = True


@dataclass(frozen=True)
class Kind:
    """How to build a wake word, and the sound of its word."""

    build: Callable[[], WakeWord]
    word: Callable[[], bytes]


KINDS = {
    "microwakeword-jarvis": Kind(lambda: MicroWakeWord.load("hey_jarvis"), lambda: spoken(HEY_JARVIS)),
    "microwakeword-nabu": Kind(lambda: MicroWakeWord.load("Okay Nabu"), lambda: spoken(OKAY_NABU)),
    "openwakeword-jarvis": Kind(lambda: OpenWakeWord.load("hey_jarvis"), lambda: spoken(HEY_JARVIS)),
    "porcupine-cutting": Kind(lambda: Porcupine(MarkedPorcupine(), "marked"), lambda: WAKE),
    "scripted": Kind(ScriptedWakeWord, lambda: WAKE),
}


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> Kind:
    return KINDS[request.param]


@pytest.fixture
def wake_word(kind: Kind) -> Iterator[WakeWord]:
    engine = kind.build()
    yield engine
    engine.close()


async def fired(engine: WakeWord, sound: bytes) -> list[int]:
    """Return the frames at which it fired."""
    return [number for number, frame in enumerate(frames(sound)) if await engine.detect(frame)]


def faint(kind: Kind, before_s: float = 1.0, after: bytes = b"") -> bytes:
    """The word in a quiet room. Words made of exact bytes get no noise."""
    word = kind.word()
    return silence(before_s) + word + after if word == WAKE else noisy(silence(before_s) + word + after)


class TestEveryWakeWord:
    async def test_one_saying_fires_once_soon_after_its_end(self, kind: Kind, wake_word: WakeWord) -> None:
        at = await fired(wake_word, faint(kind, after=silence(2.5)))

        end_ms = (1.0 + len(kind.word()) / 2 / RATE) * 1000
        assert len(at) == 1
        assert -150 < (at[0] + 1) * 32 - end_ms < 450

    async def test_a_command_in_the_same_breath_does_not_hide_it(self, kind: Kind, wake_word: WakeWord) -> None:
        assert len(await fired(wake_word, faint(kind, after=silence(0.15) + spoken(LAMP) + silence(1)))) == 1

    async def test_a_second_saying_fires_again(self, kind: Kind, wake_word: WakeWord) -> None:
        await fired(wake_word, faint(kind, after=silence(2)))
        assert len(await fired(wake_word, faint(kind, after=silence(2)))) == 1

    async def test_frames_that_a_turn_kept_to_itself_do_not_make_it_fire_anew(
        self, kind: Kind, wake_word: WakeWord
    ) -> None:
        for frame in frames(faint(kind, after=silence(2))):
            if await wake_word.detect(frame):
                break
        assert await fired(wake_word, noisy(silence(0.3) + spoken(LAMP) + silence(2))) == []

    async def test_other_speech_and_noise_are_not_it(self, wake_word: WakeWord) -> None:
        random = np.random.default_rng(7)
        seconds = np.arange(RATE * 2) / RATE
        for sound in (
            noisy(silence(0.5) + spoken(TALK) + silence(0.5)),
            pcm(random.normal(0, 0.15, RATE * 3)),
            pcm(0.8 * np.sin(2 * np.pi * 440 * seconds)),
            pcm(np.sign(np.sin(2 * np.pi * 150 * seconds))),
            pcm(np.full(RATE, 0.9)),
        ):
            assert await fired(wake_word, sound) == []

    async def test_noise_beforehand_does_not_deafen_it(self, kind: Kind, wake_word: WakeWord) -> None:
        seconds = np.arange(RATE) / RATE
        await fired(wake_word, pcm(np.sign(np.sin(2 * np.pi * 150 * seconds))) + pcm(np.full(RATE, 0.9)))
        assert len(await fired(wake_word, faint(kind, before_s=2.0, after=silence(2)))) == 1

    async def test_frames_of_odd_lengths_are_the_same_sound(self, kind: Kind, wake_word: WakeWord) -> None:
        sound = faint(kind, after=silence(2))
        lengths = [0, 1, 3, 998, 1024, 5001, 2, 40_001]
        count = at = turn = 0
        while at < len(sound):
            length = lengths[turn % len(lengths)]
            count += await wake_word.detect(sound[at : at + length])
            at, turn = at + length, turn + 1
        assert count == 1

    async def test_closed_it_says_so_and_may_be_closed_again(self, wake_word: WakeWord) -> None:
        await wake_word.detect(QUIET)
        wake_word.close()
        wake_word.close()
        with pytest.raises(EngineFailed):
            await wake_word.detect(QUIET)

    async def test_closing_waits_for_the_frame_under_way(self, kind: Kind, wake_word: WakeWord) -> None:
        under_way = [asyncio.ensure_future(wake_word.detect(frame)) for frame in frames(spoken(TALK))[:40]]
        await asyncio.sleep(0)
        wake_word.close()
        await asyncio.wait(under_way, timeout=10)
        assert all(one.done() for one in under_way)
        for one in under_way:
            if not one.cancelled():
                one.exception()

    async def test_it_has_a_name(self, wake_word: WakeWord) -> None:
        assert wake_word.name.strip()


def model_file(package: str, name: str) -> Path:
    spec = find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "models" / name


VENDORS: dict[str, type[MicroWakeWord] | type[OpenWakeWord]] = {
    "pymicro_wakeword": MicroWakeWord,
    "pyopen_wakeword": OpenWakeWord,
}


@pytest.mark.parametrize("package", VENDORS)
class TestModelsByPath:
    async def test_a_lone_tflite_is_loaded_and_hears(self, package: str, tmp_path: Path) -> None:
        mine = tmp_path / "minha palavra.tflite"
        shutil.copy(model_file(package, "hey_jarvis.tflite"), mine)
        engine = VENDORS[package].load(str(mine))
        assert len(await fired(engine, noisy(silence(1) + spoken(HEY_JARVIS) + silence(2)))) == 1
        assert "minha palavra" in engine.name
        engine.close()

    def test_a_file_that_is_no_model_is_refused(self, package: str, tmp_path: Path) -> None:
        mine = tmp_path / "mordomo.tflite"
        mine.write_bytes(model_file(package, "hey_jarvis.tflite").read_bytes()[:3000])
        with pytest.raises(EngineMissing, match=r"mordomo.tflite"):
            VENDORS[package].load(str(mine))

    def test_a_model_of_the_other_engine_is_refused(self, package: str) -> None:
        other = next(name for name in VENDORS if name != package)
        with pytest.raises(EngineMissing):
            VENDORS[package].load(str(model_file(other, "hey_jarvis.tflite")))

    def test_a_missing_file_is_named(self, package: str, tmp_path: Path) -> None:
        with pytest.raises(EngineMissing, match=r"nenhuma.tflite") as missing:
            VENDORS[package].load(str(tmp_path / "nenhuma.tflite"))
        assert "mordomo config set wake_word.phrase" in missing.value.mend

    def test_an_unknown_phrase_lists_those_that_there_are(self, package: str) -> None:
        with pytest.raises(EngineMissing, match=r"hey_jarvis.*alexa|alexa.*hey_jarvis"):
            VENDORS[package].load("mordomo")


def test_a_description_that_is_no_description_is_refused(tmp_path: Path) -> None:
    described = tmp_path / "mordomo.json"
    described.write_text('{"micro": 3}', encoding="utf-8")
    with pytest.raises(EngineMissing, match=r"mordomo.json"):
        MicroWakeWord.load(str(described))


async def test_a_description_and_its_model_are_loaded(tmp_path: Path) -> None:
    for name in ("okay_nabu.json", "okay_nabu.tflite"):
        shutil.copy(model_file("pymicro_wakeword", name), tmp_path / name)
    engine = MicroWakeWord.load(str(tmp_path / "okay_nabu.json"))
    assert engine.cutoff == pytest.approx(0.85)
    engine.close()


class TestSensitivity:
    @given(st.floats(0.05, 0.98), st.floats(0, 1), st.floats(0, 1))
    def test_more_sensitive_never_means_a_higher_cutoff(self, shipped: float, one: float, other: float) -> None:
        low, high = sorted((one, other))
        assert 0 < cutoff_for(shipped, high) <= cutoff_for(shipped, low) <= 0.99 + 1e-9

    @given(st.floats(0.05, 0.98))
    def test_the_usual_sensitivity_is_the_shipped_cutoff(self, shipped: float) -> None:
        assert cutoff_for(shipped, 0.7) == pytest.approx(shipped)

    @given(st.floats(0, 1), st.floats(0, 1))
    def test_porcupines_own_rises_with_ours(self, one: float, other: float) -> None:
        low, high = sorted((one, other))
        assert 0 <= own_sensitivity(low) <= own_sensitivity(high) <= 1
        assert own_sensitivity(0.7) == pytest.approx(0.5)

    @pytest.mark.parametrize("sensitivity", [0.0, 1.0])
    async def test_at_both_ends_it_still_works(self, sensitivity: float) -> None:
        """The strictest hears a clear word, and the most lenient is not woken by a conversation."""
        wake_word = MicroWakeWord.load("hey_jarvis", sensitivity)
        assert await fired(wake_word, noisy(silence(0.5) + spoken(TALK) + silence(1))) == []
        assert len(await fired(wake_word, noisy(spoken(HEY_JARVIS) + silence(2)))) == 1
        wake_word.close()


class TestPorcupineRefusals:
    @pytest.mark.parametrize("key", [None, "", "  ", MALFORMED_KEY, "ç" * 40])
    def test_a_key_that_is_none_is_a_named_state(self, key: str | None) -> None:
        with pytest.raises(EngineMissing) as missing:
            Porcupine.load("hey_jarvis", 0.7, key)
        assert KEY_NAME in missing.value.mend

    def test_the_key_is_never_told(self) -> None:
        with pytest.raises(EngineMissing) as missing:
            Porcupine.load("jarvis", 0.7, MALFORMED_KEY)
        error: BaseException | None = missing.value
        while error is not None:
            assert MALFORMED_KEY not in f"{error}{error!r}"
            error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)

    def test_an_unknown_phrase_lists_those_that_there_are(self) -> None:
        with pytest.raises(EngineMissing, match=r"jarvis.*porcupine"):
            Porcupine.load("mordomo", 0.7, MALFORMED_KEY)

    def test_a_missing_file_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(EngineMissing, match=r"mordomo.ppn"):
            Porcupine.load(str(tmp_path / "mordomo.ppn"), 0.7, MALFORMED_KEY)

    def test_a_file_that_is_no_model_is_refused(self, tmp_path: Path) -> None:
        mine = tmp_path / "mordomo.ppn"
        mine.write_bytes(b"nada")
        with pytest.raises(EngineMissing, match=r"mordomo.ppn"):
            Porcupine.load(str(mine), 0.7, MALFORMED_KEY)
