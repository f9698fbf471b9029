"""Reads and judges the blind sets: sentences with acceptable answers, as people might mean them."""

import json
import re
import shlex
from collections import Counter
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import NamedTuple

import yaml

from daemon.language.language import Language
from daemon.language.plan import Heard, Household, Intent, Plan
from daemon.language.wire import household_from_json
from daemon.language.words import fold

HERE = Path(__file__).parent
HARMLESS = ("HassGet", "HassNevermind", "HassRespond", "ListReminders", "ListGetItems", "ListNames", "HassTimerStatus", "HassClimateGet",
            "ShoppingListGet", "RepeatReply", "TellAboutMe")  # fmt: skip
SETS = tuple(
    f"{number}_held_out"
    for number in ("third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth".split())
)
_TEXTS = frozenset({"message", "query", "item", "search_query", "name", "area"})
_TIMES = frozenset({"when", "window", "delay_s", "rrule", "for_s", "duration_s"})
_ARTICLES = frozenset("o a os as um uma do da de dos das pra para que".split())


class Row(NamedTuple):
    """A sentence, where it is said, and the acceptable answers, each a list of actions or a route."""

    category: str
    text: str
    area: str
    now: datetime
    options: tuple[tuple[str, ...], ...]


class Verdict(NamedTuple):
    """How a sentence was taken."""

    row: Row
    plan: Plan
    right: bool
    acts_falsely: bool


@cache
def household() -> Household:
    """The large house, with people and scenes."""
    return household_from_json(json.loads((HERE / "large_household.json").read_text("utf-8")))


@cache
def rows(name: str) -> tuple[Row, ...]:
    """The rows of a blind set."""
    read = yaml.load((HERE / f"{name}.yaml").read_text("utf-8"), yaml.CSafeLoader)  # ten times as fast
    now = datetime.fromisoformat(read["now"])
    areas = sorted((area.name for area in household().areas), key=len, reverse=True)
    found = []
    for category, said, wanted in read["cases"]:
        area = next((a for a in areas if said.startswith(f"@{a} ")), None)
        text = said[len(area) + 2 :] if area else said
        options = tuple(tuple(part.strip() for part in option.split("&&")) for option in wanted.split("||"))
        found.append(Row(category, text, area or "sala", now, options))
    return tuple(found)


def judged(name: str) -> list[Verdict]:
    """Every row of a set, understood and judged."""
    house, language = household(), Language()
    verdicts = []
    for row in rows(name):
        plan = language.understand(Heard(row.text, row.now, row.area), house)
        right = any(_answers(option, plan) for option in row.options)
        verdicts.append(Verdict(row, plan, right, _acts_falsely(row, plan)))
    return verdicts


def _answers(option: tuple[str, ...], plan: Plan) -> bool:
    if option == ("llm",) or option == ("none",):
        return plan.route in {option[0], "none"} and not plan.intents and plan.question is None
    if option == ("ask",):
        return plan.question is not None and not plan.intents
    return len(option) == len(plan.intents) and all(map(_same, option, plan.intents))


def _same(wanted: str, intent: Intent) -> bool:
    name, *rest = shlex.split(wanted)
    targets = {part for part in rest if "=" not in part}
    slots = dict(part.split("=", 1) for part in rest if "=" in part)
    if intent.name != name or (targets and targets != set(intent.targets)):
        return False
    too_many = (_TIMES & intent.slots.keys()) - slots.keys()
    if too_many and name != "SnoozeReminder" and not (too_many == {"when"} and {"window", "rrule"} & slots.keys()):
        return False
    return all(_holds(key, value, intent) for key, value in slots.items())


def _holds(key: str, value: str, intent: Intent) -> bool:
    got = intent.slots.get("when" if key == "window" else key)
    if key == "window":
        low, high = (datetime.fromisoformat(part) for part in value.split(".."))
        at = datetime.fromisoformat(str(got)) if got else None
        at = at if at is None or at.tzinfo else at.replace(tzinfo=low.tzinfo)  # a day alone begins at its midnight
        return at is not None and low <= at <= high
    if key == "when" and re.fullmatch(r"\d{4}-\d\d-\d\d", value):
        return got is not None and datetime.fromisoformat(str(got)).date() == date.fromisoformat(value)
    if key == "rrule":
        return _parts(value) == _parts(got)
    if key == "items":
        return isinstance(got, list | tuple) and sorted(map(_plain, got)) == sorted(map(_plain, value.split(",")))
    if key in _TEXTS:
        said, meant = _plain(got or ""), _plain(value)
        return bool(said) and (meant in said or said in meant)
    return str(got) == value


def _parts(rule: object) -> set[str]:
    return {part for part in str(rule or "").split(";") if not part.startswith(("BYHOUR", "BYMINUTE"))}


def _plain(text: object) -> str:
    words = re.sub(r"[^\w ]", " ", fold(str(text))).split()
    while len(words) > 1 and words[0] in _ARTICLES:
        words.pop(0)
    return " ".join(words)


def _acts_falsely(row: Row, plan: Plan) -> bool:
    """Tell whether something would be done that no acceptable answer does: another intent, or other things."""
    if plan.question:
        return False
    wanted = [shlex.split(part) for option in row.options for part in option]
    for intent in plan.intents:
        allowed = [set(parts[1:]) for parts in wanted if parts[0] == intent.name]
        told = [{part for part in parts if "=" not in part} for parts in allowed]
        fits = any(not targets or set(intent.targets) <= targets for targets in told)
        if not intent.name.startswith(HARMLESS) and not fits:
            return True
    return False


def report(name: str) -> None:
    """Print the score of a set, a line a category, and what was missed."""
    verdicts = judged(name)
    total, right = Counter(v.row.category for v in verdicts), Counter(v.row.category for v in verdicts if v.right)
    for verdict in verdicts:
        if not verdict.right:
            mark = "FALSE ACTION" if verdict.acts_falsely else "missed"
            got = [(i.name, *i.targets, dict(i.slots)) for i in verdict.plan.intents]
            print(f"{mark}: {verdict.row.text!r} -> {verdict.plan.route} {got} {verdict.plan.question or ''}")
    for category in total:
        print(f"{category}: {right[category]}/{total[category]}")
    false = sum(v.acts_falsely for v in verdicts)
    print(f"understood {sum(right.values())}/{len(verdicts)} ({100 * sum(right.values()) / len(verdicts):.1f} %),"
          f" false actions {false}")  # fmt: skip
