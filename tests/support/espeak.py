"""Speech for tests, spoken by espeak-ng in this process."""

from functools import cache

import numpy as np
import soxr
from numpy.typing import NDArray

from daemon.audio.frames import FRAME_BYTES, RATE, Frame
from daemon.demo.making.espeak import Espeak, Manner

HEY_JARVIS = ("hey jarvis", Manner("en-gb-scotland+f2", 150))
OKAY_NABU = ("okay nabu", Manner("en-us+pedro", 150))
ALEXA = ("alexa", Manner("pt-br", 150))
LAMP = ("acende a luz da sala, por favor", Manner("pt-br", 160))
TALK = (
    "Bom dia, como vai? O almoço está na mesa, e as crianças chegam às duas da tarde. Você viu a chave do carro?",
    Manner("pt-br", 160),
)


@cache
def _espeak() -> Espeak:
    return Espeak()


@cache
def spoken(what: tuple[str, Manner], loudness: float = 0.5) -> bytes:
    """Return speech without silence at its ends, 16 kHz mono s16le, its highest sample at `loudness` of full scale."""
    speech = _espeak().say(*what)
    samples = soxr.resample(speech.samples, speech.rate, RATE)
    return pcm(samples / np.abs(samples).max() * loudness)


def pcm(samples: NDArray[np.floating]) -> bytes:
    """Return samples from -1 to 1 as s16le."""
    return bytes(np.clip(np.rint(samples * 32767), -32768, 32767).astype("<i2").tobytes())


def silence(seconds: float) -> bytes:
    return bytes(round(seconds * RATE) * 2)


def noisy(sound: bytes, level: float = 0.002, seed: int = 1) -> bytes:
    """Return the sound with a room's faint noise under it."""
    samples = np.frombuffer(sound, "<i2") / 32767
    return pcm(samples + np.random.default_rng(seed).normal(0, level, len(samples)))


def frames(sound: bytes) -> list[Frame]:
    """Cut into whole frames, the last one filled up with silence."""
    sound += bytes(-len(sound) % FRAME_BYTES)
    return [sound[at : at + FRAME_BYTES] for at in range(0, len(sound), FRAME_BYTES)]
