"""How well small Whispers write down sentences and voices that they were never trained on.

    python -m daemon.demo.making.evaluate [MODEL_DIR ...] [--sentences 150]

Prints, for each condition and model, the share of sentences without a wrong word and the word error rate. Without a
folder it takes the bundled model. Runs on what Mordomo runs on; about 0.2 s of CPU a sentence.
"""

import argparse
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from faster_whisper import WhisperModel
from rapidfuzz.distance import Levenshtein
from rich.console import Console
from rich.table import Table

from daemon.demo.making.espeak import Espeak
from daemon.demo.making.examples import HELD_OUT_VARIANTS, TRAINING_VARIANTS, Spoken, wake_words
from daemon.demo.making.gather import KEY_PHRASES, spoken_everywhere, spoken_held_out, texts
from daemon.demo.making.sound import Sound, hear, no_speech, wake_tail
from daemon.demo.models import WHISPER_CASA

Transcribe = Callable[[Sound], str]
Case = tuple[str, Sound]
"""What must be written, and the sound."""


def transcriber(folder: Path, threads: int = 1) -> Transcribe:
    """Load a model as the daemon does; greedy, no second try at a higher temperature, no timestamps."""
    model = WhisperModel(str(folder), device="cpu", compute_type="int8", cpu_threads=threads)

    def transcribe(sound: Sound) -> str:
        segments, _ = model.transcribe(
            sound,
            language="pt",
            beam_size=1,
            temperature=0.0,
            without_timestamps=True,
            condition_on_previous_text=False,
        )
        return "".join(segment.text for segment in segments).strip()

    return transcribe


def words(text: str) -> list[str]:
    """Return the words of a text, whatever its capitals and marks."""
    return re.findall(r"[\w-]+", text.lower())


def score(pairs: Sequence[tuple[str, str]]) -> tuple[float, float]:
    """Return the share (0 to 1) of (wanted, written) that agree in every word, and the word error rate.

    The rate is the least number of words to change, add or drop, over the words wanted (the texts, if all are "").
    """
    split = [(words(wanted), words(written)) for wanted, written in pairs]
    errors = sum(Levenshtein.distance(wanted, written) for wanted, written in split)
    exact = sum(wanted == written for wanted, written in split)
    return exact / len(pairs), errors / (sum(len(wanted) for wanted, _ in split) or len(pairs))


def _heard(
    rng: np.random.Generator, sentences: Sequence[Spoken], *, clean: bool, wakes: Sequence[Sound] = ()
) -> list[Case]:
    others = [spoken.sound for spoken in sentences]
    cases = []
    for spoken in sentences:
        before = wake_tail(rng, wakes) if wakes else None
        cases.append((spoken.text, hear(rng, spoken.sound, before=before, others=others, clean=clean).sound))
    return cases


def conditions(held_out: Sequence[str]) -> dict[str, list[Case]]:
    """Return what to transcribe, by a name that says what is new or hard in it."""
    rng = np.random.default_rng(5)
    unseen = spoken_held_out(held_out)
    known = spoken_held_out(held_out, TRAINING_VARIANTS)
    key = spoken_everywhere(KEY_PHRASES, HELD_OUT_VARIANTS)
    wakes = wake_words(Espeak())
    return {
        "trained voices, clean": _heard(rng, known, clean=True),
        "trained voices, noisy": _heard(rng, known, clean=False),
        "unseen voices, clean": _heard(rng, unseen, clean=True),
        "unseen voices, noisy": _heard(rng, unseen, clean=False),
        "unseen voices, end of wake word, clean": _heard(rng, unseen, clean=True, wakes=wakes),
        "unseen voices, end of wake word, noisy": _heard(rng, unseen, clean=False, wakes=wakes),
        "key phrases, unseen voices, clean": _heard(rng, key, clean=True),
        "key phrases, unseen voices, noisy": _heard(rng, key, clean=False),
        "key phrases, end of wake word, clean": _heard(rng, key, clean=True, wakes=wakes),
        "no sentence": [("", no_speech(rng, wakes)) for _ in range(len(key))],
    }


def main() -> None:
    """Evaluate from the command line."""
    parser = argparse.ArgumentParser(description="Evaluate small Whispers on unseen sentences and voices.")
    parser.add_argument("models", type=Path, nargs="*", default=[WHISPER_CASA], metavar="MODEL_DIR")
    parser.add_argument("--sentences", type=int, default=150)
    parser.add_argument("--seed", type=int, default=7, help="the seed of the training")
    parser.add_argument("--threads", type=int, default=1)
    asked = parser.parse_args()
    models = {folder: transcriber(folder, asked.threads) for folder in asked.models}
    table = Table("condition", "n", *(str(folder) for folder in models), "a mistake of the last")
    for name, cases in conditions(texts(asked.seed).held_out[: asked.sentences]).items():
        row, wrong = [], []
        for transcribe in models.values():
            pairs = [(text, transcribe(sound)) for text, sound in cases]
            exact, errors = score(pairs)
            row.append(f"{exact:.1%} exact, {errors:.2%} WER")
            wrong = [f"{wanted} → {written}" for wanted, written in pairs if words(wanted) != words(written)]
        table.add_row(name, str(len(cases)), *row, (wrong or [""])[0])
    Console(width=200).print(table)


if __name__ == "__main__":
    main()
