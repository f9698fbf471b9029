"""Golden sentences: every one comes out as written, and none does what nobody asked for."""

import pytest
from golden import Case, acts_falsely, cases, household, wrong

from daemon.language.language import Language

FILES = ("lamps", "things", "reminders", "remembering", "lists", "asking", "not_for_me", "ledger", "privacy", "talking")
HELD_OUT = ("held_out", "second_held_out")
HOUSE = household()
LANGUAGE = Language(HOUSE)


@pytest.mark.parametrize("case", [case for name in FILES for case in cases(f"{name}.yaml")], ids=lambda case: case.text)
def test_sentence(case: Case) -> None:
    assert wrong(case, LANGUAGE.understand(case.heard)) is None


@pytest.mark.parametrize("name", HELD_OUT)
def test_sentences_that_were_not_tuned_to(name: str) -> None:
    plans = [(case, LANGUAGE.understand(case.heard, HOUSE)) for case in cases(f"{name}.yaml")]
    missed = [why for case, plan in plans if (why := wrong(case, plan))]
    assert not [case.text for case, plan in plans if acts_falsely(case, plan)]
    assert len(missed) <= 0.08 * len(plans), missed


def test_the_judge_can_fail() -> None:
    case = cases("lamps.yaml")[0]
    other = LANGUAGE.understand(cases("lamps.yaml")[2 + 1].heard)
    assert wrong(case, other) is not None
    assert acts_falsely(case, other)


@pytest.mark.parametrize(
    "case", [case for name in FILES for case in cases(f"{name}.yaml")][::3], ids=lambda case: case.text
)
def test_capitals_and_missing_accents_change_nothing_that_is_done(case: Case) -> None:
    """A sentence without accents may be less clear, but never does another thing."""
    flat = case.heard.text.translate(str.maketrans("áàâãéêíóôõúç", "aaaaeeiooouc"))
    plan = LANGUAGE.understand(case._replace(text=flat.upper()).heard)
    before = LANGUAGE.understand(case.heard)
    acted = {(intent.name, intent.targets) for intent in plan.intents}
    assert acted <= {(intent.name, intent.targets) for intent in before.intents} or plan.question or not acted
