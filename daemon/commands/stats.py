"""`mordomo stats`: the reports of the house as tables, and its turns as bars; no running daemon is needed."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Literal
from zoneinfo import ZoneInfo

import typer

from daemon.commands.ask import AsJson
from daemon.commands.console import environment, out, print_json, run_async

if TYPE_CHECKING:
    from db.database import Database
    from db.reports import Reports

PEOPLE_DAYS = 7
DAYS = 30


class What(StrEnum):
    """A report; `ALL` is each of them."""

    ALL = "all"
    TURNS = "turns"
    PEOPLE = "people"
    INTENTS = "intents"
    LATENCY = "latency"
    FAILURES = "failures"
    SIZES = "sizes"
    INDEXES = "indexes"


@run_async
async def stats(
    what: Annotated[What, typer.Argument(help="Qual relatório.")] = What.ALL,
    *,
    days: Annotated[
        int | None,
        typer.Option("--days", min=1, max=36500, help="Quantos dias; sem isto, 7 para pessoas e 30 no resto."),
    ] = None,
    json: AsJson = False,
) -> None:
    """Mostra quem mais conversa, o que se pede, a demora, as falhas, e o tamanho do banco de dados."""
    from config.preferences import HOUSE_TIMEZONE  # noqa: PLC0415
    from daemon.commands.stats_tables import shown  # noqa: PLC0415
    from daemon.servers import household_database  # noqa: PLC0415
    from db.preferences import load  # noqa: PLC0415

    wanted = [each for each in What if each is not What.ALL] if what is What.ALL else [what]
    async with household_database(environment()) as db:
        preferences, _ = await load(db)
        zone = ZoneInfo(preferences[HOUSE_TIMEZONE])
        read: Reports = {}
        for each in wanted:
            read |= await _read(db, each, _days(each, days), zone)
    if json:
        print_json({name: [_as_json(row, zone) for row in rows] for name, rows in read.items()})
        return
    for name, rows in read.items():
        out.print(shown(name, rows, _days(name, days), zone))
        out.print()


def _days(report: str, asked: int | None) -> int:
    return asked or (PEOPLE_DAYS if report == What.PEOPLE else DAYS)


async def _read(db: "Database", what: What, days: int, zone: ZoneInfo) -> "Reports":
    """Return the rows of a report by its name; latency is two, by step and by room."""
    from db import reports  # noqa: PLC0415

    since = datetime.now(UTC) - timedelta(days=days)
    if what is What.TURNS:
        return {"turns": await reports.turns_over_time(db, _midnight(since, zone), unit(days), zone.key)}
    if what is What.LATENCY:
        steps, rooms = await reports.latency_of_steps(db, since), await reports.latency_of_rooms(db, since)
        return {"latency": steps, "latency_by_room": rooms}
    if what in {What.SIZES, What.INDEXES}:
        of_now = reports.table_sizes if what is What.SIZES else reports.unused_indexes
        return {what: await of_now(db)}
    of_late: dict[str, Callable[[Database, datetime], Awaitable[Sequence[reports.Row]]]] = {
        What.PEOPLE: reports.active_people,
        What.INTENTS: reports.common_intents,
        What.FAILURES: reports.failures,
    }
    return {what: await of_late[what](db, since)}


def _as_json(row: Any, zone: ZoneInfo) -> dict[str, Any]:
    return {
        name: value.astimezone(zone).isoformat() if isinstance(value, datetime) else value
        for name, value in asdict(row).items()
    }


def _midnight(since: datetime, zone: ZoneInfo) -> datetime:
    """Return the beginning of the day after `since`, so that no bar is of half a day but today's."""
    return datetime.combine(since.astimezone(zone).date() + timedelta(days=1), time(), zone)


def unit(days: int) -> Literal["day", "week", "month"]:
    """Return what one bar stands for, so that there are not too many."""
    if days <= 31:
        return "day"
    return "week" if days <= 183 else "month"
