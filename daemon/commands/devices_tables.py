"""How `mordomo devices` shows devices: tables for people, plain values for programs."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from rich.console import Group
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from db.devices import EntityRow
    from db.entity_states import Change

STATES = {
    "on": "ligado", "off": "desligado", "open": "aberto", "closed": "fechado", "opening": "abrindo",
    "closing": "fechando", "locked": "trancado", "unlocked": "destrancado", "cool": "resfriando", "heat": "aquecendo",
    "unavailable": "fora do ar",
}  # fmt: skip
CAUSES = {"mordomo": "Mordomo", "house": "alguém na casa", "unknown": "já estava"}
STATELESS = frozenset({"scene", "button"})
MEASURING = frozenset({"sensor", "binary_sensor", "event"})
"""Components that nobody moves, so that nobody is the cause of what they tell."""
READINGS = {
    "brightness_pct": "brilho {}%", "current_position": "aberto {}%", "percentage": "velocidade {}%",
    "temperature": "pede {} °C", "current_temperature": "mede {} °C",
}  # fmt: skip


def device_table(rows: Sequence["EntityRow"], zone: ZoneInfo) -> Table:
    """Return the devices as a table, as they come."""
    table = Table(
        "cômodo", "aparelho", "nome", "estado", "desde", "por", box=None, header_style="dim", padding=(0, 2, 0, 0)
    )
    for row in rows:
        style = "dim" if row.hidden or row.removed_at else None
        table.add_row(
            plain(row.area or row.suggested_area or "—"), plain(row.entity_id), name(row), state(row),
            Text(when(row.changed_at, zone)), _cause_of(row, row.cause if row.changed_at else None), style=style,
        )  # fmt: skip
    return table


def one_device(row: "EntityRow", changes: Sequence["Change"], zone: ZoneInfo) -> Group:
    """Return all that is known of one device."""
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    by_hand = "acertado pela casa"
    facts: list[tuple[str, Text | str | None]] = [
        ("aparelho", plain(row.entity_id)),
        ("nome", name(row)),
        ("anuncia-se como", row.announced if row.given_name else None),
        ("apelidos", ", ".join(row.aliases) or None),
        ("cômodo", f"{row.area} ({by_hand})" if row.area else row.suggested_area),
        ("estado", state(row)),
        ("desde", when(row.changed_at, zone) or None),
        ("por", _cause_of(row, row.cause if row.changed_at else None) or None),
        ("escondido", "sim" if row.hidden else None),
        ("pergunta antes", {True: "sempre", False: "nunca", None: None}[row.guarded]),
        ("fabricante", " ".join(filter(None, (row.maker, row.model))) or None),
        ("parte de", row.device),
        ("anunciado por", row.origin),
        ("anúncio", row.source),
        ("visto desde", when(row.first_seen_at, zone)),
        ("saiu em", when(row.removed_at, zone) or None),
        ("defeito", Text(row.fault, "red") if row.fault else None),
    ]
    for what, fact in facts:
        if fact is not None:
            table.add_row(Text(what, "dim"), plain(fact) if isinstance(fact, str) else fact)
    if not changes:
        return Group(table)
    past = Table("quando", "ficou", "por", "a pedido", box=None, header_style="dim", padding=(0, 2, 0, 0))
    for change in changes:
        asked = f"{change.person or 'alguém'}: “{change.said}”" if change.said else ""
        past.add_row(
            when(change.at, zone), plain(_measured(change.state, row.unit)), _cause_of(row, change.cause), plain(asked)
        )
    return Group(table, "", past)


def _cause_of(row: "EntityRow", cause: str | None) -> str:
    return "" if row.component in MEASURING else CAUSES.get(cause or "", "")


def name(row: "EntityRow") -> Text:
    """Return what a device goes by, with its marks."""
    marks = "".join(mark for mark, on in ((" ★", row.favourite), (" (escondido)", row.hidden)) if on)
    return plain(row.name or row.entity_id).append(marks, "dim")


def state(row: "EntityRow") -> Text:
    """Return how a device is, in words."""
    if row.removed_at:
        return Text("saiu", "dim")
    if row.available is False:
        return Text("fora do ar", "red")
    if row.state is None and row.component in STATELESS:
        return Text("—", "dim")
    readings = [words.format(row.attributes[key]) for key, words in READINGS.items() if key in row.attributes]
    said = plain(", ".join([_measured(row.state, row.unit), *readings]))
    said.stylize("bold green" if row.state in {"on", "open", "unlocked"} else "")
    return said


def _measured(state: str | None, unit: str | None) -> str:
    return f"{state.replace('.', ',')} {unit}" if state is not None and unit else _state_word(state)


def _state_word(state: str | None) -> str:
    return "não se sabe" if state is None else STATES.get(state, state)


def when(at: datetime | None, zone: ZoneInfo) -> str:
    """Return a moment by the household's clock; empty where there is none."""
    return "" if at is None else f"{at.astimezone(zone):%d/%m %H:%M:%S}"


def plain(text: str) -> Text:
    """Return a text from outside without what a terminal would obey."""
    return Text("".join(mark if mark.isprintable() else " " for mark in text))


def as_json(row: "EntityRow", zone: ZoneInfo) -> dict[str, Any]:
    """Return a device as JSON holds it, with the household's times."""
    return {key: _told(value, zone) for key, value in asdict(row).items()}


def change_as_json(change: "Change", zone: ZoneInfo) -> dict[str, Any]:
    """Return a change as JSON holds it, with the household's times."""
    return {key: _told(value, zone) for key, value in asdict(change).items()}


def _told(value: object, zone: ZoneInfo) -> object:
    return value.astimezone(zone).isoformat() if isinstance(value, datetime) else value
