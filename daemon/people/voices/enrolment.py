"""From sentences to a voiceprint: what is asked to be said, what will do, and how it is kept."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Literal
from uuid import UUID, uuid4

import numpy as np
from numpy.typing import NDArray

from daemon.audio.frames import SAMPLE_BYTES, Utterance
from daemon.clock import Clock
from daemon.demo.making.sound import noise, room
from daemon.engines.protocols import SpeakerEncoder
from daemon.language.plan import Plan
from daemon.memory.vectors import Point, Vectors
from daemon.people.voices.rooms import Sound, heard_in, response, some_box
from daemon.people.voices.voiceprint import COLLECTION, Room, Vector, centre, unit
from db import voices
from db.database import Database

SENTENCES = (
    "O céu de agosto amanheceu limpo depois de uma semana de chuva.",
    "Minha avó guardava as receitas num caderno de capa vermelha.",
    "O trem das onze já passou pela velha ponte de ferro.",
    "Gosto de café forte e de pão quente com bastante manteiga.",
    "Ninguém esquece o cheiro da terra molhada no quintal.",
)
"""Said back one by one. They ask for nothing, so that none is taken for a command."""
ENROLL = "EnrollVoice"
LEAST_SENTENCE_S = 1.2
"""Speech that a sentence must hold; the sentences above take some 3 s."""
SAME_VOICE = 0.25
"""A sentence that is less like the others than this was said by somebody else, or drowned in noise."""
APART = 0.2
"""Two groups of sentences whose likeness, by the median, is less than this were said by two people."""
LEAST_OWN = 0.4
"""Sentences that are less alike than this, on average, make no voiceprint: nobody would be told from anybody."""

GOES_ON = timedelta(seconds=60)

ROOMS, HALLS = 2, 3
"""So many invented rooms of either kind each sentence is also heard in; see `taught_by`."""
NOISE_DB, FAR_NOISE_DB = 20, 25
"""How far below the voice the noise lies that is added, here and in invented rooms."""

Unfit = Literal["short", "another"]


@dataclass(frozen=True, slots=True)
class Taught:
    """What one sentence teaches: the voice `near` the microphone, and as it would sound `far` away, in other rooms."""

    near: Vector
    far: Vector


@dataclass(slots=True)
class Lesson:
    """Sentences of one person on the way to a voiceprint. `by` is who began it, None for a voice that nobody knows."""

    by: UUID | None = None
    consented_in: UUID | None = None
    """The message in which they allowed it."""
    id: UUID = field(default_factory=uuid4)
    asked: Plan | None = None
    unfit: int = 0
    vectors: list[Vector] = field(default_factory=list)
    far: list[Vector] = field(default_factory=list)
    seconds: float = 0.0

    def add(self, taught: Taught | None, speech_s: float) -> Unfit | None:
        """Take a sentence; None when it will do, else why not: too little speech, or a voice unlike the others."""
        if taught is None or speech_s < LEAST_SENTENCE_S:
            return "short"
        if self.vectors and float(taught.near @ unit(sum(self.vectors, start=taught.near * 0))) < SAME_VOICE:
            return "another"
        self.vectors.append(taught.near)
        self.far.append(taught.far)
        self.seconds += speech_s
        return None

    @property
    def whole(self) -> bool:
        """Tell whether every sentence was said."""
        return len(self.vectors) >= len(SENTENCES)

    @property
    def own(self) -> float:
        """How alike the sentences are; see LEAST_OWN."""
        return centre(self.vectors)[1]


async def taught_by(encoder: SpeakerEncoder, utterance: Utterance) -> Taught | None:
    """Return what a sentence teaches, None where there is too little speech in it. Raises EngineFailed.

    It counts as it was said, with noise, and cut short; and apart from these as it would sound in invented rooms. One
    vector of all of it was tried, and lost near the microphone what it won far away (docs/decisions/voices.md).
    """
    plain = await encoder.embed(utterance)
    if plain is None:
        return None
    near, far = await asyncio.to_thread(_varied, utterance)
    return Taught(await _mean(encoder, near, plain), await _mean(encoder, far, plain * 0))


async def _mean(encoder: SpeakerEncoder, sounds: Sequence[Sound], start: Vector) -> Vector:
    said = [Utterance((np.clip(each, -1, 1) * 32767).astype("<i2").tobytes(), 0) for each in sounds]
    vectors = [await encoder.embed(each) for each in said]
    return unit(sum((vector for vector in vectors if vector is not None), start=start))


def _varied(utterance: Utterance) -> tuple[list[Sound], list[Sound]]:
    """Return the sentence as it is varied near the microphone, and in rooms: the same way for the same sentence."""
    rng = np.random.default_rng(20)
    pcm = utterance.pcm[: len(utterance.pcm) // SAMPLE_BYTES * SAMPLE_BYTES]
    sound = np.frombuffer(pcm, "<i2").astype(np.float32) / np.float32(32768)
    loudest = np.abs(sound).max()
    far = [_noisy(rng, room(rng, sound) * loudest, FAR_NOISE_DB) for _ in range(HALLS)]
    far += [_noisy(rng, heard_in(sound, each), FAR_NOISE_DB) for each in invented()]
    return [_noisy(rng, sound, NOISE_DB), sound[: len(sound) // 2]], far


@cache
def invented() -> tuple[NDArray[np.float64], ...]:
    """Return the rooms in which everybody is taught."""
    rng = np.random.default_rng(21)
    return tuple(response(some_box(rng)) for _ in range(ROOMS))


def _noisy(rng: np.random.Generator, sound: Sound, below_db: float) -> Sound:
    return np.asarray(sound + noise(rng, len(sound), "pink") * sound.std() * 10 ** (below_db / -20), np.float32)


class Lessons:
    """The lessons that are being given, one a room. Who speaks there meanwhile is who gives it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._given: dict[Room, tuple[Lesson, datetime]] = {}

    def begin(self, room: Room, by: UUID | None, consented_in: UUID | None) -> Lesson:
        """Begin one, in place of whatever was begun there."""
        lesson = Lesson(by, consented_in)
        self._given[room] = (lesson, self._clock.now())
        return lesson

    def going_on(self, room: Room) -> Lesson | None:
        """Return the one that is given there; one that nobody went on with is over."""
        lesson, last = self._given.get(room, (None, None))
        if lesson is None or last is None or self._clock.now() - last > GOES_ON:
            self._given.pop(room, None)
            return None
        return lesson

    def ask(self, room: Room, asked: Plan) -> None:
        """Note what is to be said back next."""
        if (lesson := self.going_on(room)) is not None:
            lesson.asked = asked
            self._given[room] = (lesson, self._clock.now())

    def end(self, room: Room) -> None:
        """End it."""
        self._given.pop(room, None)


async def keep(db: Database, vectors: Vectors, user_id: UUID, lesson: Lesson, *, model: str, now: datetime) -> None:
    """Keep a voiceprint, in place of an older one of this person. Raises LinkDown; then the older one still counts.

    The vectors that were taught have ids of their own, the one that follows has the person's.
    """
    taught, own = centre(lesson.vectors)
    before = [point for row in await voices.known(db) if row.id == user_id for point in row.points]
    near, far = uuid4(), uuid4()
    kept = {near: taught, far: unit(np.sum(lesson.far, axis=0)), user_id: taught}
    await vectors.put(COLLECTION, [Point(point, vector, user_id) for point, vector in kept.items()])
    told = {
        "model": model, "own": round(own, 3), "sentences": len(lesson.vectors),
        "seconds": round(lesson.seconds, 1), "at": now.isoformat(), "far": str(far),
    }  # fmt: skip
    await voices.teach(db, user_id, near, told)
    await vectors.remove(COLLECTION, before)


def unlike(vectors: Sequence[Vector]) -> list[int]:
    """Return which of several sentences are another person's, or drowned in noise: the fewer of two that lie apart.

    The two most different sentences gather the others around them. Of real people's sentences of 2.4 s, 3 %
    of sets are parted wrongly, and 82 to 89 % of those of two people are found.
    """
    if len(vectors) < 2:
        return []
    every = np.array(vectors)
    likeness = every @ every.T
    one, other = np.unravel_index(int(likeness.argmin()), likeness.shape)
    near = likeness[one] >= likeness[other]
    near[one], near[other] = True, False
    if float(np.median(likeness[np.ix_(near, ~near)])) >= APART:
        return []
    fewer = near if near.sum() < (~near).sum() else ~near
    return [int(number) for number in np.flatnonzero(fewer)]
