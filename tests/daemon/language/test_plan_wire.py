"""Plans and households as JSON."""

import json

import pytest
from golden import HERE, cases, household

from daemon.language.language import Language
from daemon.language.plan import NOTHING
from daemon.language.wire import as_json, household_as_json, household_from_json


def test_a_plan() -> None:
    case = cases("lamps.yaml")[0]
    answer = as_json(case.text, Language().understand(case.heard, household()), 0.12345)
    assert json.loads(json.dumps(answer)) == {
        "text": "acende a luz da sala",
        "route": "skill",
        "actions": [{"intent": "HassTurnOn", "targets": ["light.sala"], "slots": {"name": "luz da sala"}}],
        "confidence": 1.0,
        "assumed": [],
        "ms": 0.123,
    }
    assert as_json("", NOTHING, 0.0)["actions"] == []


def test_lists_in_slots_are_lists() -> None:
    plan = Language().understand(next(c for c in cases("asking.yaml") if "arroz" in c.text).heard, household())
    assert as_json("", plan, 0)["actions"][0]["slots"]["items"] == ["arroz", "feijão", "óleo"]


def test_a_household_goes_and_comes_back() -> None:
    data = json.loads((HERE / "household.json").read_text("utf-8"))
    house = household_from_json(data)
    assert house.people == ("Bia",)
    assert household_from_json(json.loads(json.dumps(household_as_json(house)))) == house


@pytest.mark.parametrize("data", [{}, {"devices": [{}]}, {"devices": 3}])
def test_another_shape_is_an_error(data: dict[str, object]) -> None:
    with pytest.raises((KeyError, TypeError)):
        household_from_json(data)
