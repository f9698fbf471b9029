"""Mel bands of speech, as the two families of speaker encoders want them. Numpy alone; 3 s take about 5 ms.

Sound is float32 at 16 kHz, -1 to 1. Sources: librosa's `feature.melspectrogram` (Slaney's scale and norm) for GE2E;
Kaldi's `compute-fbank-feats` for WeSpeaker's and 3D-Speaker's models.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from daemon.audio.frames import RATE

Floats = NDArray[np.float32]

STEP = RATE // 100
"""10 ms from frame to frame."""
WINDOW = RATE // 40
"""25 ms a frame."""
GE2E_BANDS, KALDI_BANDS = 40, 80
_KALDI_FFT = 512
_LEAST = np.finfo(np.float32).eps


def ge2e_mel(sound: Floats) -> Floats:
    """Return power in 40 mel bands, shape (frames, 40), a frame at each 10 ms from the very beginning."""
    padded = np.pad(sound, WINDOW // 2)
    frames = _frames(padded) * np.hanning(WINDOW + 1)[:-1].astype(np.float32)
    return _power(frames, WINDOW) @ _slaney_bands()


def kaldi_fbank(sound: Floats, *, povey: bool) -> Floats:
    """Return the logarithm of power in 80 mel bands less its mean over time, shape (frames, 80).

    With Povey's window (3D-Speaker) or Hamming's (WeSpeaker). At least 25 ms of sound are needed for a first frame.
    """
    frames = _frames(sound * np.float32(32768))
    frames = frames - frames.mean(axis=1, keepdims=True)
    before = np.concatenate([frames[:, :1], frames[:, :-1]], axis=1)
    hann = np.hanning(WINDOW).astype(np.float32)
    window = hann ** np.float32(0.85) if povey else np.hamming(WINDOW).astype(np.float32)
    shaped = (frames - np.float32(0.97) * before) * window
    bands = np.log(np.maximum(_power(shaped, _KALDI_FFT) @ _kaldi_bands(), _LEAST))
    return np.asarray(bands - bands.mean(axis=0), np.float32)


def _frames(sound: Floats) -> Floats:
    if sound.size < WINDOW:
        return np.zeros((0, WINDOW), np.float32)
    return np.lib.stride_tricks.sliding_window_view(sound, WINDOW)[::STEP]


def _power(frames: Floats, size: int) -> Floats:
    spectrum = np.fft.rfft(frames, size, axis=1)
    return np.asarray(spectrum.real**2 + spectrum.imag**2, np.float32)


@cache
def _slaney_bands() -> Floats:
    """Triangles on Slaney's scale (linear to 1 kHz, then logarithmic), each of area 1, shape (201, 40)."""
    linear, log_step = 200 / 3, np.log(6.4) / 27
    top = 1000 / linear + np.log(RATE / 2 / 1000) / log_step
    marks = np.linspace(0, top, GE2E_BANDS + 2)
    hertz = np.where(marks < 15, marks * linear, 1000 * np.exp(log_step * (marks - 15)))
    bins = np.fft.rfftfreq(WINDOW, 1 / RATE)
    return _triangles(hertz, bins) * np.asarray(2 / (hertz[2:] - hertz[:-2]), np.float32)


@cache
def _kaldi_bands() -> Floats:
    """Triangles that are straight on the mel scale, from 20 Hz to 8 kHz, shape (257, 80)."""

    def mel(hertz: NDArray[np.floating]) -> NDArray[np.float64]:
        return np.asarray(1127 * np.log1p(hertz / 700), np.float64)

    low, high = mel(np.array([20.0, RATE / 2]))
    bins = mel(np.fft.rfftfreq(_KALDI_FFT, 1 / RATE))
    bands = _triangles(np.linspace(low, high, KALDI_BANDS + 2), bins)
    bands[-1] = 0  # Kaldi leaves the last bin out
    return bands


def _triangles(marks: NDArray[np.floating], bins: NDArray[np.floating]) -> Floats:
    rising = (bins[:, np.newaxis] - marks[:-2]) / np.diff(marks)[:-1]
    falling = (marks[2:] - bins[:, np.newaxis]) / np.diff(marks)[1:]
    return np.asarray(np.maximum(0, np.minimum(rising, falling)), np.float32)
