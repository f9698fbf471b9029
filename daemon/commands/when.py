"""`mordomo when`: the moments, spans and recurrences of sentences, as JSON, without doing anything."""

import json as json_module
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer

from daemon.commands.console import fail, print_json


def when(
    text: Annotated[str | None, typer.Argument(help="Uma frase; sem ela, uma por linha (texto ou JSON).")] = None,
    zone: Annotated[
        str, typer.Option("--zone", help="Fuso da casa, para frases sem data e hora.")
    ] = "America/Sao_Paulo",
) -> None:
    """Diz quando é o que se falou: uma linha JSON para cada frase, na mesma ordem. Nada é feito."""
    household = _zone(zone)
    for question in _questions(text):
        now = _moment(question.get("now"), household)
        print_json(told(str(question.get("text", "")), now))


def told(text: str, now: datetime) -> dict[str, Any]:
    """Return the time that `text` tells, heard at the aware moment `now`, on whose clock it is told.

    `start` and `end` (exclusive) are ISO 8601 with offset, a day alone begins at its midnight; `grain` is second,
    minute, hour, day, week, month or year; `rrule` is RFC 5545's; what is absent is None.
    """
    from daemon.language import words  # noqa: PLC0415
    from daemon.language.pt_br import durations, moments  # noqa: PLC0415

    answer: dict[str, Any] = dict.fromkeys(("start", "end", "grain", "rrule", "duration_s", "assumed"))
    if len(text) > words.LONGEST_SENTENCE:
        return answer
    said = words.read(text).words
    found = moments.find(said, now)
    lasting = durations.whole(tuple(word.plain for word in said))
    if found is None:
        if lasting:
            return {**answer, "duration_s": lasting}
        if _present(tuple(word.plain for word in said)):
            return {**answer, "start": now.replace(microsecond=0).isoformat(), "grain": "second"}
        return answer
    meant = found[0]
    start = meant.begin or meant.start
    if start is None and meant.day is not None:
        start = datetime(meant.day.year, meant.day.month, meant.day.day, tzinfo=now.tzinfo)
    return {
        "start": start.isoformat() if start else None,
        "end": meant.end.isoformat() if meant.end else None,
        "grain": meant.grain if start else None,
        "rrule": meant.rrule,
        "duration_s": meant.lasting_s,
        "assumed": meant.assumed,
    }


def _present(plain: tuple[str, ...]) -> bool:
    return " ".join(plain) in {"agora", "ja", "agora mesmo", "neste instante", "nesse instante", "neste momento",
                               "nesse momento"}  # fmt: skip


def _questions(text: str | None) -> Iterator[dict[str, Any]]:
    lines: Iterable[str] = sys.stdin if text is None else [text]
    for line in lines:
        stripped = line.strip()
        if not stripped:
            continue
        question: object = {"text": stripped}
        if stripped.startswith("{"):
            try:
                question = json_module.loads(stripped)
            except ValueError:
                question = {"text": stripped}
        yield question if isinstance(question, dict) else {"text": stripped}


def _moment(given: object, zone: ZoneInfo) -> datetime:
    """Return the moment of a line on the household's clock. An offset in `now` is kept where it is not the zone's."""
    if given is None:
        return datetime.now(UTC).astimezone(zone)
    try:
        at = datetime.fromisoformat(str(given))
    except ValueError:
        fail(f'"now" precisa ser data e hora ISO 8601, como 2026-11-20T10:00:00-03:00; recebi {given!r}.')
    if at.tzinfo is None:
        return at.replace(tzinfo=zone)
    here = at.astimezone(zone)
    return here if here.utcoffset() == at.utcoffset() else at


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        fail(f"Não conheço o fuso {name}. Um exemplo que serve: America/Sao_Paulo.")
