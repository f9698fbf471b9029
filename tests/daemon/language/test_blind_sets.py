"""Sentences written before the rules that now read them, and scored once before anything was changed for them.

First scores, each after learning from the sets before: third 142 of 192 (74.0 %, 2 false actions), fourth 113 of 133
(85.0 %, 2), fifth 59 of 79 (74.7 %, 1), sixth 63 of 71 (88.7 %, 0), seventh 55 of 59 (93.2 %, 0), eighth 179 of 211
(84.8 %, 2), ninth 180 of 201 (89.6 %, 4), tenth 180 of 193 (93.3 %, 0), eleventh 150 of 172 (87.2 %, 3), twelfth 144 of
162 (88.9 %, 0), thirteenth 147 of 154 (95.5 %, 1), fourteenth 151 of 156 (96.8 %, 0). A few of the misses in each were the label's: it had left out a
value that the sentence tells, or another good reading; these labels were mended afterwards, the scores were not. The
sets guard what was learnt from them since; they say nothing of the yet unheard.
"""

import blind
import pytest


@pytest.mark.parametrize("name", blind.SETS)
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
