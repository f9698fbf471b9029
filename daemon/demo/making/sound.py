"""What lies between a mouth and a microphone: noise, rooms, other voices, and the end of the wake word.

Sound is float32 at 16 kHz, from -1 to 1. All chance comes from the generator given, so the same seed gives the same
sound.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from daemon.audio.frames import RATE

Sound = NDArray[np.float32]

CLEAN_SNR_DB = 60.0


@dataclass(frozen=True, slots=True)
class Heard:
    """A sentence as it arrives: it is spoken from `starts_s` to `ends_s` of `sound`."""

    sound: Sound
    starts_s: float
    ends_s: float


def _fast(samples: int) -> int:
    """Return a length not much greater whose Fourier transform is quick (a large prime's takes ten times as long)."""
    return -(-samples // 1600) * 1600


def silence(seconds: float) -> Sound:
    """Return that much of nothing."""
    return np.zeros(round(seconds * RATE), np.float32)


def noise(rng: np.random.Generator, samples: int, kind: str) -> Sound:
    """Return noise of RMS 1: "white", "pink" (-3 dB an octave) or "brown" (-6 dB an octave)."""
    size = _fast(samples)
    sound = rng.standard_normal(size)
    if kind != "white":
        spectrum = np.fft.rfft(sound)
        spectrum /= (np.arange(len(spectrum)) + 1.0) ** (0.5 if kind == "pink" else 1.0)
        sound = np.fft.irfft(spectrum, size)
    return np.asarray(sound[:samples] / (sound.std() + 1e-9), np.float32)


def babble(rng: np.random.Generator, others: Sequence[Sound], samples: int) -> Sound:
    """Return two to four other people talking at once, RMS 1."""
    mixed = np.zeros(samples, np.float32)
    for _ in range(rng.integers(2, 5)):
        voice = others[int(rng.integers(len(others)))]
        voice = np.tile(voice, samples // len(voice) + 1)
        start = rng.integers(0, len(voice) - samples + 1)
        mixed += voice[start : start + samples]
    return np.asarray(mixed / (mixed.std() + 1e-9), np.float32)


def _normal(sound: NDArray[np.floating]) -> Sound:
    return np.asarray(sound / (np.abs(sound).max() + 1e-6), np.float32)


def room(rng: np.random.Generator, sound: Sound) -> Sound:
    """Return the sound with a room's echo: noise that fades within 50 to 300 ms after the direct sound."""
    length = int(rng.uniform(0.05, 0.3) * RATE)
    echo = rng.standard_normal(length) * np.exp(-np.arange(length) / (length / 5))
    echo[0] = rng.uniform(2, 8)
    echo /= np.sqrt(np.square(echo).sum())
    size = _fast(len(sound) + length)
    mixed = np.fft.irfft(np.fft.rfft(sound, size) * np.fft.rfft(echo, size), size)
    return _normal(mixed[: len(sound)])


def tilt(rng: np.random.Generator, sound: Sound) -> Sound:
    """Return the sound with the uneven frequency response of a cheap microphone."""
    size = _fast(len(sound))
    spectrum = np.fft.rfft(sound, size)
    place = np.linspace(0, 1, len(spectrum))
    gain = np.exp(rng.uniform(-2.5, 1) * place + rng.uniform(-0.5, 0.5) * np.cos(place * rng.uniform(3, 20)))
    return _normal(np.fft.irfft(spectrum * gain, size)[: len(sound)])


def wake_tail(rng: np.random.Generator, wakes: Sequence[Sound]) -> Sound:
    """Return what may be left of a wake word before a command: its last 0 to 0.4 s, seldom all, and a gap.

    The gap is nothing in four of ten (one breath), else up to 0.6 s.
    """
    wake = wakes[int(rng.integers(len(wakes)))]
    kept = len(wake) if rng.random() < 0.1 else int(rng.uniform(0, 0.4) * RATE)
    gap_s = 0.0 if rng.random() < 0.4 else rng.uniform(0, 0.6)
    end = wake[len(wake) - min(kept, len(wake)) :] * rng.uniform(0.4, 1.1)
    return np.concatenate([end.astype(np.float32), silence(gap_s)])


def _background(rng: np.random.Generator, samples: int, others: Sequence[Sound], *, clean: bool) -> tuple[Sound, float]:
    """Return some background of RMS 1 and how many dB it lies below the speech."""
    if clean or rng.random() < 0.1:
        return noise(rng, samples, "pink"), CLEAN_SNR_DB
    snr_db = float(rng.uniform(8, 40))
    kinds = ["white", "pink", "brown", "pink"] + ["babble"] * bool(others)
    kind = kinds[rng.integers(len(kinds))]
    if kind == "babble":
        return babble(rng, others, samples), max(snr_db, 10)
    return noise(rng, samples, kind), snr_db


def hear(
    rng: np.random.Generator,
    spoken: Sound,
    *,
    before: Sound | None = None,
    others: Sequence[Sound] = (),
    clean: bool = False,
) -> Heard:
    """Return a sentence (peak 1) as a microphone hears it, right after the sound `before` or after a short silence.

    Unless `clean`: an echo for three of ten, an uneven microphone for four of ten, and background 8 to 40 dB below.
    The loudest sample lies 0 to 26 dB below full scale.
    """
    lead_s = rng.choice([0.05, 0.2, 0.4, 0.8]) * rng.random() * 1.5
    start = silence(lead_s) if before is None else before
    sound = np.concatenate([start, spoken, silence(rng.uniform(0.05, 1.0))])
    if not clean and rng.random() < 0.3:
        sound = room(rng, sound)
    if not clean and rng.random() < 0.4:
        sound = tilt(rng, sound)
    background, snr_db = _background(rng, len(sound), others, clean=clean)
    sound = sound + background * (sound.std() + 1e-9) * 10 ** (-snr_db / 20)
    starts_s = len(start) / RATE
    return Heard(_normal(sound) * np.float32(10 ** (rng.uniform(-26, 0) / 20)), starts_s, starts_s + len(spoken) / RATE)


def no_speech(rng: np.random.Generator, wakes: Sequence[Sound]) -> Sound:
    """Return 0.5 to 4 s in which nobody says a sentence: silence, noise, or the end of a wake word and then noise."""
    samples = int(rng.uniform(0.5, 4) * RATE)
    kind = ("white", "pink", "brown", "zero")[rng.integers(4)]
    sound = silence(samples / RATE) if kind == "zero" else noise(rng, samples, kind)
    sound = sound * np.float32(10 ** (rng.uniform(-60, -14) / 20))
    if rng.random() < 0.3:
        tail = wake_tail(rng, wakes)[:samples]
        sound[: len(tail)] += tail * np.float32(10 ** (rng.uniform(-26, 0) / 20))
    return np.asarray(np.clip(sound, -1, 1), np.float32)
