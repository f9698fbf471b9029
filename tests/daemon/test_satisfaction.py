"""How well a conversation went: the formula, signal by signal, and that no word of it is kept."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.language.words import plain_words
from daemon.satisfaction import WEIGHTS, Exchange, satisfaction

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def said(*sentences: str, every_s: int = 10, **last: object) -> list[Exchange]:
    """Return exchanges one after the other; `last` are marks of the last one."""
    made = [
        Exchange(plain_words(words), NOW + timedelta(seconds=number * every_s))
        for number, words in enumerate(sentences)
    ]
    made[-1] = Exchange(made[-1].words, made[-1].at, **last)  # type: ignore[arg-type]
    return made


def judged(exchanges: list[Exchange]) -> tuple[float, dict[str, int]]:
    found = satisfaction(exchanges)
    assert found is not None
    score, told = found
    return score, told["satisfaction"]["signals"]


def test_nothing_said_has_no_score() -> None:
    assert satisfaction([]) is None


def test_a_conversation_in_which_all_went_well() -> None:
    assert judged(said("acende a luz da sala", "que horas são", "apaga a luz da cozinha")) == (1.0, {})


@pytest.mark.parametrize(
    ("exchanges", "score", "signals"),
    [
        (said("acende a luz da sala", "acende a luz da sala"), 0.65, {"repeated": 1}),
        (said("acende a luz", "não, a da cozinha"), 0.6, {"corrected": 1}),
        (said("acende a luz da sala", "eu disse a da cozinha"), 0.6, {"corrected": 1}),
        (said("acende a luz da sala", "desfaz isso", undoes=True), 0.65, {"undone": 1}),
        (said("abre o portão", not_done=True), 0.5, {"not_done": 1}),
        (said("conta uma história", outcome="model_failed"), 0.0, {"lost": 1}),
        (said("que horas são", "acende a luz", outcome="failed"), 0.3, {"lost": 1}),
        (said("conta uma história", outcome="interrupted"), 0.5, {"interrupted": 1}),
        (said("me lembra de uma coisa", asked=True), 0.7, {"asked_back": 1}),
    ],
)  # fmt: skip
def test_each_signal_costs_what_it_weighs(exchanges: list[Exchange], score: float, signals: dict[str, int]) -> None:
    assert judged(exchanges) == (score, signals)


def test_a_question_that_is_answered_with_no_is_no_correction() -> None:
    asked = Exchange(plain_words("abre o portão"), NOW, asked=True)
    answer = Exchange(plain_words("não"), NOW + timedelta(seconds=5))
    assert judged([asked, answer]) == (0.95, {"asked_back": 1})


def test_more_of_the_same_is_no_repetition() -> None:
    louder = [Exchange(plain_words("aumenta o volume"), NOW + timedelta(seconds=n), more=True) for n in range(4)]
    assert judged(louder) == (1.0, {})


def test_the_same_much_later_is_asked_anew() -> None:
    assert judged(said("que horas são", "que horas são", every_s=90)) == (1.0, {})


def test_thanks_and_abandonment_move_the_whole() -> None:
    assert judged(said("abre o portão", "acende a luz", "acende a luz", "obrigado"))[0] == 0.92
    left = said("que horas são", "que dia é hoje", "me lembra", asked=True)
    found = satisfaction(left)
    assert found is not None
    assert found[1]["satisfaction"]["abandoned"]
    assert found[0] == round((1 + 1 + 0.9) / 3 - 0.2, 2)


@given(
    st.lists(
        st.builds(
            Exchange,
            st.lists(st.sampled_from("acende apaga a luz não obrigado eu disse".split()), max_size=6).map(tuple),
            st.integers(0, 600).map(lambda s: NOW + timedelta(seconds=s)),
            st.sampled_from(["answered", "failed", "model_failed", "interrupted", "unspoken"]),
            st.booleans(), st.booleans(), st.booleans(), st.booleans(),
        ),
        min_size=1, max_size=12,
    )
)  # fmt: skip
def test_whatever_was_said_it_is_a_score_that_is_explained_and_quotes_nothing(exchanges: list[Exchange]) -> None:
    exchanges.sort(key=lambda one: one.at)
    found = satisfaction(exchanges)
    assert found is not None
    score, told = found
    assert 0 <= score <= 1
    told = told["satisfaction"]
    assert set(told["signals"]) <= set(WEIGHTS)
    assert told["exchanges"] == len(exchanges)
    assert not {"acende", "obrigado", "luz"} & set(json.dumps(told).replace('"', " ").split())
