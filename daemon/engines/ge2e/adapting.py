"""Learn the last layer of the speaker encoder: what differs within one person's recordings counts less.

    .venv/bin/python -m daemon.engines.ge2e.adapting FOLDER      # its `learn/` is by daemon.engines.ge2e.recordings

Within-class covariance normalisation (Hatch, Kajarekar, Stolcke, "Within-class covariance normalization for SVM-based
speaker recognition", 2006) after taking away the mean of all voices: GE2E's vectors all point to one side. Each piece
counts as it is, cut to 1 and 1.5 s, with noise 25 dB below, and in a room, so that these differences are learnt to be
none. Writes `adaptation.npz`, which `making` puts into the graph: mean (256) and matrix (256, 256).
"""

import sys
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from daemon.audio.frames import RATE
from daemon.audio.wav import read_speech
from daemon.demo.making.sound import noise, room
from daemon.engines.ge2e import ADAPTATION
from daemon.engines.ge2e.making import fetched, graph
from daemon.engines.speaker import ge2e_vector, spoken_loudly

SHRINK = 0.3
"""Of the covariance, so much is replaced by that of a ball: a few people say little of 256 directions."""

Sound = NDArray[np.float32]
Vectors = NDArray[np.float64]


def adaptation(people: list[list[Sound]], embed: onnxruntime.InferenceSession) -> tuple[Vectors, Vectors]:
    """Return the mean of all voices and the matrix that evens out the differences within each."""
    rng = np.random.default_rng(7)
    means, apart = [], []
    for pieces in people:
        plain = _vectors(pieces, embed)
        centre = plain.mean(axis=0)
        means.append(centre)
        kinds = (
            plain,
            _vectors([piece[: RATE * 3 // 2] for piece in pieces], embed),
            _vectors([piece[:RATE] for piece in pieces], embed),
            _vectors([_noisy(rng, piece) for piece in pieces], embed),
            _vectors([_noisy(rng, room(rng, piece)) for piece in pieces], embed),
        )
        apart += [vectors - centre for vectors in kinds]
    rest = np.concatenate(apart)
    covariance = rest.T @ rest / len(rest)
    ball = np.trace(covariance) / len(covariance) * np.eye(len(covariance))
    values, directions = np.linalg.eigh((1 - SHRINK) * covariance + SHRINK * ball)
    matrix = directions @ np.diag(values**-0.5) @ directions.T
    return np.mean(means, axis=0), matrix / np.abs(matrix).max()


def _noisy(rng: np.random.Generator, sound: Sound) -> Sound:
    return np.asarray(sound + noise(rng, len(sound), "pink") * sound.std() * 10 ** (-25 / 20), np.float32)


def _vectors(pieces: list[Sound], embed: onnxruntime.InferenceSession) -> Vectors:
    spoken = [spoken_loudly(piece) for piece in pieces]
    vectors = [ge2e_vector(embed, sound) for sound in spoken if sound is not None]
    return np.array([vector / np.linalg.norm(vector) for vector in vectors], np.float64)


def main() -> None:
    """Learn from a folder and write the file."""
    folders = sorted((Path(sys.argv[1]) / "learn").iterdir())
    people = [[_sound(file) for file in sorted(folder.glob("*.wav"))] for folder in folders]
    plain = onnxruntime.InferenceSession(graph(fetched(), None))
    mean, matrix = adaptation(people, plain)
    np.savez_compressed(ADAPTATION, mean=mean.astype(np.float32), matrix=matrix.astype(np.float16))
    sys.stdout.write(f"{ADAPTATION}: {len(people)} people, {sum(map(len, people))} pieces\n")


def _sound(file: Path) -> Sound:
    return np.frombuffer(read_speech(file), "<i2").astype(np.float32) / np.float32(32768)


if __name__ == "__main__":
    main()
