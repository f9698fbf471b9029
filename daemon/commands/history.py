"""`mordomo history`: what was said in the house, by its words or the last of it; no running daemon is needed."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID
from zoneinfo import ZoneInfo

import typer
from rich.text import Text

from daemon.commands.ask import AsJson
from daemon.commands.console import environment, fail, out, print_json, run_async

if TYPE_CHECKING:
    from db.database import Database
    from db.search import Found, Talk

history = typer.Typer(help="O que já se conversou em casa.", no_args_is_help=True)

MOMENTS = "30d, 12h, 2sem, 3mes, 1a, ontem, 20/11, 20/11/2026 ou 2026-11-20"
Since = Annotated[str | None, typer.Option("--since", help=f"Desde quando: {MOMENTS}.")]
Until = Annotated[str | None, typer.Option("--until", help="Até quando, como em --since; um dia conta inteiro.")]
Person = Annotated[str | None, typer.Option("--person", help="Só as conversas desta pessoa, pelo nome.")]

UNITS = {
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "sem": timedelta(weeks=1),
    "w": timedelta(weeks=1),
    "mes": timedelta(days=30),
    "a": timedelta(days=365),
    "y": timedelta(days=365),
}
WEEKDAYS = ("seg", "ter", "qua", "qui", "sex", "sáb", "dom")


@dataclass(frozen=True, slots=True)
class Scope:
    """Which part of the history is meant, and the clock to show it by."""

    db: "Database"
    zone: ZoneInfo
    since: datetime | None
    until: datetime | None
    people: list[UUID] | None


@history.command("search")
@run_async
async def search_history(
    question: Annotated[str, typer.Argument(help='Palavras; "entre aspas" em ordem, ou, -palavra para excluir.')],
    *,
    since: Since = None,
    until: Until = None,
    person: Person = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=200, help="Quantas mensagens, no máximo.")] = 20,
    json: AsJson = False,
) -> None:
    """Procura nas conversas, com ou sem acentos, no singular ou no plural; o mais parecido vem primeiro."""
    from db.search import means_something, one_line, search  # noqa: PLC0415

    asked = one_line(question)
    async with _scope(since, until, person) as scope:
        found = await search(scope.db, question, since=scope.since, until=scope.until, people=scope.people, limit=limit)
        meant = bool(found) or await means_something(scope.db, question)
    if json:
        print_json([_found_as_json(each, scope.zone) for each in found])
    elif not meant:
        out.print(f"Em “{asked}” não há uma palavra que eu possa procurar. Tente uma mais específica.", markup=False)
    elif not found:
        narrowed = since or until or person
        wider = " Tente sem --since, --until ou --person." if narrowed else " Tente menos palavras, ou outra."
        out.print(f"Não achei “{asked}” nas conversas.{wider}", markup=False)
    for each in () if json else found:
        out.print(_found_as_text(each, scope.zone), soft_wrap=True)


@history.command("list")
@run_async
async def list_history(
    *,
    since: Since = None,
    until: Until = None,
    person: Person = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=200, help="Quantas conversas, no máximo.")] = 10,
    json: AsJson = False,
) -> None:
    """Mostra as últimas conversas, da mais antiga à mais nova, com o que se disse."""
    from db.search import talks  # noqa: PLC0415

    async with _scope(since, until, person) as scope:
        shown = await talks(scope.db, since=scope.since, until=scope.until, people=scope.people, limit=limit)
    if json:
        print_json([_talk_as_json(talk, scope.zone) for talk in shown])
    elif not shown:
        narrowed = since or until or person
        out.print("Não há conversas nesse recorte." if narrowed else "Ainda não há conversas guardadas.")
    for talk in () if json else shown:
        out.print(_talk_as_text(talk, scope.zone), soft_wrap=True)


@asynccontextmanager
async def _scope(since: str | None, until: str | None, person: str | None) -> AsyncIterator[Scope]:
    from config.preferences import HOUSE_TIMEZONE  # noqa: PLC0415
    from daemon.clock import SystemClock  # noqa: PLC0415
    from daemon.servers import household_database  # noqa: PLC0415
    from db.preferences import load  # noqa: PLC0415

    async with household_database(environment()) as db:
        preferences, _ = await load(db)
        zone = ZoneInfo(preferences[HOUSE_TIMEZONE])
        now = SystemClock().now().astimezone(zone)
        begin = None if since is None else moment(since, now)
        end = None if until is None else moment(until, now, end_of_day=True)
        yield Scope(db, zone, begin, end, None if person is None else await _people(db, person))


async def _people(db: "Database", name: str) -> list[UUID]:
    from db.search import one_line, people_named  # noqa: PLC0415
    from db.users import all_names  # noqa: PLC0415

    people = await people_named(db, name)
    if not people:
        known = ", ".join(one_line(each) for each in await all_names(db))
        whom = f"Conheço: {known}." if known else "Ainda não conheço ninguém pelo nome."
        fail(f"Não conheço ninguém chamado “{one_line(name)}”. {whom}")
    return people


def moment(text: str, now: datetime, *, end_of_day: bool = False) -> datetime:
    """Return the moment that `text` means for somebody whose clock shows `now` (aware, in the household's zone).

    A length of time ("30d") goes back from now; a day is its beginning, or with `end_of_day` its end. Ends the command
    where it is neither.
    """
    spelt = text.strip().lower()
    try:
        if length := re.fullmatch(r"(\d{1,6})\s*(h|d|sem|w|m[eê]s|a|y)", spelt):
            return now - int(length[1]) * UNITS[length[2].replace("ê", "e")]
        day = _day(spelt, now.date())
        if day is not None:
            return datetime.combine(day + timedelta(days=end_of_day), time(), now.tzinfo)
        at = datetime.fromisoformat(text.strip())
        return at if at.tzinfo else at.replace(tzinfo=now.tzinfo)
    except (ValueError, OverflowError):
        fail(f"Não entendi o momento “{text}”. Diga, por exemplo: {MOMENTS}.")


def _day(spelt: str, today: date) -> date | None:
    """Return the day that is meant, or None for what is none. Raises ValueError for one that no calendar has."""
    if spelt in {"hoje", "ontem"}:
        return today - timedelta(days=spelt == "ontem")
    if written := re.fullmatch(r"(\d{1,2})/(\d{1,2})(?:/(\d{4}))?", spelt):
        year = int(written[3] or today.year)
        day = date(year, int(written[2]), int(written[1]))
        # Without its year a day is the last of that name: history has no other.
        return day if written[3] or day <= today else day.replace(year=year - 1)
    return date.fromisoformat(spelt) if re.fullmatch(r"\d{4}-\d{2}-\d{2}", spelt) else None


def _found_as_text(found: "Found", zone: ZoneInfo) -> Text:
    shown = Text.assemble((f"{_when(found.at, zone)}  ", "dim"), (_who(found.role, found.person), "bold"), "\n  ")
    for piece in found.excerpt:
        shown.append(piece.text, "bold yellow" if piece.found else None)
    return shown


def _talk_as_text(talk: "Talk", zone: ZoneInfo) -> Text:
    from db.search import one_line  # noqa: PLC0415

    shown = Text.assemble((f"{_when(talk.started_at, zone)}", "dim"))
    if not talk.messages:
        shown.append("  (nada foi guardado)", "dim")
    for message in talk.messages:
        shown.append(f"\n  {_who(message.role, talk.person)}: ", "bold")
        shown.append(one_line(message.content))
    return shown.append("\n")


def _who(role: str, person: str | None) -> str:
    from db.search import one_line  # noqa: PLC0415

    if role == "user":
        return one_line(person) if person else "alguém"
    return "mordomo" if role == "assistant" else "sistema"


def _when(at: datetime, zone: ZoneInfo) -> str:
    local = at.astimezone(zone)
    return f"{WEEKDAYS[local.weekday()]} {local:%d/%m/%Y %H:%M}"


def _found_as_json(found: "Found", zone: ZoneInfo) -> dict[str, Any]:
    return {
        "id": str(found.id),
        "conversation_id": str(found.conversation_id),
        "person": found.person,
        "role": found.role,
        "at": found.at.astimezone(zone).isoformat(),
        "rank": round(found.rank, 6),
        "content": found.content,
        "excerpt": [{"text": piece.text, "found": piece.found} for piece in found.excerpt],
    }


def _talk_as_json(talk: "Talk", zone: ZoneInfo) -> dict[str, Any]:
    return {
        "id": str(talk.id),
        "person": talk.person,
        "started_at": talk.started_at.astimezone(zone).isoformat(),
        "ended_at": talk.ended_at.astimezone(zone).isoformat() if talk.ended_at else None,
        "messages": [
            {
                "id": str(message.id),
                "role": message.role,
                "at": message.at.astimezone(zone).isoformat(),
                "content": message.content,
                "intent": message.intent,
                "confidence": message.confidence,
                "latency_ms": message.latency_ms,
            }
            for message in talk.messages
        ],
    }
