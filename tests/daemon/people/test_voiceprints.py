"""Whose voice it is, by arithmetic alone: thresholds, margins, short speech, and voices that change."""

from dataclasses import replace
from uuid import uuid4

import numpy as np
import pytest

from daemon.people.person import Person
from daemon.people.voices.enrolment import Lesson, Taught, unlike
from daemon.people.voices.voiceprint import (
    FAR_BY,
    FOLLOW_NEAR,
    Heard,
    Vector,
    Voiceprint,
    alike,
    calibrated,
    centre,
    followed,
    needed,
    unit,
    whose,
)

LEAST = 0.55  # any household's
AXES = np.eye(8, dtype=np.float32)
ANA, BIA = Person(uuid4(), "Ana", "administrator"), Person(uuid4(), "Bia", "child")


def at(likeness: float, axis: int = 0, towards: int = 7) -> Vector:
    """Return a vector of this likeness to an axis."""
    return unit(likeness * AXES[axis] + np.sqrt(1 - likeness**2) * AXES[towards])


def house(own: float = 0.7) -> tuple[Voiceprint, ...]:
    prints = [Voiceprint(person, AXES[axis], AXES[axis], AXES[axis], own) for axis, person in enumerate((ANA, BIA))]
    return calibrated(prints, LEAST)


def told(likeness: float, speech_s: float = 3.0, **how: object) -> str | None:
    found = whose(house(), at(likeness), speech_s, **how)  # type: ignore[arg-type]
    return found.person.name if found else None


def said(vector: Vector) -> Taught:
    return Taught(vector, vector)


def test_a_voice_is_somebodys_from_their_threshold_on() -> None:
    assert told(0.56) == "Ana"
    assert told(0.54) is None
    assert told(-0.9) is None


def test_in_a_house_that_knows_nobody_it_is_nobodys() -> None:
    assert whose((), AXES[0], 3.0) is None


def test_between_two_it_is_nobodys() -> None:
    both = unit(AXES[0] + 0.97 * AXES[1])
    assert float(both @ AXES[0]) > LEAST
    assert whose(house(), both, 3.0) is None


def test_short_speech_needs_less_and_too_short_speech_tells_nobody() -> None:
    assert told(0.5) is None
    assert told(0.5, 1.0) == "Ana"
    assert told(0.99, 0.7) is None


def test_who_was_just_asked_may_answer_in_a_word_and_nobody_else() -> None:
    assert told(0.4, 0.4, asked=ANA.id) == "Ana"
    assert told(0.99, 0.4, asked=BIA.id) is None
    assert told(0.1, 0.4, asked=ANA.id) is None


def test_a_voice_is_known_in_another_room_by_what_it_would_be_there() -> None:
    [ana] = calibrated([replace(house()[0], far=AXES[5])], LEAST)
    assert ana.likeness(AXES[5]) == pytest.approx(1 - FAR_BY)
    assert whose([ana], at(0.6, 5), 3.0) is None
    assert (heard := whose([ana], at(0.64, 5), 3.0)) is not None
    assert heard.person.name == "Ana"


def test_what_a_voice_spares_is_told_without_the_leeway_of_an_answer() -> None:
    spared = [whose(house(), at(likeness), 3.0) for likeness in (0.56, 0.8)]
    assert [(round(one.spare, 2), one.answer) for one in spared if one is not None] == [(0.01, False), (0.25, False)]
    answers = [whose(house(), at(likeness), 0.4, asked=ANA.id) for likeness in (0.4, 0.9)]
    assert [one.answer for one in answers if one is not None] == [True, True]


def test_whose_sentences_are_all_alike_has_to_be_nearer_to_be_sure() -> None:
    [ana] = calibrated([replace(house()[0], own=0.9)], LEAST)
    assert [ana.threshold, ana.sure_from] == pytest.approx([0.6, 0.7])
    [bia] = calibrated([replace(house()[1], own=0.99)], LEAST)
    assert bia.sure_from == pytest.approx(0.7)


def test_certainty_grows_with_likeness() -> None:
    sure = [whose(house(), at(likeness), 3.0) for likeness in (0.551, 0.6, 0.75)]
    certainties = [one.person.certainty for one in sure if one is not None]
    assert certainties == sorted(certainties)
    assert certainties[0] == pytest.approx(0.5, abs=0.02)
    assert certainties[-1] > 0.98


def test_a_threshold_is_each_ones_own() -> None:
    assert [one.threshold for one in house(own=0.7)] == [LEAST, LEAST]
    assert [one.threshold for one in house(own=0.78)] == [pytest.approx(0.58)] * 2
    assert [one.threshold for one in house(own=0.95)] == [pytest.approx(0.6)] * 2
    assert [one.threshold for one in house(own=0.45)] == [LEAST, LEAST]  # never below the household's


def test_people_who_sound_alike_need_more_and_are_told_to() -> None:
    near = Voiceprint(BIA, at(0.62, 0, 1), at(0.62, 0, 1), AXES[2], 0.8)
    ana, bia = calibrated([replace(house()[0], own=0.8), near], LEAST)
    assert ana.threshold == bia.threshold == pytest.approx(0.64)
    assert alike([ana, bia]) == []
    twins = [ana, replace(near, taught=at(0.9, 0, 1))]
    assert alike(twins) == [(twins[0], twins[1])]


def test_speech_below_two_seconds_needs_a_little_less() -> None:
    assert needed(0.55, 3.0) == needed(0.55, 2.0) == 0.55
    assert needed(0.55, 1.0) == pytest.approx(0.49)


class TestFollowing:
    def heard(self, likeness: float = 0.75, margin: float = 0.5, speech_s: float = 3.0) -> Heard:
        return Heard(ANA, at(likeness), likeness, margin, speech_s)

    def test_a_sure_match_moves_the_print_a_little(self) -> None:
        moved = followed(house()[0], self.heard())
        assert moved is not None
        assert 0.99 < float(moved.now @ AXES[0]) < 1
        assert float(moved.now @ at(0.75)) > 0.75
        assert np.array_equal(moved.taught, AXES[0])

    @pytest.mark.parametrize(
        "unsure", [{"likeness": 0.6}, {"margin": 0.1}, {"speech_s": 1.0}], ids=["unlike", "near another", "short"]
    )
    def test_an_unsure_one_does_not(self, unsure: dict[str, float]) -> None:
        assert followed(house()[0], self.heard(**unsure)) is None

    def test_it_never_goes_far_from_what_was_taught(self) -> None:
        one = house()[0]
        for _ in range(500):
            heard = Heard(ANA, at(0.5), 0.9, 0.5, 3.0)  # always to the same side, however alike it is said to be
            one = followed(one, heard) or one
        assert float(one.now @ one.taught) >= FOLLOW_NEAR


class TestLesson:
    def test_too_little_speech_and_another_voice_are_told(self) -> None:
        lesson = Lesson()
        assert lesson.add(None, 3.0) == "short"
        assert lesson.add(said(AXES[0]), 0.5) == "short"
        assert lesson.add(said(AXES[0]), 2.0) is None
        assert lesson.add(said(AXES[1]), 2.0) == "another"
        assert [lesson.add(said(at(0.8, 0, towards)), 2.0) for towards in (2, 3, 4, 5)] == [None] * 4
        assert lesson.whole
        assert lesson.seconds == 10.0

    def test_what_is_unlike_the_rest_is_found(self) -> None:
        assert unlike([AXES[0]]) == []
        assert unlike([at(0.8, 0, 2), AXES[3], at(0.8, 0, 4), at(0.8, 0, 5)]) == [1]

    def test_the_middle_of_sentences_and_how_alike_they_are(self) -> None:
        middle, own = centre([at(0.9, 0, 2), at(0.9, 0, 3), at(0.9, 0, 4)])
        assert float(middle @ AXES[0]) > 0.95
        assert 0.8 < own < 0.95
