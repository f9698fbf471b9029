"""Rooms that nobody was in: what a voice would sound like across one, to know it where it was not taught.

The image-source method (Allen and Berkley, "Image method for efficiently simulating small-room acoustics", 1979): walls
are mirrors, and every mirror image of the mouth is heard later and softer. Sound is float32 at 16 kHz.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from daemon.audio.frames import RATE

Sound = NDArray[np.float32]
METRES_A_SECOND = 343.0
LONGEST_S = 0.5
"""What comes later is too soft to matter."""
RUMBLE = RATE // 200
"""All reflections having one sign, their sum swells below 200 Hz as no room does: that is taken away."""


@dataclass(frozen=True, slots=True)
class Box:
    """A room with a mouth and a microphone in it, in metres; `fades_s` is the time in which sound falls by 60 dB."""

    sides: NDArray[np.float64]
    mouth: NDArray[np.float64]
    microphone: NDArray[np.float64]
    fades_s: float


def some_box(rng: np.random.Generator) -> Box:
    """Return a household's room by chance: 7 to 35 m², fading in 0.2 to 0.8 s, 1 to 5 m from mouth to microphone."""
    sides = rng.uniform((2.8, 2.5, 2.4), (7.0, 5.0, 3.0))
    fades_s = float(rng.uniform(0.2, 0.8))
    while True:
        mouth, microphone = rng.uniform(0.4, sides - 0.4), rng.uniform(0.4, sides - 0.4)
        mouth[2], microphone[2] = rng.uniform(1.2, 1.7), rng.uniform(0.7, 1.5)
        if 1 < np.linalg.norm(mouth - microphone) < 5:
            return Box(sides, mouth, microphone, fades_s)


def response(box: Box) -> NDArray[np.float64]:
    """Return what the microphone hears of a click, from just before the first sound of it."""
    reach = min(box.fades_s, LONGEST_S) * METRES_A_SECOND
    away, bounces = _images(box, reach)
    volume, walls = box.sides.prod(), box.sides.sum() ** 2 - (box.sides**2).sum()
    kept = np.sqrt(max(np.exp(-0.161 * volume / (walls * box.fades_s)), 0.01))  # of the pressure, by Eyring
    at = away / METRES_A_SECOND * RATE
    whole = at.astype(int)
    heard = np.zeros(whole.max() + 2)
    np.add.at(heard, whole, kept**bounces / away * (1 - at + whole))
    np.add.at(heard, whole + 1, kept**bounces / away * (at - whole))
    heard -= np.convolve(heard, np.full(RUMBLE, 1 / RUMBLE), "same")
    return np.asarray(heard[max(0, whole.min() - 5) :])


def _images(box: Box, reach: float) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return how far each image of the mouth is, nearer than `reach`, and at how many walls it was reflected."""
    squares, counts = np.zeros(1), np.zeros(1, np.int64)
    for side, mouth, microphone in zip(box.sides, box.mouth, box.microphone, strict=True):
        tiles = np.arange(-int(reach / (2 * side)) - 1, int(reach / (2 * side)) + 2)
        along = np.concatenate([2 * tiles * side + mouth, 2 * tiles * side - mouth]) - microphone
        walls = np.concatenate([np.abs(2 * tiles), np.abs(2 * tiles - 1)])
        squares = np.add.outer(squares, along**2).ravel()
        counts = np.add.outer(counts, walls).ravel()
        near = squares < reach**2
        squares, counts = squares[near], counts[near]
    return np.sqrt(squares), counts


def heard_in(sound: Sound, heard: NDArray[np.float64]) -> Sound:
    """Return the sound as it is heard through such a response, as loud at its peak as it was."""
    size = -(-(len(sound) + len(heard)) // 1600) * 1600
    echoed = np.fft.irfft(np.fft.rfft(sound, size) * np.fft.rfft(heard, size), size)[: len(sound)]
    return np.asarray(echoed * (np.abs(sound).max() / (np.abs(echoed).max() + 1e-9)), np.float32)
