"""Reads the golden files: a sentence and what must come of it, in a line."""

import json
import shlex
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from daemon.language.plan import Heard, Household, Intent, Plan
from daemon.language.wire import household_from_json

HERE = Path(__file__).parent


class Case(NamedTuple):
    """One sentence, where and when it is heard, and the expected outcome as written."""

    text: str
    area: str
    now: datetime
    wanted: tuple[str, ...]

    @property
    def heard(self) -> Heard:
        return Heard(self.text, self.now, self.area)


def household() -> Household:
    """The small house of these tests."""
    return household_from_json(json.loads((HERE / "household.json").read_text("utf-8")))


def cases(name: str) -> list[Case]:
    """The cases of a golden file."""
    rows = yaml.load((HERE / "golden_files" / name).read_text("utf-8"), yaml.CSafeLoader)  # ten times as fast
    now = datetime.fromisoformat(rows["now"])
    found = []
    for sentence, *wanted in rows["cases"]:
        area, text = "sala", sentence
        if text.startswith("@"):
            area, text = next((a.name, text[len(a.name) + 2 :]) for a in _areas() if text.startswith(f"@{a.name} "))
        found.append(Case(text, area, now, tuple(wanted)))
    return found


def _areas() -> list[Any]:
    return sorted(household().areas, key=lambda area: -len(area.name))


def wrong(case: Case, plan: Plan) -> str | None:
    """Say what is wrong with the plan, or None."""
    if case.wanted[0] in {"llm", "none"}:
        good = plan.route == case.wanted[0] and not plan.intents and plan.question is None
        return None if good else f"{case.text!r}: {plan}"
    if case.wanted[0] in {"ask_or_llm", "llm_or_question"}:
        good = plan.question is not None or (plan.route == "llm" and not plan.intents)
        return None if good else f"{case.text!r}: {plan}"
    if case.wanted[0] == "ask":
        return None if plan.question and not plan.intents else f"{case.text!r}: {plan}"
    if len(plan.intents) != len(case.wanted):
        return f"{case.text!r}: {plan}"
    for intent, wanted in zip(plan.intents, case.wanted, strict=True):
        missing = _difference(intent, wanted)
        if missing:
            return f"{case.text!r}: {missing}: {plan}"
    return None


def acts_falsely(case: Case, plan: Plan) -> bool:
    """Tell whether the plan would do something to a thing or a reminder that the case does not ask for."""
    asked = {part for wanted in case.wanted for part in shlex.split(wanted)}
    harmless = (
        "HassGet",
        "HassNevermind",
        "HassRespond",
        "ListReminders",
        "ListGetItems",
        "ListNames",
        "ListRoutines",
        "RepeatReply",
        "TellAboutMe",
        "HassTimerStatus",
        "HassClimateGet",
    )
    return (
        any(
            (intent.name not in asked or not set(intent.targets) <= asked)
            for intent in plan.intents
            if not intent.name.startswith(harmless)
        )
        and not plan.question
    )


def _difference(intent: Intent, wanted: str) -> str | None:
    name, *rest = shlex.split(wanted)
    targets = {part for part in rest if "=" not in part}
    slots = dict(part.split("=", 1) for part in rest if "=" in part)
    if intent.name != name:
        return f"not {name}"
    if targets != set(intent.targets) and (targets or "domain" not in slots):
        return f"targets {sorted(targets)}"
    for key, value in slots.items():
        if str(intent.slots.get(key)) != value:
            return f"slot {key} is {intent.slots.get(key)!r}, not {value!r}"
    loose = {"when", "delay_s", "rrule", "for_s", "duration_s", "brightness"} & intent.slots.keys()
    return f"slots too many: {loose - slots.keys()}" if loose - slots.keys() else None
