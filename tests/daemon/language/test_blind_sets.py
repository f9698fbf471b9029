"""Sentences written before the rules that now read them, and scored once before anything was changed for them.

First scores: third set 142 of 192 (74.0 %) with 2 false actions; fourth set, after learning from the third, 113 of 133
(85.0 %) with 2 false actions. They guard what was learnt from them since; they say nothing of sentences yet unheard.
"""

import blind
import pytest


@pytest.mark.parametrize("name", ["third_held_out", "fourth_held_out"])
def test_blind_set(name: str) -> None:
    verdicts = blind.judged(name)
    assert not [verdict.row.text for verdict in verdicts if verdict.acts_falsely]
    missed = [verdict.row.text for verdict in verdicts if not verdict.right]
    assert len(missed) <= 0.04 * len(verdicts), missed


def test_the_judge_can_fail() -> None:
    row = blind.rows("third_held_out")[0]
    wrong = row._replace(options=(("HassTurnOff light.varanda",),))
    verdict = next(v for v in blind.judged("third_held_out") if v.row == row)
    assert verdict.right
    assert not any(blind._answers(option, verdict.plan) for option in wrong.options)
    assert blind._acts_falsely(wrong, verdict.plan)
