"""How well voices are told apart: equal error rates, and what a household of four and its guests would live with.

    make bench-voices                                   synthetic voices (espeak-ng), as in CI but more of them
    make bench-voices ARGS="--real FOLDER"              and recordings of real people: FOLDER/PERSON/*.wav, each 3 s;
                                                        `python -m daemon.engines.ge2e.recordings DIR` makes DIR/test

Each person is taught, as the house does it, by five utterances spread over what there is of them; the rest are trials, whole (about 3 s) and
cut to 2, 1.5 and 1 s. Conditions: as recorded, with noise 20 dB below, and each in another room with noise 25 dB below:
a room of noise that fades, and one by the image-source method, drawn anew for each utterance and none of those in which
the house teaches. The equal error rate is over all pairs of trial and voiceprint. Households are drawn by chance: four
members, eight guests, by the thresholds that the house itself would use. Powers: see `tests/bench/powers.py`.
"""

import argparse
import asyncio
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import numpy as np
import soxr
from numpy.typing import NDArray

from config.preferences import Preferences
from config.voices import VOICES_THRESHOLD
from daemon.audio.frames import RATE, Utterance
from daemon.audio.wav import read_speech
from daemon.demo.making.espeak import Espeak, Manner, variants
from daemon.demo.making.sound import noise, room
from daemon.engines.speaker import OnnxSpeakerEncoder, without_pauses
from daemon.people.person import Person
from daemon.people.voices.enrolment import SENTENCES, taught_by
from daemon.people.voices.rooms import heard_in, response, some_box
from daemon.people.voices.voiceprint import LEAST_S, Vector, Voiceprint, calibrated, centre, unit, whose

from .powers import powers

Sound = NDArray[np.float32]
TAUGHT = 5
HOUSEHOLD, GUESTS = 4, 8
SAYINGS = (
    *SENTENCES,
    "acende a luz da sala e fecha a persiana do quarto das crianças",
    "me lembra de tomar o remédio amanhã às sete da manhã",
    "quanto tempo falta para o timer do arroz que está no fogo",
    "põe leite, pão e dois quilos de arroz na lista de compras",
    "qual é a previsão do tempo para o fim de semana na praia",
    "liga o ventilador do quarto por meia hora e depois desliga",
    "avisa todo mundo que o almoço está na mesa daqui a pouco",
)
LANGUAGES = ("pt-br", "pt-br", "pt", "es-419", "pt-br")
"""espeak-ng's voices, each read by other variants: they differ in accent as well."""


@dataclass(frozen=True)
class Spoken:
    """Everybody's vectors by condition: `vectors[condition][person]` are those of their utterances, in order."""

    vectors: Mapping[str, Mapping[str, Sequence[Vector | None]]]
    seconds: Mapping[str, float]


@dataclass(frozen=True)
class Rates:
    """What came out for one condition."""

    eer: float
    at: float
    right: float
    unknown: float
    wrong: float
    guests: float
    trials: int


def synthetic(people: int, sayings: int) -> dict[str, list[Sound]]:
    """Return so many espeak-ng voices: variant, pitch, speed and accent of their own."""
    espeak, rng = Espeak(), np.random.default_rng(11)
    names = [name for name in sorted(variants()) if "whisper" not in name and name not in {"croak", "fast", "robosoft"}]
    chosen = rng.permutation(names)[:people]
    found: dict[str, list[Sound]] = {}
    for number, variant in enumerate(chosen):
        pitch, pace = int(rng.integers(25, 75)), int(rng.integers(135, 185))
        voice = f"{LANGUAGES[number % len(LANGUAGES)]}+{variant}"
        found[voice] = []
        for text in SAYINGS[:sayings]:
            # Nobody says anything twice alike: a little more or less of everything.
            manner = Manner(voice, pace + int(rng.integers(-8, 9)), pitch + int(rng.integers(-4, 5)))
            said = espeak.say(text, manner)
            found[voice].append(soxr.resample(said.samples, said.rate, RATE).astype(np.float32)[: 3 * RATE])
    return found


def real(folder: Path) -> dict[str, list[Sound]]:
    """Return the people of a folder."""
    return {
        person.name: [np.frombuffer(read_speech(file), "<i2").astype(np.float32) / np.float32(32768)
                      for file in sorted(person.glob("*.wav"))]
        for person in sorted(folder.iterdir()) if person.is_dir()
    }  # fmt: skip


def heard(sounds: Mapping[str, Sequence[Sound]], encoder: OnnxSpeakerEncoder, *, short: bool) -> Spoken:
    """Return everybody's vectors."""
    rng = np.random.default_rng(5)

    def noisy(sound: Sound, below_db: float) -> Sound:
        return np.asarray(sound + noise(rng, len(sound), "pink") * sound.std() * 10 ** (-below_db / 20), np.float32)

    ways: dict[str, tuple[Callable[[Sound], Sound], float]] = {
        "3 s": (lambda sound: sound, 3.0),
        "2 s": (lambda sound: sound[: 2 * RATE], 2.0),
        "1,5 s": (lambda sound: sound[: RATE * 3 // 2], 1.5),
        "1 s": (lambda sound: sound[:RATE], 1.0),
        "3 s, ruído": (lambda sound: noisy(sound, 20), 3.0),
        "3 s, outra sala": (lambda sound: noisy(room(rng, sound), 25), 3.0),
        "3 s, sala-caixa": (lambda sound: noisy(heard_in(sound, response(some_box(rng))), 25), 3.0),
    }
    kept = {name: way for name, way in ways.items() if not short or name in {"3 s", "1 s", "3 s, ruído"}}
    with ThreadPoolExecutor(2) as pool:
        vectors = {
            name: {
                person: list(pool.map(encoder.vector_of, [change(without_pauses(sound)) for sound in theirs]))
                for person, theirs in sounds.items()
            }
            for name, (change, _) in kept.items()
        }
    return Spoken(vectors, {name: seconds for name, (_, seconds) in kept.items()})


def taught(
    sounds: Mapping[str, Sequence[Sound]], spoken: Spoken, encoder: OnnxSpeakerEncoder
) -> tuple[dict[str, Voiceprint], dict[str, set[int]]]:
    """Return everybody's voiceprint, taught as the house does it, and which utterances went into it."""
    prints, used = {}, {}
    for person, vectors in spoken.vectors["3 s"].items():
        fit = [number for number, vector in enumerate(vectors) if vector is not None]
        chosen = [fit[place] for place in np.linspace(0, len(fit) - 1, TAUGHT).round().astype(int)]
        lessons = [asyncio.run(taught_by(encoder, _utterance(sounds[person][number]))) for number in chosen]
        middle, own = centre([one.near for one in lessons if one is not None])
        far = unit(np.sum([one.far for one in lessons if one is not None], axis=0))
        prints[person] = Voiceprint(Person(uuid4(), person, "adult"), middle, middle, far, own)
        used[person] = set(chosen)
    return prints, used


def _utterance(sound: Sound) -> Utterance:
    pcm = (np.clip(sound / max(1.0, float(np.abs(sound).max())), -1, 1) * 32767).astype("<i2").tobytes()
    return Utterance(pcm, len(sound) * 1000 / RATE)


def trials(spoken: Spoken, way: str, used: Mapping[str, set[int]], person: str) -> list[Vector]:
    """Return the utterances of a person that did not teach."""
    vectors = spoken.vectors[way][person]
    return [vector for number, vector in enumerate(vectors) if number not in used[person] and vector is not None]


def rates(
    spoken: Spoken,
    way: str,
    prints: Mapping[str, Voiceprint],
    used: Mapping[str, set[int]],
    threshold: float,
    draws: int,
) -> Rates:
    """Measure one condition."""
    own: list[float] = []
    others: list[float] = []
    for person in prints:
        for vector in trials(spoken, way, used, person):
            for name, one in prints.items():
                (own if name == person else others).append(one.likeness(vector))
    eer, at = equal_error(np.array(own), np.array(others))
    told = list(households(spoken, way, prints, used, threshold, draws))
    members = [outcome for outcome, is_member in told if is_member]
    guests = [outcome for outcome, is_member in told if not is_member]
    return Rates(
        eer, at, share(members, "right"), share(members, "unknown"), share(members, "wrong"),
        1 - share(guests, "unknown"), len(own),
    )  # fmt: skip


def households(
    spoken: Spoken,
    way: str,
    prints: Mapping[str, Voiceprint],
    used: Mapping[str, set[int]],
    threshold: float,
    draws: int,
) -> Iterator[tuple[str, bool]]:
    """Yield what the house would make of each utterance, and whether it was a member's."""
    rng, seconds = np.random.default_rng(3), max(spoken.seconds[way], LEAST_S)
    for _ in range(draws):
        drawn = [str(name) for name in rng.permutation(list(prints))]
        members, guests = drawn[:HOUSEHOLD], drawn[HOUSEHOLD : HOUSEHOLD + GUESTS]
        known = calibrated([prints[name] for name in members], threshold)
        for person in (*members, *guests):
            for vector in trials(spoken, way, used, person)[:6]:
                found = whose(known, vector, seconds)
                name = found.person.name if found is not None else None
                yield "unknown" if name is None else "right" if name == person else "wrong", person in members


def share(outcomes: Sequence[str], which: str) -> float:
    """Return what part of the outcomes is this one."""
    return sum(outcome == which for outcome in outcomes) / max(1, len(outcomes))


def equal_error(own: NDArray[np.floating], others: NDArray[np.floating]) -> tuple[float, float]:
    """Return the rate at which as many of one's own are refused as of others' are taken, and at which score."""
    marks = np.unique(np.concatenate([own, others]))
    refused = np.searchsorted(np.sort(own), marks, "left") / len(own)
    accepted = 1 - np.searchsorted(np.sort(others), marks, "left") / len(others)
    best = int(np.argmin(np.abs(refused - accepted)))
    return float(refused[best] + accepted[best]) / 2, float(marks[best])


def measure(title: str, sounds: Mapping[str, Sequence[Sound]], *, draws: int, short: bool = False) -> dict[str, Rates]:
    """Measure a set of people and print it."""
    encoder, threshold = OnnxSpeakerEncoder.load(), Preferences()[VOICES_THRESHOLD]
    spoken = heard(sounds, encoder, short=short)
    prints, used = taught(sounds, spoken, encoder)
    found = {way: rates(spoken, way, prints, used, threshold, draws) for way in spoken.vectors}
    sys.stdout.write(f"{title}: {len(sounds)} vozes, {sum(map(len, sounds.values()))} frases, {encoder.name}\n")
    for way, one in found.items():
        sys.stdout.write(
            f"  {way:<16} EER {one.eer:6.2%} em {one.at:.2f} | casa de {HOUSEHOLD}, limiar {threshold}: certo {one.right:.1%}"
            f", não sei {one.unknown:.1%}, outro {one.wrong:.2%}, visita tomada por alguém {one.guests:.2%}\n"
        )
    said = {way: {person: trials(spoken, way, used, person) for person in prints} for way in spoken.vectors}
    sys.stdout.write("\n".join(powers(said, spoken.seconds, prints)) + "\n")
    encoder.close()
    return found


def cost_ms(encoder: OnnxSpeakerEncoder, seconds: float, times: int = 20) -> float:
    """Return the median time of a vector, in milliseconds."""
    sound = synthetic(1, 1).popitem()[1][0]
    given = np.resize(sound, int(seconds * RATE))
    took = []
    for _ in range(times):
        began = time.perf_counter()
        encoder.vector_of(given)
        took.append((time.perf_counter() - began) * 1000)
    return float(np.median(took))


def main() -> int:
    """Measure and print. Ends with 1 where synthetic voices are mistaken more often than the bars allow."""
    options = argparse.ArgumentParser()
    options.add_argument("--real", type=Path)
    options.add_argument("--people", type=int, default=48)
    options.add_argument("--draws", type=int, default=60)
    given = options.parse_args()
    found = measure("espeak-ng", synthetic(given.people, len(SAYINGS)), draws=given.draws)
    if given.real is not None:
        measure(str(given.real), real(given.real), draws=given.draws)
    encoder = OnnxSpeakerEncoder.load()
    for seconds in (1.5, 3.0, 6.0):
        sys.stdout.write(f"{seconds:g} s de fala: {cost_ms(encoder, seconds):.0f} ms num núcleo\n")
    encoder.close()
    return 0 if found["3 s"].eer <= MOST_EER else 1


MOST_EER = 0.05
"""The bar for synthetic voices, 3 s, as recorded."""

if __name__ == "__main__":
    sys.exit(main())
