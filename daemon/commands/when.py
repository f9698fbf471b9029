"""`mordomo when`: the moments, spans and recurrences of sentences, as JSON, without doing anything."""

from datetime import datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer

from daemon.commands.console import fail, print_json
from daemon.commands.questions import moment, questions


def when(
    text: Annotated[str | None, typer.Argument(help="Uma frase; sem ela, uma por linha (texto ou JSON).")] = None,
    zone: Annotated[
        str, typer.Option("--zone", help="Fuso da casa, para frases sem data e hora.")
    ] = "America/Sao_Paulo",
) -> None:
    """Diz quando é o que se falou: uma linha JSON para cada frase, na mesma ordem. Nada é feito."""
    household = _zone(zone)
    for question in questions(text):
        now = moment(question.get("now"), household)
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


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        fail(f"Não conheço o fuso {name}. Um exemplo que serve: America/Sao_Paulo.")
