"""What is known of a person's voice, and how alike is alike enough. Pure arithmetic over unit vectors.

A voice is somebody's when it is nearer to theirs than their threshold, and clearly nearer than to anybody else's; else
it is nobody's. It is as near as it comes to the voice as it was taught, or, less FAR_BY, to what that voice would be in
other rooms. The threshold is each person's own: at least the household's, more for one whose sentences were all very
alike, more where another of the house sounds alike. Short speech scores lower for everybody, so it needs less; below
LEAST_S it tells nobody.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import exp
from typing import Protocol
from uuid import UUID

import numpy as np
import numpy.typing as npt

from daemon.audio.frames import Utterance
from daemon.language.plan import Plan
from daemon.memory.vectors import CollectionName
from daemon.people.person import Person

Vector = npt.NDArray[np.float32]
COLLECTION: CollectionName = "voices"
"""Where voiceprints lie in the store of vectors."""

LEAST_S = 0.8
"""Speech (as the voice detector counts it) that is shorter tells nobody; measured with `make bench-voices`."""
FULL_S, SHORTER_BY = 2.0, 0.06
"""Below FULL_S of speech the threshold falls, by SHORTER_BY for each second less: scores of all voices do."""
FAR_BY = 0.06
"""By so much strangers in a room are nearer to the voice of a room than strangers nearby to a voice nearby."""
MARGIN = 0.05
"""So much nearer than the second nearest a voice must be."""
BELOW_OWN, AT_MOST = 0.2, 0.6
"""A person's threshold rises to BELOW_OWN under what their own sentences score, but no higher than AT_MOST."""
SURE_AT_MOST = 0.7
"""The same for what is surely theirs."""
ABOVE_OTHERS = 0.02
ALIKE_STEP = 0.04
"""The scale of certainty: that much above the threshold it is e times as likely."""
LEEWAY, ANSWER_S = 0.25, 1.2
"""So much less is enough for the one whom the house has just asked, and who answers in a word ("sim")."""
FOLLOW_ABOVE, FOLLOW_MARGIN, FOLLOW_S = 0.12, 0.2, 1.5
FOLLOW_BY, FOLLOW_NEAR = 0.05, 0.85
"""A voiceprint follows by so much of what is new, while its likeness to the voice that was taught is at least NEAR."""


@dataclass(frozen=True, slots=True)
class Voiceprint:
    """One person's voice: as it was taught, as it is now, and as it would be in other rooms (`far`).

    `own` is how their taught sentences score, on average.
    """

    person: Person
    taught: Vector
    now: Vector
    far: Vector
    own: float
    threshold: float = 1.0

    @property
    def sure_from(self) -> float:
        """Return the score from which on a sentence speaks for it being surely them; see `trust.py`."""
        return max(self.threshold, min(self.own - BELOW_OWN, SURE_AT_MOST))

    def likeness(self, vector: Vector) -> float:
        """Return how near a voice is to this one, at most 1."""
        return max(float(self.now @ vector), float(self.far @ vector) - FAR_BY)


@dataclass(frozen=True, slots=True)
class Heard:
    """Whose voice it is. `vector` is the utterance's, `score` its likeness, `margin` how far behind the next one is.

    `spare` is how far the score lies above `sure_from`, at this length. An `answer` was taken for theirs only because
    they were just asked. `proved`: only a spoken code makes them sure, and the voice itself does not.
    """

    person: Person
    vector: Vector
    score: float
    margin: float
    speech_s: float
    spare: float = 0.0
    answer: bool = False
    proved: bool = False


Room = tuple[str, str | None]
"""A sound source and its room."""


class Voices(Protocol):
    """Who knows the household's voices."""

    async def identify(self, utterance: Utterance, room: Room, asked: UUID | None = None) -> Heard | None:
        """Return whose voice it is, None where it is nobody's that is known. Never raises.

        `asked` is who was just asked a question there: a word is enough to tell that they answer it.
        """
        ...

    def asks(self, room: Room) -> Plan | None:
        """Return what was asked to be said back there, where somebody is teaching their voice."""
        ...

    def took(self, room: Room, plan: Plan, heard: Heard | None) -> None:
        """Note a turn that was taken, and learn a little from its voice, if it was somebody's. Never waits."""
        ...


class Nobody:
    """Voices of a house that knows nobody's."""

    async def identify(self, utterance: Utterance, room: Room, asked: UUID | None = None) -> None:
        """Know nobody."""

    def asks(self, room: Room) -> None:
        """Ask nothing."""

    def took(self, room: Room, plan: Plan, heard: Heard | None) -> None:
        """Learn nothing."""


def calibrated(prints: Sequence[Voiceprint], least: float) -> tuple[Voiceprint, ...]:
    """Return the prints with each one's own threshold; `least` is the household's."""
    return tuple(replace(one, threshold=_threshold(one, prints, least)) for one in prints)


def _threshold(one: Voiceprint, prints: Sequence[Voiceprint], least: float) -> float:
    others = max((float(one.now @ other.now) for other in prints if other.person.id != one.person.id), default=-1.0)
    wanted = max(least, min(one.own - BELOW_OWN, AT_MOST), others + ABOVE_OTHERS)
    return min(wanted, max(one.own - MARGIN, least))


def alike(prints: Sequence[Voiceprint]) -> list[tuple[Voiceprint, Voiceprint]]:
    """Return the pairs of people whose voices the house will mistake: as alike as one's own sentences are."""
    return [
        (one, other)
        for number, one in enumerate(prints)
        for other in prints[number + 1 :]
        if float(one.taught @ other.taught) > min(one.own, other.own) - MARGIN
    ]


def needed(threshold: float, speech_s: float) -> float:
    """Return what a voice must score to be somebody's, given how much of it there is."""
    return threshold - SHORTER_BY * max(0.0, FULL_S - speech_s)


def whose(prints: Sequence[Voiceprint], vector: Vector, speech_s: float, asked: UUID | None = None) -> Heard | None:
    """Return whose voice this is, None where it is nobody's."""
    scores = sorted(((one.likeness(vector), one) for one in prints), key=lambda pair: pair[0], reverse=True)
    if not scores:
        return None
    (score, best), second = scores[0], scores[1][0] if len(scores) > 1 else -1.0
    limit = needed(best.threshold, speech_s)
    alone = speech_s >= LEAST_S and score >= limit
    if asked is not None and best.person.id == asked:
        limit -= LEEWAY
    elif not alone:
        return None
    if score < limit or score - second < MARGIN:
        return None
    spare = score - needed(best.sure_from, speech_s)
    certainty = 1 / (1 + exp((limit - score) / ALIKE_STEP))
    return Heard(replace(best.person, certainty=certainty), vector, score, score - second, speech_s, spare, not alone)


def followed(one: Voiceprint, heard: Heard) -> Voiceprint | None:
    """Return the print moved a little towards what was heard; None where that is not surely them, or is too far."""
    sure = heard.score >= one.threshold + FOLLOW_ABOVE and heard.margin >= FOLLOW_MARGIN and heard.speech_s >= FOLLOW_S
    if not sure:
        return None
    moved = unit((1 - FOLLOW_BY) * one.now + FOLLOW_BY * heard.vector)
    return replace(one, now=moved) if float(moved @ one.taught) >= FOLLOW_NEAR else None


def centre(vectors: Sequence[Vector]) -> tuple[Vector, float]:
    """Return the direction of the mean of several sentences, and how each scores, on average, against the others'."""
    whole = np.sum(vectors, axis=0)
    own = [float(vector @ unit(whole - vector)) for vector in vectors]
    return unit(whole), float(np.mean(own))


def unit(vector: npt.NDArray[np.floating]) -> Vector:
    """Return the vector with length 1."""
    return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-9), np.float32)
