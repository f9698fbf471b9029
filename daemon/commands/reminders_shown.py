"""How reminders are shown by command: a table for people, JSON for programs."""

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID
from zoneinfo import ZoneInfo

from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from db.reminders import Due

WEEKDAYS = ("seg", "ter", "qua", "qui", "sex", "sáb", "dom")
KINDS = {"reminder": "lembrete", "alarm": "alarme", "timer": "timer", "command": "pedido"}


def short(reminder_id: UUID) -> str:
    """Return the end of an id, which tells one from the others; the beginning is the moment it was made."""
    return reminder_id.hex[-6:]


def moment(at: datetime, now: datetime | None = None) -> str:
    """Return a moment on its own clock: `qui 20/11/2026 08:00`, without the year where it is the present one."""
    year = "" if now is not None and now.year == at.year else f"/{at.year}"
    return f"{WEEKDAYS[at.weekday()]} {at:%d/%m}{year} {at:%H:%M}"


def table(dues: "Iterable[Due]", zone: ZoneInfo, now: datetime) -> Table:
    """Return reminders as a table; what is over is dim. Titles are anybody's words, and shown as text."""
    from daemon.skills.saying import spoken_duration, spoken_rule  # noqa: PLC0415

    shown = Table(box=None, header_style="dim", padding=(0, 2, 0, 0))
    for name in ("código", "quando", "o quê", "tipo", "para", "repete", "quem marcou"):
        shown.add_column(name, no_wrap=name in {"código", "quando", "tipo"})
    for due in dues:
        at = due.scheduled_at.astimezone(zone) if due.paused_left_s is None else None
        when = moment(at, now) if at else f"{spoken_duration(due.paused_left_s or 0)}, parado"
        title = Text(due.title)
        if due.done_at is not None or (due.kind == "command" and due.status == "triggered"):
            title.append(" (feito)")
        elif due.status == "triggered":
            title.append(" (falado)")
        rule = spoken_rule(due.rrule, due.scheduled_at.astimezone(zone)) if due.rrule else ""
        cells = (short(due.id), when, title, KINDS[due.kind], due.addressee or "", rule, due.created_by or "")
        over = due.status != "pending" and due.scheduled_at <= now
        shown.add_row(
            *(cell if isinstance(cell, Text) else Text(cell) for cell in cells), style="dim" if over else None
        )
    return shown


def as_json(due: "Due", zone: ZoneInfo) -> dict[str, Any]:
    """Return a reminder for programs; moments are ISO 8601 on the household's clock, None where there is none."""

    def at(when: datetime | None) -> str | None:
        return when.astimezone(zone).isoformat() if when is not None else None

    return {
        "id": str(due.id),
        "kind": due.kind,
        "title": due.title,
        "description": due.description,
        "scheduled_at": None if due.paused_left_s is not None else at(due.scheduled_at),
        "status": due.status,
        "rrule": due.rrule,
        "except_dates": [day.isoformat() for day in due.except_dates or ()],
        "lead_s": due.lead_s,
        "person": due.addressee,
        "area": due.area,
        "created_by": due.created_by,
        "ack": due.ack,
        "paused_left_s": due.paused_left_s,
        "triggered_at": at(due.triggered_at),
        "done_at": at(due.done_at),
    }
