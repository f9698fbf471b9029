"""The recorded scenes of the demonstration, spoken by espeak-ng in a quiet room.

    python -m daemon.demo.making.scenes [--out DIR]

Each is a WAV of 16 kHz, mono, 16 bits: a second of room noise, the wake word, the command in one breath or after a
pause, and 1.5 s of room noise. The same WAVs come out each time: the noise is seeded, and espeak-ng, whose voice
wavers from one call to the next, speaks in a fresh process in a fixed order.
"""

import argparse
import wave
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soxr
import yaml
from numpy.typing import NDArray

from daemon.audio.frames import RATE
from daemon.demo.making.espeak import Espeak, Manner, Speech

FOLDER = Path(__file__).resolve().parent.parent / "scenes"
WAKE_WORD = "hey jarvis"
WAKE_MANNER = Manner("en-gb-scotland+f2", 150)
"""Of many voices tried, one that every wake word engine hears as "hey jarvis"."""
BEFORE_S, AFTER_S = 1.0, 1.5
NOISE_LEVEL = 0.0015
"""RMS of the room's noise, of full scale 1 (-56 dBFS)."""
SPEECH_PEAK = 0.5


@dataclass(frozen=True, slots=True)
class Scene:
    """One entry of scenes.yaml: `text` said in `area` after the wake word, and what must happen, in Portuguese."""

    wav: str
    text: str
    area: str
    expects: str


@dataclass(frozen=True, slots=True)
class Take:
    """How a scene is spoken: the command's voice, and the pause in seconds after the wake word (0: in one breath)."""

    manner: Manner
    pause_s: float


TAKES: dict[str, Take] = {
    "acende-sala.wav": Take(Manner("pt-br+f2", 155), 0.0),
    "apaga-cozinha.wav": Take(Manner("pt-br+m2", 155), 0.0),
    "quarto-cinquenta.wav": Take(Manner("pt-br+Hugo", 155), 0.4),
    "lembrete-remedio.wav": Take(Manner("pt-br+Alicia", 160), 0.5),
    "que-horas-sao.wav": Take(Manner("pt-br+f5", 155), 0.4),
}


def scenes(path: Path = FOLDER / "scenes.yaml") -> list[Scene]:
    """Read scenes.yaml, in the order in which the demonstration plays them."""
    return [Scene(**entry) for entry in yaml.safe_load(path.read_text(encoding="utf-8"))]


def room_noise(rng: np.random.Generator, samples: int) -> NDArray[np.float32]:
    """Return pink noise at NOISE_LEVEL: quieter as its frequency rises, as in a room at rest."""
    spectrum = np.fft.rfft(rng.standard_normal(samples))
    spectrum /= np.sqrt(np.arange(len(spectrum)) + 1.0)
    noise = np.fft.irfft(spectrum, samples)
    return np.asarray(noise * (NOISE_LEVEL / noise.std()), np.float32)


def _at_level(speech: Speech) -> NDArray[np.float32]:
    sound = soxr.resample(speech.samples, speech.rate, RATE, quality="HQ")
    return np.asarray(sound * (SPEECH_PEAK / np.abs(sound).max()), np.float32)


def record(espeak: Espeak, text: str, take: Take, seed: int) -> tuple[NDArray[np.int16], float]:
    """Return the scene's samples at RATE and the second at which the wake word ends."""
    wake = _at_level(espeak.say(WAKE_WORD, WAKE_MANNER))
    command = _at_level(espeak.say(text, take.manner))
    quiet = [np.zeros(round(seconds * RATE), np.float32) for seconds in (BEFORE_S, take.pause_s, AFTER_S)]
    sound = np.concatenate([quiet[0], wake, quiet[1], command, quiet[2]])
    sound += room_noise(np.random.default_rng(seed), len(sound))
    return np.asarray(np.round(sound * 32767), np.int16), BEFORE_S + len(wake) / RATE


def write(folder: Path) -> list[Path]:
    """Record every scene into `folder`; only in a fresh process are the WAVs the same each time."""
    folder.mkdir(parents=True, exist_ok=True)
    espeak = Espeak()
    paths = []
    for seed, scene in enumerate(scenes(), start=1):
        samples, _ = record(espeak, scene.text, TAKES[scene.wav], seed)
        paths.append(folder / scene.wav)
        with wave.open(str(paths[-1]), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(RATE)
            file.writeframes(samples.astype("<i2").tobytes())
    return paths


def main() -> None:
    """Record the scenes from the command line."""
    parser = argparse.ArgumentParser(description="Record the scenes of the demonstration.")
    parser.add_argument("--out", type=Path, default=FOLDER, metavar="DIR")
    for path in write(parser.parse_args().out):
        print(path)


if __name__ == "__main__":
    main()
