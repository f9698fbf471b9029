"""The tones voice: a Piper voice of our own that sings phonemes as tones.

    python -m daemon.demo.making.voice [--out DIR]

The file has a real Piper voice's inputs (`input`: phoneme ids, `input_lengths`, `scales`: noise, length, noise_w) and
output (`output`: samples from -1 to 1), so the whole of Piper runs on it, but it was not trained: each phoneme is one
row of a table of partials, heard for 80 ms at length scale 1. Vowels get the formants of spoken vowels, so a
voice detector takes the result for speech; no person will understand a word. Needs numpy and piper-tts only.
"""

import argparse
import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from piper.phoneme_ids import DEFAULT_PHONEME_ID_MAP

from daemon.demo.making.onnxfile import FLOAT, INT64, Node, Port, encode
from daemon.demo.models import TONES_VOICE

RATE = 16_000
PITCH_HZ = 225
"""Nine periods fit in one step of 40 ms, so that neighbouring steps join without a click."""
STEP_SAMPLES = 640
SYMBOLS = 256
"""Rows of the table; Piper's phoneme ids end well below."""
HARMONICS, PARTIALS = 18, 34

FORMANTS_HZ: dict[str, tuple[int, int]] = {
    "a": (750, 1400), "ɐ": (600, 1450), "æ": (700, 1700), "e": (400, 2100), "ɛ": (580, 1900), "i": (300, 2300),
    "ɪ": (370, 2150), "o": (420, 850), "ɔ": (580, 950), "u": (320, 750), "ʊ": (380, 850), "ə": (500, 1500),
    "j": (290, 2250), "w": (310, 700), "l": (360, 1200), "ʎ": (320, 2000), "m": (260, 1000), "n": (260, 1500),
    "ɲ": (260, 2100), "ŋ": (260, 1200), "ɾ": (420, 1400), "ʁ": (500, 1200), "r": (450, 1300), "ɹ": (450, 1300),
    "b": (220, 800), "d": (220, 1600), "ɡ": (220, 1300), "v": (250, 1100), "z": (250, 1700), "ʒ": (250, 1900),
}  # fmt: skip
"""First two formants: vowels of Brazilian Portuguese by Escudero et al. (2009), rounded; consonants by ear."""
HISS_HZ: dict[str, int] = {
    "s": 6000, "z": 5600, "ʃ": 4000, "ʒ": 3700, "f": 5000, "v": 4600, "t": 5200, "k": 3400, "p": 3000, "x": 3200,
    "h": 3000,
}  # fmt: skip
"""Where the noise of a consonant is strongest."""


def _resonance(at_hz: NDArray[np.floating], centre_hz: float, width_hz: float) -> NDArray[np.float64]:
    """Gain of a second-order resonance, 1 at its centre."""
    return np.asarray(1 / (1 + ((at_hz - centre_hz) / width_hz) ** 2))


VOWELS = "aɐæeɛiɪoɔuʊə"
VOWEL_LOUDNESS, VOICED_LOUDNESS, HISS_LOUDNESS = 0.3, 0.06, 0.02
"""Of those tried, pitch and loudness with which Silero takes the largest share, half, for speech."""


def _loudness(symbol: str) -> float:
    """Return the RMS of a phoneme, of full scale about 1: vowels are loudest, as in speech."""
    if symbol[0] in VOWELS:
        return VOWEL_LOUDNESS
    return VOICED_LOUDNESS if symbol[0] in FORMANTS_HZ else HISS_LOUDNESS


def partials() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the gain of each partial for each phoneme id, [SYMBOLS, PARTIALS], and the partials' Hz, [PARTIALS].

    The first 18 are harmonics of the pitch; the rest lie between 3 and 7 kHz, out of tune, and together sound as hiss.
    """
    harmonics = np.arange(1, HARMONICS + 1, dtype=np.float64) * PITCH_HZ
    hiss = 3000 + 4000 * (np.arange(1, PARTIALS - HARMONICS + 1) * 0.6180339887 % 1)
    gains = np.zeros((SYMBOLS, PARTIALS))
    for symbol, ids in DEFAULT_PHONEME_ID_MAP.items():
        row = gains[ids[0]]
        if symbol[0] in FORMANTS_HZ:
            first, second = FORMANTS_HZ[symbol[0]]
            shape = _resonance(harmonics, first, 90) + 0.5 * _resonance(harmonics, second, 120)
            row[:HARMONICS] = shape + 0.15 * _resonance(harmonics, 2700, 200)
        if symbol in HISS_HZ:
            row[HARMONICS:] = 0.35 * _resonance(hiss, HISS_HZ[symbol], 700)
        if row.any():
            row *= _loudness(symbol) / np.sqrt(np.square(row).sum())
    return gains.round(4).astype(np.float32), np.concatenate([harmonics, hiss]).astype(np.float32)


def onnx_bytes() -> bytes:
    """Return the voice as an ONNX file of about 36 kB."""
    gains, hz = partials()
    ints = {"zero": 0, "one": 1}
    constants: dict[str, NDArray[np.float32] | NDArray[np.int64]] = {
        "gains": gains,
        "radians": (hz * 2 * np.pi / RATE).astype(np.float32).reshape(-1, 1),
        "step": np.array([STEP_SAMPLES], np.float32),
        "shape": np.array([1, 1, 1, -1], np.int64),
        **{name: np.array(value, np.int64) for name, value in ints.items()},
        **{f"axis_{name}": np.array([value], np.int64) for name, value in {**ints, "two": 2, "last": -1}.items()},
    }
    nodes = [
        Node("Squeeze", ["input", "axis_zero"], "ids"),
        # Piper writes a pad after each phoneme: sounding the one before in it makes both one note of two steps.
        Node("Slice", ["ids", "axis_zero", "axis_last"], "all_but_last"),
        Node("Concat", ["axis_zero", "all_but_last"], "before", {"axis": 0}),
        Node("Gather", ["gains", "ids"], "now_gains"),
        Node("Gather", ["gains", "before"], "before_gains"),
        Node("Add", ["now_gains", "before_gains"], "step_gains"),
        Node("Slice", ["scales", "axis_one", "axis_two"], "length_scale"),
        Node("Mul", ["length_scale", "step"], "length"),
        Node("Cast", ["length"], "samples_1", {"to": INT64}),
        Node("Squeeze", ["samples_1", "axis_zero"], "samples"),
        Node("Range", ["zero", "samples", "one"], "ticks"),
        Node("Cast", ["ticks"], "ticks_f", {"to": FLOAT}),
        Node("Mul", ["radians", "ticks_f"], "phases"),
        Node("Sin", ["phases"], "tones"),
        Node("MatMul", ["step_gains", "tones"], "steps"),
        Node("Reshape", ["steps", "shape"], "output"),
    ]
    inputs = [
        Port("input", INT64, ["batch_size", "phonemes"]),
        Port("input_lengths", INT64, ["batch_size"]),
        Port("scales", FLOAT, [3]),
    ]
    return encode("tones", nodes, constants, inputs, [Port("output", FLOAT, ["batch_size", 1, 1, "time"])])


def config_json() -> str:
    """Return the voice's `.onnx.json`, in the form of Piper 1."""
    language = {"code": "pt_BR", "family": "pt", "region": "BR", "name_native": "Português"}
    config = {
        "audio": {"sample_rate": RATE, "quality": "x_low"},
        "espeak": {"voice": "pt-br"},
        "language": {**language, "name_english": "Portuguese", "country_english": "Brazil"},
        "inference": {"noise_scale": 0.667, "length_scale": 1, "noise_w": 0.8},
        "phoneme_type": "espeak",
        "phoneme_map": {},
        "phoneme_id_map": DEFAULT_PHONEME_ID_MAP,
        "num_symbols": SYMBOLS,
        "num_speakers": 1,
        "speaker_id_map": {},
        "piper_version": "1.0.0",
        "dataset": "tons",
    }
    return json.dumps(config, ensure_ascii=False, indent=1) + "\n"


def write(folder: Path) -> Path:
    """Write the voice's two files into `folder` and return the path of the first."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / TONES_VOICE.name
    path.write_bytes(onnx_bytes())
    path.with_name(path.name + ".json").write_text(config_json(), encoding="utf-8")
    return path


def main() -> None:
    """Make the voice from the command line."""
    parser = argparse.ArgumentParser(description="Make the tones voice.")
    parser.add_argument("--out", type=Path, default=TONES_VOICE.parent, metavar="DIR")
    print(write(parser.parse_args().out))


if __name__ == "__main__":
    main()
