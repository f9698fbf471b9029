"""Recordings of real people that Debian packages carry, cut alike: to learn the last layer from, and to measure on.

    .venv/bin/python -m daemon.engines.ge2e.recordings FOLDER

makes `FOLDER/learn/PERSON/0000.wav …` and `FOLDER/test/PERSON/…`: 16 kHz mono, 2.6 to 3.2 s each, short prompts joined.
It asks apt for the packages (some 250 MB), unpacks them below FOLDER and installs nothing. One voice is one folder of a
package, which is nearly always one person (some volunteers shared the work on a language: that counts as our error).
These are people of many countries who read letters, syllables and telephone prompts; one of them is Brazilian.
"""

import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from daemon.audio.frames import RATE
from daemon.audio.wav import write_wav

Sound = NDArray[np.float32]

PACKAGES = (
    "asterisk-core-sounds-en-g722 asterisk-core-sounds-es-g722 asterisk-core-sounds-fr-g722"
    " asterisk-core-sounds-it-g722 asterisk-core-sounds-ru-g722 asterisk-prompt-es-co asterisk-prompt-fr-armelle"
    " asterisk-prompt-it-menardi-wav klettres-data pocketsphinx-testdata tuxpaint-stamps-default"
).split()
LEARN = frozenset("klettres_ml klettres_hu klettres_he klettres_lt klettres_nds klettres_da klettres_de".split())
"""Besides all of tuxpaint's; everybody else is there to measure on, and was never learnt from."""
SHORTEST, LONGEST, MOST, FEWEST = int(2.6 * RATE), int(3.2 * RATE), 40, 9
PAUSE = np.zeros(RATE // 10, np.float32)
_SOUNDS = frozenset({".g722", ".wav", ".ogg", ".gsm", ".raw", ".mp3"})


def fetch(folder: Path) -> Path:
    """Have apt bring the packages and unpack them; return where. Raises CalledProcessError."""
    debs, unpacked = folder / "packages", folder / "unpacked"
    debs.mkdir(parents=True, exist_ok=True)
    subprocess.run(["apt-get", "download", "-qq", *PACKAGES], cwd=debs, check=True)
    for deb in debs.glob("*.deb"):
        subprocess.run(["dpkg-deb", "-x", deb, unpacked / deb.name.partition("_")[0]], check=True)
    return unpacked


def people(unpacked: Path) -> Iterator[tuple[str, list[Path]]]:
    """Yield each person with their files, in order."""
    asterisk = sorted(unpacked.glob("asterisk-*/usr/share/asterisk/sounds/*"))
    yield from ((f"asterisk_{folder.name}", _sounds(folder.rglob("*"))) for folder in asterisk)
    for folder in sorted(unpacked.glob("klettres-data/usr/share/klettres/*")):
        yield f"klettres_{folder.name}", _sounds([*folder.glob("alpha/*"), *folder.glob("syllab/*")])
    stamps: dict[str, list[Path]] = {}
    for file in sorted(unpacked.glob("tuxpaint-*/usr/share/tuxpaint/stamps/**/*_desc*.ogg")):
        stamps.setdefault(file.stem.rpartition("_desc")[2].strip("_") or "en", []).append(file)
    yield from ((f"tuxpaint_{language}", files) for language, files in stamps.items())
    yield "librivox", _sounds(unpacked.glob("pocketsphinx-*/usr/share/pocketsphinx/test/data/librivox/*"))


def cut(files: Iterable[Path]) -> Iterator[Sound]:
    """Yield pieces of speech, none shorter than 2.6 s, by joining what is shorter."""
    waiting: list[Sound] = []
    for file in files:
        sound = _without_edges(_decoded(file))
        if len(sound) < RATE // 8:
            continue
        waiting += [sound, PAUSE]
        joined = np.concatenate(waiting)
        if len(joined) < SHORTEST + len(PAUSE):
            continue
        waiting = []
        for start in range(0, len(joined) - SHORTEST + 1, LONGEST):
            yield joined[start : start + LONGEST]


def gather(folder: Path, unpacked: Path) -> dict[str, int]:
    """Write everybody's pieces below `folder`; return how many people are to learn from and to test."""
    counts = {"learn": 0, "test": 0}
    for name, files in people(unpacked):
        pieces = [piece for piece, _ in zip(cut(files), range(MOST), strict=False)]
        if len(pieces) < FEWEST:
            continue
        part = "learn" if name.startswith("tuxpaint") or name in LEARN else "test"
        (home := folder / part / name).mkdir(parents=True, exist_ok=True)
        for number, piece in enumerate(pieces):
            samples = (np.clip(piece, -1, 1) * 32767).astype("<i2").tobytes()
            write_wav(home / f"{number:04d}.wav", samples, RATE)
        counts[part] += 1
    return counts


def _sounds(files: Iterable[Path]) -> list[Path]:
    return sorted(file for file in files if file.suffix in _SOUNDS)


def _decoded(file: Path) -> Sound:
    """Return the file's sound at 16 kHz; empty where it is not readable (some packages hold headerless pieces)."""
    if file.suffix == ".raw":
        return np.fromfile(file, "<i2").astype(np.float32) / np.float32(32768)
    kind = {".g722": "g722", ".gsm": "gsm"}.get(file.suffix)
    pieces: list[NDArray[np.int16]] = []
    try:
        with av.open(str(file), format=kind) as opened:
            resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE)
            for frame in opened.decode(audio=0):
                pieces += [np.asarray(each.to_ndarray().reshape(-1), np.int16) for each in resampler.resample(frame)]
    except (av.FFmpegError, IndexError):
        return PAUSE[:0]
    return np.concatenate([np.zeros(0, np.int16), *pieces]).astype(np.float32) / np.float32(32768)


def _without_edges(sound: Sound) -> Sound:
    count = len(sound) // 160
    level = np.sqrt(np.square(sound[: count * 160].reshape(count, 160)).mean(axis=1)) if count else PAUSE[:0]
    loud = np.flatnonzero(level > max(float(level.max(initial=0)) * 0.018, 1e-4))
    return sound[max(0, loud[0] - 5) * 160 : (loud[-1] + 6) * 160] if len(loud) else sound[:0]


def main() -> None:
    """Fetch and cut."""
    folder = Path(sys.argv[1])
    unpacked = folder / "unpacked"
    sys.stdout.write(f"{gather(folder, unpacked if unpacked.is_dir() else fetch(folder))}\n")


if __name__ == "__main__":
    main()
