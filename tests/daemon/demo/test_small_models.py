"""The bundled models do what they are for, and the scripts that make them still run (all but the training itself)."""

import json
import random
import subprocess
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from piper import PiperVoice

from daemon.audio.frames import RATE
from daemon.demo.making import gather, onnxfile, tokens, voice
from daemon.demo.making.espeak import Espeak, Manner, variants
from daemon.demo.making.evaluate import score, transcriber, words
from daemon.demo.making.examples import (
    ALPHABET_SIZE,
    HELD_OUT_VARIANTS,
    LABELS_A_SECOND,
    TRAINING_VARIANTS,
    UNLABELLED,
    alphabet,
    at_16k,
    heard_examples,
    labels,
    random_manner,
    silent_example,
    speak,
    wake_words,
)
from daemon.demo.making.sound import Sound, hear, no_speech, noise, wake_tail
from daemon.demo.models import TONES_VOICE, WHAT_THEY_ARE, WHISPER_CASA

Transcribe = Callable[[Sound], str]


@pytest.fixture(scope="module")
def espeak() -> Espeak:
    return Espeak()


@pytest.fixture(scope="module")
def transcribe() -> Transcribe:
    return transcriber(WHISPER_CASA)


def test_paths_do_not_depend_on_the_working_directory(tmp_path: Path) -> None:
    code = "from daemon.demo.models import *; assert (WHISPER_CASA / 'model.bin').is_file() and TONES_VOICE.is_file()"
    root = WHISPER_CASA.parents[3]
    subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(root)!r}); {code}"], cwd=tmp_path, check=True
    )
    assert "demonstração" in WHAT_THEY_ARE


def test_whisper_is_small() -> None:
    assert sum(path.stat().st_size for path in WHISPER_CASA.iterdir()) < 3_000_000


@pytest.mark.parametrize(
    ("text", "variant"),
    [
        ("Apague a luz da garagem.", "pedro"),
        ("Que horas são?", "linda"),
        ("Me lembre de regar as plantas amanhã às sete e meia da manhã.", "m6"),
        ("Coloque o ar-condicionado do escritório em vinte e dois graus.", "Hugo"),
        ("Feche a persiana da varanda.", "f4"),
        ("Desligue a televisão da sala.", ""),
    ],
)
def test_whisper_writes_unseen_voices_down(espeak: Espeak, transcribe: Transcribe, text: str, variant: str) -> None:
    manner = Manner(f"pt-br+{variant}" if variant else "pt-br")
    heard = hear(np.random.default_rng(1), at_16k(espeak.say(text, manner)), clean=True)
    assert words(transcribe(heard.sound)) == words(text)


@pytest.mark.parametrize("kind", ["zero", "white", "pink", "brown"])
def test_whisper_writes_nothing_where_nobody_speaks(transcribe: Transcribe, kind: str) -> None:
    quiet = np.zeros(2 * RATE, np.float32)
    sound = quiet if kind == "zero" else noise(np.random.default_rng(2), 2 * RATE, kind) * np.float32(0.02)
    assert transcribe(sound) == ""


def test_voice_speaks_a_chunk_a_sentence() -> None:
    speaker = PiperVoice.load(TONES_VOICE)
    chunks = list(speaker.synthesize("Acendi a luz da sala. São dez e meia."))
    assert len(chunks) == 2
    for chunk in chunks:
        assert (chunk.sample_rate, chunk.sample_channels) == (voice.RATE, 1)
        assert 0.5 < len(chunk.audio_float_array) / chunk.sample_rate < 6
        assert np.abs(chunk.audio_float_array).max() > 0.1


def test_voice_files_are_what_the_script_makes(tmp_path: Path) -> None:
    made = voice.write(tmp_path)
    assert made.read_bytes() == TONES_VOICE.read_bytes()
    config = TONES_VOICE.with_name(TONES_VOICE.name + ".json")
    assert (tmp_path / config.name).read_text(encoding="utf-8") == config.read_text(encoding="utf-8")
    assert json.loads(config.read_text(encoding="utf-8"))["espeak"]["voice"] == "pt-br"


def test_voice_takes_twice_as_long_at_twice_the_length_scale() -> None:
    session = onnxruntime.InferenceSession(voice.onnx_bytes(), providers=["CPUExecutionProvider"])
    inputs = {"input": np.array([[1, 0, 14, 0, 2]], np.int64), "input_lengths": np.array([5], np.int64)}
    one, two = (
        session.run(None, {**inputs, "scales": np.array([0.667, scale, 0.8], np.float32)})[0] for scale in (1.0, 2.0)
    )
    assert one.shape == (1, 1, 1, 5 * voice.STEP_SAMPLES)
    assert two.shape == (1, 1, 1, 10 * voice.STEP_SAMPLES)
    # Marks at the start are silent; the vowel sounds for two steps, its own and the pad's after it.
    loud = np.abs(one.reshape(5, -1)).max(1) > 0.01
    assert loud.tolist() == [False, False, True, True, False]


def test_onnx_files_are_written_as_the_runtime_reads_them() -> None:
    add = onnxfile.Node("Add", ["x", "one"], "y")
    port = [onnxfile.Port(name, onnxfile.FLOAT, ["any", 2]) for name in "xy"]
    data = onnxfile.encode("plus", [add], {"one": np.array([1, 2], np.float32)}, port[:1], port[1:])
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    assert session.get_inputs()[0].shape == ["any", 2]
    assert session.run(None, {"x": np.zeros((300, 2), np.float32)})[0][-1].tolist() == [1, 2]


def test_espeak_tells_when_each_phoneme_is_spoken(espeak: Espeak) -> None:
    speech = espeak.say("que horas são")
    numbers = alphabet(espeak, ["que horas são"])
    assert {"k", "*", "s"} <= set(numbers)
    found = labels(speech, numbers, speech.seconds)
    assert len(found) == int(speech.seconds * LABELS_A_SECOND) + 1
    runs = [int(found[0])] + [int(now) for before, now in pairwise(found) if before != now]
    spoken = [numbers[name] for name in ("k", "*", "s")]  # "*" is the r of "horas"
    assert runs[0] == spoken[0]
    assert [number for number in runs if number in spoken][:3] == spoken
    assert (found != UNLABELLED).mean() > 0.8


def test_espeak_refuses_voices_it_does_not_have_and_texts_without_sound(espeak: Espeak) -> None:
    with pytest.raises(ValueError, match="klingon-x"):
        espeak.say("oi", Manner("klingon-x"))
    with pytest.raises(ValueError, match="no sound"):
        espeak.say("")


def test_every_voice_of_training_exists_and_none_is_held_out() -> None:
    assert set(TRAINING_VARIANTS) - {""} <= variants()
    assert set(HELD_OUT_VARIANTS) <= variants() - set(TRAINING_VARIANTS)


def test_examples_have_a_label_for_each_two_frames_and_keep_the_text(espeak: Espeak) -> None:
    rng = random.Random(3)
    texts = ["Acende a luz da sala.", "Não entendi."]
    numbers = alphabet(espeak, texts)
    sentences = [speak(espeak, rng, text, random_manner(rng, ["f2"]), numbers) for text in texts]
    made = heard_examples(np.random.default_rng(3), sentences, wake_words(espeak), 20)
    assert len(made) == 40
    assert {example.text for example in made} == {*texts, ""}
    for example in made:
        bands, frames = example.mel.shape
        assert bands == 80
        assert len(example.labels) == (frames + 1) // 2
        assert example.labels.max(initial=0) < ALPHABET_SIZE
        if example.text:
            first = np.flatnonzero(example.labels)[0] / LABELS_A_SECOND
            assert abs(first - example.starts_s) < 0.15
            assert 0 <= example.starts_s < example.ends_s <= frames / 100


def test_the_end_of_a_wake_word_comes_before_the_sentence_and_is_not_written(espeak: Espeak) -> None:
    wakes = wake_words(espeak)
    tails = [wake_tail(np.random.default_rng(seed), wakes) for seed in range(60)]
    seconds = [len(tail) / RATE for tail in tails]
    assert min(seconds) < 0.2
    assert max(seconds) < 1.6
    assert sum(second > 0.05 for second in seconds) > 40
    sentence = at_16k(espeak.say("Sim."))
    longest = max(tails, key=len)
    heard = hear(np.random.default_rng(0), sentence, before=longest, clean=True)
    assert heard.starts_s == pytest.approx(len(longest) / RATE)


def test_no_speech_has_nothing_to_write(espeak: Espeak) -> None:
    wakes = wake_words(espeak)
    for seed in range(10):
        assert 0.5 * RATE - 1 <= len(no_speech(np.random.default_rng(seed), wakes)) <= 4 * RATE
    example = silent_example(np.random.default_rng(0), wakes)
    assert example.text == ""
    assert not example.labels.any()


def test_held_out_sentences_are_not_trained_on_and_key_phrases_come_in_every_voice() -> None:
    texts = gather.texts(7)
    assert len(texts.held_out) == gather.HELD_OUT
    assert not set(texts.held_out) & set(texts.training)
    planned = gather.lines(texts.training, 7)
    voices = {variant for text, variant in planned if text == "Que horas são?" and variant is not None}
    assert voices == set(TRAINING_VARIANTS)


def test_a_job_gives_the_same_examples_in_each_fresh_process() -> None:
    texts = ["Sim.", "Que horas são?"]
    job = gather.Job([(text, None) for text in texts], alphabet(Espeak(), texts), 1, 11)
    (one, two) = gather.gather([job], 1), gather.gather([job], 1)
    assert [example.text for example in one] == [example.text for example in two]
    for left, right in zip(one, two, strict=True):
        np.testing.assert_array_equal(left.mel, right.mel)
        np.testing.assert_array_equal(left.labels, right.labels)


def test_tokenizer_has_whispers_order_and_no_sentence_begins_with_a_lone_space(tmp_path: Path) -> None:
    texts = [*gather.KEY_PHRASES, *gather.texts(7).training[:500], "É uma hora."]
    ids = tokens.write(tmp_path, texts)
    assert ids.special("<|startoftranscript|>") == ids.special("<|endoftext|>") + 1
    assert ids.special("<|nospeech|>") - ids.special("<|startoftranscript|>") - 5 == len(tokens.LANGUAGES)
    assert ids.first_timestamp == ids.special("<|notimestamps|>") + 1
    written = tokens.encoded(tmp_path, texts)
    assert all(written[text] for text in texts)
    assert max(max(found) for found in written.values() if found) < ids.text
    config = json.loads((WHISPER_CASA / "config.json").read_text(encoding="utf-8"))
    assert config["suppress_ids_begin"] == []


def test_score_counts_words() -> None:
    assert score([("Acende a luz.", "acende a luz"), ("Sim.", "Não.")]) == (0.5, 0.25)
    assert score([("", ""), ("", "Sim.")]) == (0.5, 0.5)
