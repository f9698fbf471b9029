"""Short tones that speak without words, made when first wanted: 22,050 Hz, the rate of most voices."""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from daemon.audio.frames import Pcm

RATE = 22_050
_LOUDNESS = 0.22
_LOUDEST = 0.7
_FADE_S = 0.012
_A4, _C5, _E5, _G5, _A5 = 440.0, 523.25, 659.26, 783.99, 880.0
_LOW_F, _LOW_D = 349.23, 293.66

Floats = NDArray[np.float64]


@cache
def awake() -> Pcm:
    """Return two short rising notes (0.16 s): the wake word was heard, speak."""
    return _pcm(_note(_E5, 0.07), _rest(0.02), _note(_A5, 0.07))


@cache
def trouble() -> Pcm:
    """Return two low falling notes (0.42 s): something went wrong."""
    return _pcm(_note(_LOW_F, 0.16), _rest(0.04), _note(_LOW_D, 0.22))


@cache
def reminder() -> Pcm:
    """Return a chime of four notes, twice (2.1 s): a reminder follows."""
    chime = (_note(_A4, 0.14), _note(_C5, 0.14), _note(_E5, 0.14), _note(_G5, 0.38))
    return _pcm(*chime, _rest(0.35), *chime, _rest(0.15))


def alarm(loudness: float) -> Pcm:
    """Return three short high notes, twice (1.3 s), at a loudness from 0 to 1: an alarm clock rings."""
    return _alarm(round(min(max(loudness, 0.0), 1.0) * 20))


@cache
def _alarm(step: int) -> Pcm:
    thrice = (_note(_A5, 0.12), _rest(0.05)) * 3
    return _pcm(*(step / 20 * _LOUDEST / _LOUDNESS * each for each in (*thrice, _rest(0.28), *thrice)))


def _note(hertz: float, seconds: float) -> Floats:
    """Return a tone with a soft octave above, faded at both ends so that it does not click."""
    time_s = np.arange(round(seconds * RATE)) / RATE
    wave = (np.sin(2 * np.pi * hertz * time_s) + 0.3 * np.sin(4 * np.pi * hertz * time_s)) / 1.3
    fade = np.minimum(1.0, np.minimum(time_s, time_s[::-1]) / _FADE_S)
    faded: Floats = wave * np.sin(fade * np.pi / 2) ** 2
    return faded


def _rest(seconds: float) -> Floats:
    return np.zeros(round(seconds * RATE))


def _pcm(*notes: Floats) -> Pcm:
    samples = np.concatenate(notes) * _LOUDNESS * 32767
    return Pcm(np.rint(samples).astype("<i2").tobytes(), RATE)
