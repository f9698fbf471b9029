"""One contract for every speaker encoder: the same voice is near, other voices are far, and nothing breaks it."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from support.espeak import noisy, pcm, silence, spoken
from support.speech_engines import ScriptedSpeakerEncoder

from daemon.audio.frames import RATE, Utterance, duration_ms
from daemon.demo.making.espeak import Manner
from daemon.demo.making.onnxfile import FLOAT, Constant, Node, Port, encode
from daemon.engines.ge2e import ADAPTATION, WEIGHTS
from daemon.engines.mel import STEP, ge2e_mel, kaldi_fbank
from daemon.engines.protocols import SpeakerEncoder
from daemon.engines.speaker import OnnxSpeakerEncoder, without_pauses
from daemon.errors import EngineFailed, EngineMissing

ANA, BIA = Manner("pt-br+f2", 160, 60), Manner("pt-br+m3", 150, 40)
SAYINGS = ("a chuva parou e o sol voltou a brilhar na janela", "o café da manhã está servido na varanda de trás")


def kaldi_model(folder: Path) -> Path:
    """Make a model of the shape of WeSpeaker's: the mean over time of how bands differ from the mean of all."""
    matrix = np.random.default_rng(1).standard_normal((80, 32)).astype(np.float32)
    nodes = [
        Node("Mul", ["feats", "feats"], "power"),
        Node("ReduceSum", ["power", "time"], "whole", {"keepdims": 0}),
        Node("LpNormalization", ["whole"], "even", {"axis": 1, "p": 2}),
        Node("Sub", ["even", "middle"], "centred"),
        Node("MatMul", ["centred", "matrix"], "embs"),
    ]
    constants: dict[str, Constant] = {
        "time": np.array([1], np.int64),
        "middle": np.full((1, 80), 0.1, np.float32),
        "matrix": matrix,
    }
    ports = [Port("feats", FLOAT, ["n", "frames", 80])], [Port("embs", FLOAT, ["n", 32])]
    path = folder / "pequeno.onnx"
    path.write_bytes(encode("small", nodes, constants, *ports))
    return path


def said(text: str, manner: Manner, loudness: float = 0.5) -> Utterance:
    sound = noisy(silence(0.3) + spoken((text, manner), loudness) + silence(0.3))
    return Utterance(sound, duration_ms(sound) - 600)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("encoders")


KINDS: dict[str, Callable[[Path], SpeakerEncoder]] = {
    "ge2e": lambda _: OnnxSpeakerEncoder.load(),
    "by path": lambda folder: OnnxSpeakerEncoder.load(kaldi_model(folder)),
    "scripted": lambda _: ScriptedSpeakerEncoder(),
}


@pytest.fixture(params=KINDS)
def encoder(request: pytest.FixtureRequest, folder: Path) -> Iterator[SpeakerEncoder]:
    engine = KINDS[request.param](folder)
    yield engine
    engine.close()


class TestEverySpeakerEncoder:
    async def test_the_vector_is_of_length_1_and_always_the_same(self, encoder: SpeakerEncoder) -> None:
        one, again = await encoder.embed(said(SAYINGS[0], ANA)), await encoder.embed(said(SAYINGS[0], ANA))
        assert one is not None
        assert again is not None
        assert one.dtype == np.float32
        assert one.ndim == 1
        assert np.linalg.norm(one) == pytest.approx(1, abs=1e-5)
        assert np.allclose(one, again, atol=1e-6)

    @pytest.mark.parametrize("sound", [b"", b"\1", silence(0.05), silence(3)], ids=["none", "odd", "short", "silent"])
    async def test_too_little_speech_is_none(self, encoder: SpeakerEncoder, sound: bytes) -> None:
        assert await encoder.embed(Utterance(sound, 0)) is None

    async def test_strange_sound_breaks_nothing(self, encoder: SpeakerEncoder) -> None:
        before = await encoder.embed(said(SAYINGS[0], ANA))
        for strange in (np.ones(RATE * 2), np.random.default_rng(1).uniform(-1, 1, RATE * 20)):
            vector = await encoder.embed(Utterance(pcm(strange), 2000))
            assert vector is None or np.isfinite(vector).all()
        after = await encoder.embed(said(SAYINGS[0], ANA))
        assert np.array_equal(np.asarray(before), np.asarray(after))

    async def test_several_at_once(self, encoder: SpeakerEncoder) -> None:
        alone = await encoder.embed(said(SAYINGS[0], ANA))
        many = await asyncio.gather(*(encoder.embed(said(SAYINGS[0], ANA)) for _ in range(4)))
        assert all(np.allclose(np.asarray(one), np.asarray(alone), atol=1e-6) for one in many)

    async def test_closed_it_says_so(self, encoder: SpeakerEncoder) -> None:
        encoder.close()
        with pytest.raises(EngineFailed):
            await encoder.embed(said(SAYINGS[0], ANA))


async def test_a_voice_is_nearer_to_itself_in_other_words_than_to_another_in_the_same() -> None:
    encoder = OnnxSpeakerEncoder.load()
    vectors = {
        (who, text): np.asarray(await encoder.embed(said(text, manner, loudness)))
        for who, manner, loudness in (("Ana", ANA, 0.5), ("Bia", BIA, 0.05)) for text in SAYINGS
    }  # fmt: skip
    encoder.close()
    same = min(float(vectors[who, SAYINGS[0]] @ vectors[who, SAYINGS[1]]) for who in ("Ana", "Bia"))
    other = max(float(vectors["Ana", text] @ vectors["Bia", text]) for text in SAYINGS)
    assert same > 0.6
    assert other < 0.4


async def test_how_loud_it_is_and_how_long_it_is_silent_before_changes_little() -> None:
    encoder = OnnxSpeakerEncoder.load()
    sound = noisy(spoken((SAYINGS[0], ANA)))
    plain = np.asarray(await encoder.embed(Utterance(sound, 3000)))
    soft = pcm(np.frombuffer(sound, "<i2") / 32767 * 0.1)
    later = np.asarray(await encoder.embed(Utterance(silence(1.5) + soft + silence(1.5), 3000)))
    encoder.close()
    assert float(plain @ later) > 0.9


@pytest.mark.parametrize(
    ("content", "why"), [(None, "não há modelo"), (b"not onnx", "não abre"), ("wrong shape", "conheço")]
)
def test_what_is_no_encoder_is_missing_and_says_what_to_do(content: bytes | str | None, why: str, folder: Path) -> None:
    path = folder / "outro.onnx"
    path.unlink(missing_ok=True)
    if isinstance(content, str):
        port = [Port("x", FLOAT, [1, 3])]
        content = encode("other", [Node("Relu", ["x"], "y")], {}, port, [Port("y", FLOAT, [1, 3])])
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(EngineMissing, match=why) as missing:
        OnnxSpeakerEncoder.load(path)
    assert missing.value.mend == 'mordomo config set voices.model ""'


def test_the_weights_are_where_they_are_said_to_be_and_hold_the_last_layer() -> None:
    with np.load(ADAPTATION) as last:
        mean = last["mean"].astype(np.float16).tobytes()
    assert mean in WEIGHTS.read_bytes()


def test_mel_bands_are_those_of_librosa_and_kaldi() -> None:
    """The numbers are those of librosa 0.11.0 and kaldi-native-fbank 1.23.0 on these very sounds."""
    at = np.arange(RATE) / RATE
    tones = np.asarray(0.3 * np.sin(2 * np.pi * 440 * at) + 0.1 * np.sin(2 * np.pi * 2500 * at), np.float32)
    bands = ge2e_mel(tones)
    assert bands.shape == (101, 40)
    assert np.allclose(bands[50, [4, 5, 6, 25]], [1.9581243, 14.787984, 1.6037276, 0.50911856], rtol=1e-4)
    hiss = np.asarray(np.random.default_rng(0).standard_normal(RATE) * 0.1, np.float32)
    for povey, numbers in ((True, [0.47246456, -0.80456734, 0.6215267]), (False, [0.48342228, -0.72688675, 0.6113739])):
        bands = kaldi_fbank(hiss, povey=povey)
        assert bands.shape == (98, 80)
        assert np.allclose(bands[10, [0, 20, 79]], numbers, atol=1e-3)


@pytest.mark.parametrize("frames", [1, 5, 29, 30, 40, 41, 60])
def test_a_word_shorter_than_the_pause_that_is_kept_is_told_or_not_but_breaks_nothing(frames: int) -> None:
    loud = np.sin(np.arange(frames * STEP) / 5).astype(np.float32) * 0.3
    assert len(without_pauses(loud)) == len(loud)
    quiet = np.concatenate([loud, np.zeros(200 * STEP, np.float32)])
    assert len(loud) <= len(without_pauses(quiet)) <= len(loud) + 20 * STEP
