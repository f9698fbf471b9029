"""What the small Whisper learns from: sentences spoken by espeak-ng, as features with the phoneme of each frame.

Phonemes and their times are espeak-ng's own; no person had to write them down. Needs nothing beyond what Mordomo runs
on, so that tests see it break.
"""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import soxr
from faster_whisper.feature_extractor import FeatureExtractor
from numpy.typing import NDArray

from daemon.audio.frames import RATE
from daemon.demo.making.espeak import Espeak, Manner, Speech
from daemon.demo.making.sound import Heard, Sound, hear, no_speech, wake_tail

HELD_OUT_VARIANTS = ("f4", "m6", "linda", "pedro", "Hugo")
"""Voices that the model never hears in training."""
MAIN_VARIANTS = (
    "f1", "f2", "f3", "f5", "m1", "m2", "m3", "m4", "m5", "m7", "Alicia", "Andrea", "Henrique", "adam", "belinda",
    "max",
)  # fmt: skip
"""Those that sound most like people."""
MORE_VARIANTS = (
    "m8", "Alex", "Andy", "Annie", "Diogo", "Denis", "Gene", "Lee", "Marco", "Mario", "Michael", "Mike", "antonio",
    "anika", "aunty", "benjamin", "boris", "david", "ed", "edward", "grandma", "ian", "iven", "john", "marcelo",
    "michel", "miguel", "norbert", "paul", "quincy", "rob", "robert", "sandro", "shelby", "steph", "travis", "victor",
    "zac",
)  # fmt: skip
TRAINING_VARIANTS = ("",) * 5 + MAIN_VARIANTS * 2 + MORE_VARIANTS
"""espeak's own voice and the likeliest variants come up more often."""

WAKE_WORDS: tuple[tuple[str, Manner], ...] = (
    *(("hey jarvis", Manner("en-gb-scotland+f2", rate)) for rate in (140, 150, 150, 165)),
    *(("hey jarvis", Manner(voice, 155)) for voice in ("en-us", "en-us+f3", "en-029+m3", "en-gb-x-rp+f5", "pt-br+f2")),
    ("okay nabu", Manner("en-us+pedro", 150)),
    ("okay nabu", Manner("en-us+f2", 160)),
    ("alexa", Manner("pt-br", 150)),
    ("alexa", Manner("en-us+f3", 155)),
)

LABELS_A_SECOND = 50
"""The encoder's positions: one for two frames of 10 ms."""
UNLABELLED = 0
ALPHABET_SIZE = 64
LONGEST_FRAMES = 700
TAIL_SHARE, SILENT_SHARE, CLEAN_SHARE = 0.25, 0.04, 0.2


@dataclass(frozen=True, slots=True)
class Spoken:
    """A sentence of one voice: sound at 16 kHz with peak 1, and a phoneme number for each 20 ms of it."""

    text: str
    sound: Sound
    labels: NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Example:
    """What the model sees (`mel` [80, frames of 10 ms]) and must write (`text`, spoken from `starts_s` to `ends_s`).

    `labels` holds the phoneme of each encoder position, UNLABELLED where no sentence is spoken.
    """

    text: str
    mel: NDArray[np.float16]
    starts_s: float
    ends_s: float
    labels: NDArray[np.uint8]


def phoneme(name: str) -> str:
    """Return espeak's phoneme name without marks of stress; "" for pauses."""
    bare = name.lstrip("',%=;")
    return "" if bare.startswith("_") else bare


def alphabet(espeak: Espeak, texts: Iterable[str]) -> dict[str, int]:
    """Give the phonemes of some texts numbers from 1, in order of name. Raises ValueError beyond ALPHABET_SIZE."""
    names = {phoneme(name) for text in texts for _, name in espeak.say(text).phonemes} - {""}
    if len(names) >= ALPHABET_SIZE:
        raise ValueError(f"{len(names)} phonemes do not fit in {ALPHABET_SIZE}")
    return {name: number for number, name in enumerate(sorted(names), start=1)}


def at_16k(speech: Speech, speed: float = 1.0) -> Sound:
    """Return speech at 16 kHz with peak 1, `speed` times as fast (and as high: like a smaller person)."""
    sound = soxr.resample(speech.samples, speech.rate * speed, RATE, quality="HQ")
    return np.asarray(sound / (np.abs(sound).max() + 1e-6), np.float32)


def labels(speech: Speech, numbers: dict[str, int], seconds: float) -> NDArray[np.uint8]:
    """Return the phoneme's number for each 20 ms of `speech`, stretched to `seconds`."""
    found = np.zeros(int(seconds * LABELS_A_SECOND) + 1, np.uint8)
    scale = seconds / speech.seconds * LABELS_A_SECOND
    starts = [max(0, round(at_s * scale)) for at_s, _ in speech.phonemes] + [len(found)]
    for (_, name), start, end in zip(speech.phonemes, starts, starts[1:], strict=False):
        found[start:end] = numbers.get(phoneme(name), UNLABELLED)
    return found


def random_manner(rng: random.Random, variants: Sequence[str], language: str = "pt-br") -> Manner:
    """Return a voice of `variants` ("" is espeak's own) at some rate and pitch."""
    variant = rng.choice(variants)
    voice = f"{language}+{variant}" if variant else language
    return Manner(voice, rng.randint(140, 195), rng.randint(30, 70), rng.randint(35, 65))


def speak(espeak: Espeak, rng: random.Random, text: str, manner: Manner, numbers: dict[str, int]) -> Spoken:
    """Say `text`, at a speed 6 % lower to 6 % higher than the voice's own."""
    speech = espeak.say(text, manner)
    sound = at_16k(speech, rng.uniform(0.94, 1.06))
    return Spoken(text, sound, labels(speech, numbers, len(sound) / RATE))


def wake_words(espeak: Espeak) -> list[Sound]:
    """Return the wake words in several voices."""
    return [at_16k(espeak.say(text, manner)) for text, manner in WAKE_WORDS]


@cache
def _features() -> FeatureExtractor:
    return FeatureExtractor()


def mel(sound: Sound) -> NDArray[np.float16]:
    """Return Whisper's features as faster-whisper computes them, [80, frames of 10 ms]."""
    return np.asarray(_features()(sound)[:, :-1], np.float16)


def example(spoken: Spoken, heard: Heard) -> Example:
    """Join a sentence and how it was heard."""
    frames = mel(heard.sound)
    found = np.zeros((frames.shape[1] + 1) // 2, np.uint8)
    start = round(heard.starts_s * LABELS_A_SECOND)
    room_left = max(0, len(found) - start)
    found[start : start + len(spoken.labels)] = spoken.labels[:room_left]
    return Example(spoken.text, frames, heard.starts_s, heard.ends_s, found)


def silent_example(rng: np.random.Generator, wakes: Sequence[Sound]) -> Example:
    """Return an example in which there is nothing to write."""
    frames = mel(no_speech(rng, wakes))
    return Example("", frames, 0.0, 0.0, np.zeros((frames.shape[1] + 1) // 2, np.uint8))


def heard_examples(
    rng: np.random.Generator, sentences: Sequence[Spoken], wakes: Sequence[Sound], copies: int
) -> list[Example]:
    """Return each sentence heard `copies` times, in different ways; those longer than 7 s are left out."""
    others = [spoken.sound for spoken in sentences]
    found = []
    for spoken in sentences:
        for _ in range(copies):
            if rng.random() < SILENT_SHARE:
                found.append(silent_example(rng, wakes))
                continue
            before = wake_tail(rng, wakes) if rng.random() < TAIL_SHARE else None
            clean = bool(rng.random() < CLEAN_SHARE)
            made = example(spoken, hear(rng, spoken.sound, before=before, others=others, clean=clean))
            if made.mel.shape[1] <= LONGEST_FRAMES:
                found.append(made)
    return found
