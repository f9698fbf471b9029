"""The whole of what the rules say, as a table: every role × every intent, each kind of thing by itself."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from daemon.language.plan import Area, Household, Intent, Thing
from daemon.people.permissions import Permissions
from daemon.people.person import ROLES, Person, Role
from daemon.people.wanted import BY_DEVICE, MOVES, OF_OTHERS, TOPICS
from daemon.skills.skill import Context

HERE = "sala"
THINGS = tuple(
    Thing(f"{domain}.{name}".replace(" ", "_"), domain, name, area=HERE, device_class=kind)
    for domain, name, kind in (
        ("light", "luz", None), ("switch", "tomada", None), ("fan", "ventilador", None), ("climate", "ar", None),
        ("media_player", "som", None), ("media_player", "TV", "tv"), ("cover", "persiana", None),
        ("cover", "portão", "gate"), ("lock", "porta", None), ("alarm_control_panel", "alarme", None),
        ("valve", "registro", None), ("water_heater", "aquecedor", None), ("scene", "cinema", None),
        ("vacuum", "robô", None), ("lawn_mower", "cortador", None), ("button", "botão", None),
        ("siren", "sirene", None),
    )
)  # fmt: skip
GUARDED = Thing("light.cofre", "light", "luz do cofre", area=HERE, attributes={"guarded": True})
ONLY = {
    "HassLightSet": "light", "HassFanSetSpeed": "fan", "HassClimateSetTemperature": "climate",
    "ClimateSetMode": "climate", "AlarmArm": "alarm_control_panel", "AlarmDisarm": "alarm_control_panel",
    "PressButton": "button",
    "HassVacuumStart": "vacuum", "HassVacuumReturnToBase": "vacuum", "HassLawnMowerStartMowing": "lawn_mower",
    "HassLawnMowerDock": "lawn_mower",
}  # fmt: skip
COVERING = frozenset({"HassSetPosition", "CoverStop"})


@dataclass(frozen=True, slots=True)
class Case:
    """One line: an intent in words, and what each role may of it, in the room where they speak and elsewhere."""

    told: str
    intent: Intent
    cells: tuple[str, ...]


def circumstances(now: datetime) -> Context:
    """Return where every intent is asked for: a room with one thing of each kind."""
    return Context(now, Household((*THINGS, GUARDED), (Area(HERE), Area("cozinha"))), HERE)


def somebody(role: Role) -> Person:
    """Return a person of a role; guests and programs are nobody that is known."""
    known = role not in {"guest", "device"}
    return Person(UUID(int=1) if known else None, "Ana" if known else None, role)


def matrix(permissions: Permissions, intents: Sequence[str], now: datetime) -> list[Case]:
    """Return a line for each of the intents, by their names; several where it depends on the thing."""
    context = circumstances(now)
    return [
        Case(told, intent, tuple(_cell(permissions, intent, role, context) for role in ROLES))
        for name in sorted(set(intents))
        for told, intent in _cases(name)
    ]


def as_text(cases: Sequence[Case]) -> str:
    """Return the table as lines of plain text."""
    wide = max(len(case.told) for case in cases)
    rows = [(case.told, case.cells) for case in cases]
    lines = [
        " | ".join((told.ljust(wide), *(cell.ljust(13) for cell in cells))) for told, cells in [("", ROLES), *rows]
    ]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _cell(permissions: Permissions, intent: Intent, role: Role, context: Context) -> str:
    person = somebody(role)
    here = permissions.effect([intent], person, context)
    there = permissions.effect([intent], person, replace(context, area="cozinha"))
    return here if here == there else f"{here} here" if there == "deny" else f"{here} / {there}"


def _cases(name: str) -> Iterator[tuple[str, Intent]]:
    if name not in MOVES and name not in BY_DEVICE:
        yield name, Intent(name)
        if name in OF_OTHERS:
            yield f"{name} of somebody else", Intent(name, slots={"person": "Bia"})
        if name == "HassGetState":
            yield f"{name} who, why, when", Intent(name, slots={"asked": "who"})
        return
    for thing in THINGS:
        if _can(name, thing):
            yield (
                f"{name} {thing.name}",
                Intent(name, (thing.id,), {"temperature": 23} if "Temperature" in name else {}),
            )
    if name == "HassClimateSetTemperature":
        yield f"{name} ar 30 graus", Intent(name, ("climate.ar",), {"temperature": 30})
    if name == "HassTurnOn":
        yield f"{name} luz do cofre (guarded)", Intent(name, (GUARDED.id,))


def _can(name: str, thing: Thing) -> bool:
    if name in COVERING:
        return thing.domain == "cover"
    if TOPICS[name] == "media_player":
        return thing.domain == "media_player"
    return thing.domain == ONLY.get(name, thing.domain)
