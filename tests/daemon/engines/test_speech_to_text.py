"""One contract for every SpeechToText; what Whisper makes up; what breaks inside it."""

import asyncio
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soxr
from support.speech_engines import ScriptedSpeechToText

from daemon.audio.frames import RATE, Utterance
from daemon.demo.models import WHISPER_CASA
from daemon.engines.espeak import Espeak
from daemon.engines.protocols import SpeechToText
from daemon.engines.whisper import Samples, Whisper
from daemon.errors import EngineFailed, EngineMissing

LAMP = "Acende a luz da sala."


def utterance(samples: Samples) -> Utterance:
    pcm = (np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes()
    return Utterance(pcm, speech_ms=len(pcm) / 32)


async def spoken(sentence: str) -> Utterance:
    voice = Espeak.load()
    pcm = b"".join([piece.samples async for piece in voice.synthesise(sentence)])
    voice.close()
    samples = soxr.resample(np.frombuffer(pcm, "<i2").astype(np.float32) / 32768, 22050, RATE)
    silence = np.zeros(RATE * 3 // 10, np.float32)
    return utterance(np.concatenate([silence, samples, silence]))


@pytest.fixture(scope="module")
def casa() -> Iterable[Whisper]:
    whisper = Whisper.load(WHISPER_CASA, name="casa", threads=1, window_s=10)
    yield whisper
    whisper.close()


@pytest.fixture(params=["whisper", "scripted"])
def engine(request: pytest.FixtureRequest) -> SpeechToText:
    if request.param == "whisper":
        whisper: Whisper = request.getfixturevalue("casa")
        return whisper
    return ScriptedSpeechToText([LAMP])


SILENCES = {
    "empty": Utterance(b"", 0),
    "one byte": Utterance(b"\0", 0),
    "a moment": Utterance(b"\0\0" * 100, 0),
    "two seconds": Utterance(b"\0\0" * 2 * RATE, 0),
}


class TestContract:
    async def test_speech_is_written_down_in_portuguese(self, engine: SpeechToText) -> None:
        transcript = await engine.transcribe(await spoken("acende a luz da sala"))
        assert transcript.text == LAMP
        assert transcript.language == "pt"
        assert transcript.model == engine.name
        assert 0.5 < transcript.confidence <= 1.0

    @pytest.mark.parametrize("silence", SILENCES.values(), ids=list(SILENCES))
    async def test_silence_is_empty(self, engine: SpeechToText, silence: Utterance) -> None:
        transcript = await engine.transcribe(silence)
        assert transcript.text == ""
        assert transcript.confidence == 0.0

    async def test_several_at_once_are_each_answered(self, engine: SpeechToText) -> None:
        lamp = await spoken("acende a luz da sala")
        assert {t.text for t in await asyncio.gather(*(engine.transcribe(lamp) for _ in range(3)))} == {LAMP}

    async def test_a_cancelled_one_does_not_spoil_the_next(self, engine: SpeechToText) -> None:
        lamp = await spoken("acende a luz da sala")
        first = asyncio.create_task(engine.transcribe(lamp))
        await asyncio.sleep(0)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        assert (await engine.transcribe(lamp)).text == LAMP


@dataclass
class Said:
    """A segment as faster-whisper would give it."""

    text: str
    avg_logprob: float = -0.1
    no_speech_prob: float = 0.01
    compression_ratio: float = 1.0
    tokens: tuple[int, ...] = (1, 2, 3, 4)


class ScriptedModel:
    """A model at faster-whisper's seam: gives segments or breaks, and can be held in the middle of its work."""

    def __init__(self, segments: Iterable[Said] = (), *, breaks: Exception | None = None) -> None:
        self.segments = list(segments)
        self.breaks = breaks
        self.options: dict[str, Any] = {}
        self.audio = np.zeros(0, np.float32)
        self.calls = 0
        self.begun = threading.Event()
        self.go_on = threading.Event()
        self.go_on.set()

    def transcribe(self, audio: Samples, **options: Any) -> tuple[Iterable[Any], object]:
        self.calls += 1
        self.audio, self.options = audio, options
        self.begun.set()
        self.go_on.wait(10)
        if self.breaks is not None:
            raise self.breaks
        return iter(self.segments), None


NOISE = utterance(np.random.default_rng(1).normal(0, 0.1, 2 * RATE).astype(np.float32))


@pytest.fixture
async def model() -> AsyncIterator[ScriptedModel]:
    scripted = ScriptedModel()
    yield scripted
    scripted.go_on.set()


class TestWhisper:
    async def test_the_language_is_pinned_and_the_decoding_bounded(self) -> None:
        model = ScriptedModel([Said(" Oi.")])
        beam = 3
        whisper = Whisper(model, name="x", beam_size=lambda: beam, min_logprob=-0.8)
        await whisper.transcribe(NOISE)
        assert model.options["language"] == "pt"
        assert model.options["task"] == "transcribe"
        assert model.options["temperature"][0] == 0.0
        assert len(model.options["temperature"]) <= 2
        assert model.options["condition_on_previous_text"] is False
        assert model.options["without_timestamps"] is True
        assert model.options["max_new_tokens"] == 48
        assert model.options["log_prob_threshold"] == -0.8
        assert model.options["beam_size"] == 3
        beam = 5
        await whisper.transcribe(NOISE)
        assert model.options["beam_size"] == 5
        whisper.close()

    async def test_samples_are_finite_floats_between_one_and_minus_one(self) -> None:
        model = ScriptedModel()
        whisper = Whisper(model, name="x")
        await whisper.transcribe(Utterance(b"\x00\x80\xff\x7f" * RATE + b"\x01", 0))
        assert model.audio.dtype == np.float32
        assert np.isfinite(model.audio).all()
        assert (model.audio.min(), model.audio.max()) == (-1.0, 32767 / 32768)
        whisper.close()

    async def test_confidence_weighs_segments_by_their_length(self) -> None:
        model = ScriptedModel([Said(" Sim.", -0.4, tokens=(1,)), Said(" Acende a luz.", -0.1, tokens=(1, 2, 3))])
        whisper = Whisper(model, name="x")
        transcript = await whisper.transcribe(NOISE)
        assert transcript.text == "Sim. Acende a luz."
        assert transcript.confidence == pytest.approx(np.exp((-0.4 - 0.3) / 4))
        whisper.close()

    @pytest.mark.parametrize(
        "crash", [RuntimeError("out of memory"), MemoryError(), ValueError("bad shape"), IndexError()]
    )
    async def test_a_crash_inside_costs_one_turn(self, crash: Exception) -> None:
        model = ScriptedModel([Said(" Oi.")], breaks=crash)
        whisper = Whisper(model, name="x")
        with pytest.raises(EngineFailed) as failed:
            await whisper.transcribe(NOISE)
        assert failed.value.engine == "whisper"
        model.breaks = None
        assert (await whisper.transcribe(NOISE)).text == "Oi."
        whisper.close()

    async def test_cancelled_it_returns_at_once_and_the_thread_is_let_finish(self, model: ScriptedModel) -> None:
        model.segments = [Said(" Oi.")]
        model.go_on.clear()
        whisper = Whisper(model, name="x")
        first = asyncio.create_task(whisper.transcribe(NOISE))
        await asyncio.to_thread(model.begun.wait, 5)
        queued = asyncio.create_task(whisper.transcribe(NOISE))
        await asyncio.sleep(0)
        for task in (first, queued):
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        assert not model.go_on.is_set()
        model.go_on.set()
        assert (await whisper.transcribe(NOISE)).text == "Oi."
        assert model.calls == 2, "the one that had not begun never ran"
        whisper.close()

    async def test_closed_it_says_so(self) -> None:
        whisper = Whisper(ScriptedModel(), name="x")
        whisper.close()
        with pytest.raises(EngineFailed, match="desligado"):
            await whisper.transcribe(NOISE)

    async def test_the_short_window_hears_the_same(self, casa: Whisper) -> None:
        whole = Whisper.load(WHISPER_CASA, name="casa", threads=1, beam_size=2)
        for sentence in ("acende a luz da sala", "me lembra de tomar o remédio às oito da noite"):
            heard = await spoken(sentence)
            assert (await whole.transcribe(heard)).text == (await casa.transcribe(heard)).text
        whole.close()

    async def test_speech_longer_than_the_short_window_is_not_cut(self, casa: Whisper) -> None:
        model = casa._model
        assert model is not None
        for seconds in (3, 12, 29):
            features = np.ones((80, 3000), np.float32)
            features[:, seconds * 100 :] = 0
            encoded = model.encode(features)  # type: ignore[attr-defined]
            assert encoded.shape[1] == max(500, seconds * 50)

    @pytest.mark.parametrize("lost", ["model.bin", "tokenizer.json", "vocabulary.json", "config.json"])
    def test_a_folder_without_a_file_is_missing_and_nothing_is_fetched(self, tmp_path: Path, lost: str) -> None:
        for file in WHISPER_CASA.iterdir():
            if file.name != lost:
                (tmp_path / file.name).symlink_to(file)
        with pytest.raises(EngineMissing, match=lost) as missing:
            Whisper.load(tmp_path, name="x")
        assert missing.value.mend == "mordomo models pull"

    @pytest.mark.parametrize("broken", ["model.bin", "tokenizer.json"])
    def test_a_broken_file_is_a_failure(self, tmp_path: Path, broken: str) -> None:
        for file in WHISPER_CASA.iterdir():
            (tmp_path / file.name).write_bytes(b"not this" if file.name == broken else file.read_bytes())
        with pytest.raises(EngineFailed, match="não consegui carregar") as failed:
            Whisper.load(tmp_path, name="x")
        assert not isinstance(failed.value, EngineMissing)


OFFLINE = """
import sys
def refuse(event, args):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.sendto"):
        sys.exit(f"went online: {event} {args[-1]}")
sys.addaudithook(refuse)
from daemon.demo.models import TONES_VOICE, WHISPER_CASA
from daemon.engines.espeak import Espeak
from daemon.engines.piper import Piper
from daemon.engines.whisper import Whisper
for engine in (Whisper.load(WHISPER_CASA, name="casa"), Piper.load(TONES_VOICE), Espeak.load()):
    engine.close()
import huggingface_hub.constants as hub
assert hub.HF_HUB_DISABLE_TELEMETRY and hub.HF_HUB_OFFLINE
print("loaded")
"""


def test_loading_never_goes_online() -> None:
    done = subprocess.run([sys.executable, "-c", OFFLINE], capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout.strip(), done.returncode) == ("loaded", 0), done.stderr
