"""`mordomo stats`: the reports of the house as tables, and its turns as bars; no running daemon is needed."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any, Literal
from zoneinfo import ZoneInfo

import typer
from rich.table import Table
from rich.text import Text

from daemon.commands.ask import STEPS, AsJson
from daemon.commands.console import environment, out, print_json, run_async

if TYPE_CHECKING:
    from db.database import Database
    from db.reports import (
        ActivePerson,
        CommonIntent,
        Failure,
        RoomLatency,
        StepLatency,
        TableSize,
        TurnsOfTime,
        UnusedIndex,
    )

BAR = 30
"""Longest bar, in characters."""
USUAL_DAYS = {"people": 7, "intents": 30, "latency": 30, "failures": 30, "turns": 30}
OUTCOMES = {
    "failed": "pedido que falhou",
    "unspoken": "resposta que não pôde ser falada",
    "model_failed": "modelo de linguagem que falhou",
}
ROUTES = {"llm": "conversa com o modelo", "skill": "preciso perguntar", "none": "nada para mim"}


class What(str, Enum):
    """A report; `ALL` is each of them."""

    ALL = "all"
    PEOPLE = "people"
    INTENTS = "intents"
    LATENCY = "latency"
    FAILURES = "failures"
    TURNS = "turns"
    SIZES = "sizes"
    INDEXES = "indexes"


@run_async
async def stats(
    what: Annotated[What, typer.Argument(help="Qual relatório.")] = What.ALL,
    *,
    days: Annotated[
        int | None, typer.Option("--days", min=1, max=36500, help="Quantos dias; sem isto, 7 para pessoas e 30 no resto.")
    ] = None,
    json: AsJson = False,
) -> None:
    """Mostra quem mais conversa, o que se pede, a demora, as falhas, e o tamanho do banco de dados."""
    from config.preferences import HOUSE_TIMEZONE  # noqa: PLC0415
    from daemon.servers import household_database  # noqa: PLC0415
    from db.preferences import load  # noqa: PLC0415

    names = [each.value for each in What if each is not What.ALL] if what is What.ALL else [what.value]
    async with household_database(environment()) as db:
        preferences, _ = await load(db)
        read = {name: await _read(db, name, days, preferences[HOUSE_TIMEZONE]) for name in names}
    if json:
        print_json({name: _as_json(rows) for name, rows in read.items()})
        return
    for name, rows in read.items():
        over = days or USUAL_DAYS.get(name, 0)
        out.print(_shown(name, rows, "1 dia" if over == 1 else f"{over} dias"))
        out.print()


async def _read(db: "Database", name: str, days: int | None, zone: str) -> Any:
    """Return the rows of a report; of latency those of the steps and of the rooms."""
    from db import reports  # noqa: PLC0415

    over = days or USUAL_DAYS.get(name, 0)
    since = datetime.now(UTC) - timedelta(days=over)
    if name == "latency":
        return {
            "steps": await reports.latency_of_steps(db, since),
            "rooms": await reports.latency_of_rooms(db, since),
        }
    if name == "turns":
        return await reports.turns_over_time(db, _midnight(since, zone), _unit(over), zone)
    if name in {"sizes", "indexes"}:
        return await (reports.table_sizes(db) if name == "sizes" else reports.unused_indexes(db))
    of_time = {
        "people": reports.active_people,
        "intents": reports.common_intents,
        "failures": reports.failures,
    }
    return await of_time[name](db, since)


def _midnight(since: datetime, zone: str) -> datetime:
    """Return the beginning of the day after `since`, so that no bar is of half a day but today's."""
    local = since.astimezone(ZoneInfo(zone))
    return datetime.combine(local.date() + timedelta(days=1), datetime.min.time(), local.tzinfo)


def _unit(days: int) -> Literal["day", "week", "month"]:
    if days <= 31:
        return "day"
    return "week" if days <= 183 else "month"
