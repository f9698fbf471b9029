"""Choose what is said in which voice, and make the examples of training and of evaluation in several processes."""

import multiprocessing
import random
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import numpy as np

from daemon.demo.making.espeak import Espeak, Manner
from daemon.demo.making.examples import (
    HELD_OUT_VARIANTS,
    MAIN_VARIANTS,
    MORE_VARIANTS,
    TRAINING_VARIANTS,
    Example,
    Spoken,
    alphabet,
    heard_examples,
    random_manner,
    speak,
    wake_words,
)
from daemon.demo.making.grammar import corpus, fixed, rules

COMMANDS, REPLIES, HELD_OUT = 10_500, 6_000, 300
SHORT_WORDS, SHORT_COPIES, KEY_COPIES = 4, 6, 2
KEY_PHRASES = (
    "Que horas são?", "Que dia é hoje?", "Sim.", "Não.", "Para.", "Pare.", "Cancela.", "Não entendi.", "Obrigado.",
    "Pronto.", "Combinado.", "Para quando?",
)  # fmt: skip
"""Short phrases that a house says every day: spoken in every voice of training."""
UNMARKED_SHARE = 0.2
JOB_SENTENCES = 500


@dataclass(frozen=True, slots=True)
class Texts:
    """The grammar's sentences, parted so that no `held_out` one is trained on. Short ones are all in `training`."""

    training: list[str]
    held_out: list[str]


@dataclass(frozen=True, slots=True)
class Job:
    """Work for one process: sentences with their voices (None: by chance), and the seed of all else."""

    lines: Sequence[tuple[str, str | None]]
    numbers: dict[str, int]
    copies: int
    seed: int


def texts(seed: int) -> Texts:
    """Draw the sentences. Phrases that no rule varies are all trained on: nothing else would teach them."""
    drawn = corpus(COMMANDS, REPLIES, seed)
    random.Random(seed).shuffle(drawn)  # noqa: S311 - reproducible data, no secret
    unvaried = {text for rule in rules() for text in fixed(rule)}
    held_out = [text for text in drawn if len(text.split()) > SHORT_WORDS and text not in unvaried][:HELD_OUT]
    apart = set(held_out)
    return Texts([text for text in drawn if text not in apart], held_out)


def lines(training: Sequence[str], seed: int) -> list[tuple[str, str | None]]:
    """Return what to say with which variant: short phrases several times, the key phrases in every voice."""
    unvaried = {text for rule in rules() for text in fixed(rule)}
    short = [text for text in training if len(text.split()) <= SHORT_WORDS or text in unvaried]
    planned: list[tuple[str, str | None]] = [(text, None) for text in training]
    planned += [(text, None) for text in short] * SHORT_COPIES
    voices = ("", *MAIN_VARIANTS, *MORE_VARIANTS)
    planned += [(text, variant) for text in KEY_PHRASES for variant in voices] * KEY_COPIES
    random.Random(seed).shuffle(planned)  # noqa: S311 - reproducible data, no secret
    return planned


def jobs(training: Sequence[str], copies: int, seed: int) -> list[Job]:
    """Split the lines into jobs."""
    numbers = alphabet(Espeak(), training[:1000])
    planned = lines(training, seed)
    starts = range(0, len(planned), JOB_SENTENCES)
    return [Job(planned[start : start + JOB_SENTENCES], numbers, copies, seed + 1 + start) for start in starts]


def speak_lines(espeak: Espeak, job: Job) -> list[Spoken]:
    """Say a job's sentences, some without their last mark (the model writes it all the same)."""
    rng = random.Random(job.seed)  # noqa: S311 - reproducible data, no secret
    found = []
    for text, variant in job.lines:
        manner = random_manner(rng, TRAINING_VARIANTS if variant is None else (variant,))
        said = text.rstrip(".?") if rng.random() < UNMARKED_SHARE else text
        spoken = speak(espeak, rng, said, manner, job.numbers)
        found.append(Spoken(text, spoken.sound, spoken.labels))
    return found


def work(job: Job) -> list[Example]:
    """Make a job's examples; the same ones in every fresh process."""
    espeak = Espeak()
    wakes = wake_words(espeak)
    return heard_examples(np.random.default_rng(job.seed), speak_lines(espeak, job), wakes, job.copies)


def gather(planned: Sequence[Job], processes: int) -> list[Example]:
    """Make the examples of all jobs; each job has a process of its own, because espeak-ng's voice remembers."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context, max_tasks_per_child=1) as pool:
        return [example for made in pool.map(work, planned) for example in made]


def spoken_held_out(
    held_out: Sequence[str], variants: Sequence[str] = HELD_OUT_VARIANTS, seed: int = 5
) -> list[Spoken]:
    """Say sentences in voices that were never trained on (or in others), without phoneme labels."""
    rng = random.Random(seed)  # noqa: S311 - reproducible data, no secret
    espeak = Espeak()
    return [speak(espeak, rng, text, random_manner(rng, variants), {}) for text in held_out]


def spoken_everywhere(phrases: Sequence[str], variants: Sequence[str]) -> list[Spoken]:
    """Say each phrase in each variant."""
    rng = random.Random(0)  # noqa: S311 - reproducible data, no secret
    espeak = Espeak()
    manners = [Manner(f"pt-br+{variant}" if variant else "pt-br") for variant in variants]
    return [speak(espeak, rng, text, manner, {}) for text in phrases for manner in manners]
