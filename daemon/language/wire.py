"""Plans and households as JSON, for the command line and for measuring."""

from collections.abc import Mapping
from typing import Any

from daemon.language.plan import Area, Household, Plan, Thing


def as_json(text: str, plan: Plan, ms: float) -> dict[str, Any]:
    """Return a plan as plain JSON values; `ms` is how long it took. `question` is there only when one is asked."""
    answer: dict[str, Any] = {
        "text": text,
        "route": plan.route,
        "actions": [
            {
                "intent": intent.name,
                "targets": list(intent.targets),
                "slots": {k: _plain(v) for k, v in intent.slots.items()},
            }
            for intent in plan.intents
        ],
        "confidence": plan.confidence,
        "assumed": list(plan.assumed),
        "ms": round(ms, 3),
    }
    return {**answer, "question": plan.question} if plan.question else answer


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


def household_from_json(data: Mapping[str, Any]) -> Household:
    """Return the household that a JSON file tells: `timezone`, `areas` (name, aliases), `devices` (as Thing), `people`.

    Devices of the domain `person` are people too. Raises KeyError or TypeError where the shape is another.
    """
    things = tuple(_thing(device) for device in data["devices"])
    people = [thing.name for thing in things if thing.domain == "person"]
    return Household(
        things=things,
        areas=tuple(
            Area(area["name"], tuple(area.get("aliases") or ()), area.get("floor")) for area in data.get("areas", ())
        ),
        people=tuple(dict.fromkeys([*data.get("people", ()), *people])),
        timezone=data.get("timezone") or "America/Sao_Paulo",
    )


def household_as_json(household: Household) -> dict[str, Any]:
    """Return a household in the format that `household_from_json` reads."""
    return {
        "timezone": household.timezone,
        "areas": [{"name": area.name, "aliases": list(area.aliases), "floor": area.floor} for area in household.areas],
        "devices": [
            {
                "id": thing.id, "domain": thing.domain, "name": thing.name, "aliases": list(thing.aliases),
                "area": thing.area, "device_class": thing.device_class, "state": thing.state,
                "attributes": dict(thing.attributes),
            }
            for thing in household.things
        ],
        "people": list(household.people),
    }  # fmt: skip


def _thing(device: Mapping[str, Any]) -> Thing:
    return Thing(
        id=device["id"],
        domain=device["domain"],
        name=device["name"],
        aliases=tuple(device.get("aliases") or ()),
        area=device.get("area"),
        device_class=device.get("device_class"),
        state=device.get("state"),
        attributes=dict(device.get("attributes") or {}),
    )
