"""Home Assistant's own pt-BR sentences: `python -m tests.bench.ohf CHECKOUT`, exit status 1 below 98 %.

CHECKOUT is a copy of OHF-Voice/intents (CC BY 4.0), read and never copied from. Each of its test files gives the
things and rooms that its sentences speak of; what it leaves out is put in the speaker's room, and one thing of each
kind into another room, so that a plan that points at the wrong place does not pass. A sentence passes with the intent,
the things and the values that the file tells. Two ways of Home Assistant's have another name here: a timer that carries
a command is that command, delayed; hours, minutes and seconds are one duration.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from daemon.language.language import Language
from daemon.language.plan import Area, Heard, Household, Intent, Plan, Thing
from daemon.language.words import fold

BAR = 98.0
NOW = datetime.fromisoformat("2026-11-20T10:00:00-03:00")
SPEAKER, OTHER, UPSTAIRS = "Escritório", "Despensa", "Mezanino"
_UNITS = {"hours": 3600, "minutes": 60, "seconds": 1}
_PLACES = frozenset({"name", "area", "floor", "domain", "device_class"})
_RENAMED = {"HassLightSet": {"temperature": "color_temperature"}}
_DOMAINS = {"HassLightSet": "light", "HassFanSetSpeed": "fan", "HassClimateSetTemperature": "climate",
            "HassClimateGetTemperature": "climate", "HassVacuumStart": "vacuum", "HassVacuumCleanArea": "vacuum",
            "HassVacuumReturnToBase": "vacuum", "HassLawnMowerDock": "lawn_mower",
            "HassLawnMowerStartMowing": "lawn_mower", "HassGetWeather": "weather"}  # fmt: skip
_PLAYERS = ("HassMedia", "HassSetVolume")


class Case(NamedTuple):
    """A sentence, the house that its file describes, and what it ought to mean."""

    intent: str
    text: str
    slots: Mapping[str, Any]
    house: Household


def cases(checkout: Path) -> Iterator[Case]:
    """All pt-BR test sentences of a checkout."""
    for path in sorted((checkout / "tests" / "pt-BR").glob("*/*.yaml")):
        read = yaml.safe_load(path.read_text("utf-8"))
        for test in read["tests"]:
            slots = test.get("slots") or {}
            house = _house(path.parent.name, read, slots)
            for text in test["sentences"]:
                yield Case(path.parent.name, text, slots, house)


def _house(intent: str, read: Mapping[str, Any], slots: Mapping[str, Any]) -> Household:
    floor = slots.get("floor")
    areas = [Area(a["name"], (), a.get("floor")) for a in read.get("areas") or [] if a["name"] not in {SPEAKER, OTHER}]
    areas += [Area(UPSTAIRS, (), floor)] if floor else []
    things = [
        Thing(
            f"{entity['domain']}.known_{at}", entity["domain"], entity["name"], tuple(entity.get("aliases") or ()),
            entity.get("area") or _upstairs(floor) or SPEAKER,
            (entity.get("attributes") or {}).get("device_class"), str(entity.get("state", "off")),
        )
        for at, entity in enumerate(read.get("entities") or [])
    ]  # fmt: skip
    domain = slots.get("domain") or _DOMAINS.get(intent) or ("media_player" if intent.startswith(_PLAYERS) else None)
    if slots.get("conversation_command"):
        domain = "light"
    if slots.get("device_class") and not domain:
        domain = next((t.domain for t in things if t.device_class == slots["device_class"]), "binary_sensor")
    if domain:
        things += _fillers(domain, slots, slots.get("area") or _upstairs(floor) or SPEAKER, things)
    return Household(tuple(things), (*areas, Area(SPEAKER), Area(OTHER)))


def _upstairs(floor: str | None) -> str | None:
    return UPSTAIRS if floor else None


def _fillers(domain: str, slots: Mapping[str, Any], place: str, known: list[Thing]) -> list[Thing]:
    """One thing of the kind where it is asked for, if there is none, and one in a room that nobody speaks of."""
    device_class = slots.get("device_class")
    here = [
        t for t in known if t.domain == domain and (device_class in {None, t.device_class}) and t.area in {place, None}
    ]
    name = "Portão da garagem" if device_class == "garage" else "Peça do lugar"
    made = [] if here else [Thing(f"{domain}.here", domain, name, (), place, device_class, "off")]
    return [*made, Thing(f"{domain}.other", domain, "Peça de longe", (), OTHER, device_class, "off")]


def passes(case: Case, plan: Plan) -> bool:
    """Tell whether a plan is what the file wants of the sentence."""
    if len(plan.intents) != 1 or plan.question:
        return False
    intent, slots = plan.intents[0], dict(case.slots)
    command = slots.pop("conversation_command", None)
    if command is not None:
        return intent.name != "HassStartTimer" and intent.slots.get("delay_s") == _seconds(slots)
    if intent.name != case.intent or not _points(case, intent):
        return False
    wanted_s, started_s = _seconds(slots), _seconds(slots, "start_")
    told_s = intent.slots.get("duration_s")
    if (wanted_s and told_s != wanted_s) or (started_s and intent.slots.get("start_s", told_s) != started_s):
        return False
    names = _RENAMED.get(case.intent, {})
    rest = {k: v for k, v in slots.items() if k not in _PLACES and k.removeprefix("start_") not in _UNITS}
    named = {} if any(t.name == slots.get("name") for t in case.house.things) else {"name": slots.get("name")}
    values = {**rest, **{k: v for k, v in named.items() if v is not None and "name" in intent.slots}}
    return all(_same(value, intent.slots.get(names.get(key, key))) for key, value in values.items())


def _seconds(slots: Mapping[str, Any], prefix: str = "") -> int:
    return sum(int(slots.get(prefix + unit) or 0) * size for unit, size in _UNITS.items())


def _points(case: Case, intent: Intent) -> bool:
    """Tell whether the things meant are those that the labels allow."""
    slots = case.slots
    named = {t.id for t in case.house.things if fold(t.name) == fold(str(slots.get("name", "")))}
    if named:
        return set(intent.targets) == named or (not intent.targets and _same(slots["name"], intent.slots.get("name")))
    kind = {
        thing.id
        for thing in case.house.things
        if slots.get("domain") in {None, thing.domain} and slots.get("device_class") in {None, thing.device_class}
    }
    floor = slots.get("floor")
    places = {
        area.name for area in case.house.areas if area.name == slots.get("area") or (floor and area.floor == floor)
    }
    there = {thing.id for thing in case.house.things if thing.id in kind and thing.area in places}
    if places:
        told = intent.slots.get("area") or intent.slots.get("floor")
        if not intent.targets:
            return _same(slots.get("area") or slots["floor"], told)
        kinds = {thing.domain for thing in case.house.things if thing.id in intent.targets}
        exact = {thing.id for thing in case.house.things if thing.id in there and thing.domain in kinds}
        return len(kinds) == 1 and set(intent.targets) == exact
    return set(intent.targets) <= kind


def _same(wanted: object, got: object) -> bool:
    wanted = {"casa": "home"}.get(str(wanted), wanted)
    if isinstance(wanted, int | float) and isinstance(got, int | float):
        return abs(wanted - got) < 0.01
    said, heard = fold(str(wanted)), fold(str(got or ""))
    return said == heard or (len(heard) > 3 and heard in said) or (len(said) > 3 and said in heard)


def main() -> int:
    """Read every sentence, print the score of each intent and what was missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkout", type=Path)
    language = Language()
    right, total = Counter[str](), Counter[str]()
    for case in cases(parser.parse_args().checkout):
        plan = language.understand(Heard(case.text, NOW, SPEAKER), case.house)
        total[case.intent] += 1
        if passes(case, plan):
            right[case.intent] += 1
            continue
        got = [(i.name, *i.targets, dict(i.slots)) for i in plan.intents]
        print(f"missed: {case.intent} {case.text!r} {dict(case.slots)} -> {plan.route} {got} {plan.question or ''}")
    for intent in total:
        print(f"{intent}: {right[intent]}/{total[intent]}")
    share = 100 * sum(right.values()) / max(1, sum(total.values()))
    print(f"understood {sum(right.values())}/{sum(total.values())} ({share:.1f} %)")
    return 0 if share >= BAR else 1


if __name__ == "__main__":
    sys.exit(main())
