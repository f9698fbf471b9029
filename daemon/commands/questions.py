"""Sentences as programs give them to a command: on its line, or one a line on its input, as text or as JSON."""

import json
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from daemon.commands.console import fail


def questions(text: str | None) -> Iterator[dict[str, Any]]:
    """Yield each as an object with its `text`, and what else its JSON told."""
    lines: Iterable[str] = sys.stdin if text is None else [text]
    for line in lines:
        stripped = line.strip()
        if not stripped:
            continue
        question: object = {"text": stripped}
        if stripped.startswith("{"):
            try:
                question = json.loads(stripped)
            except ValueError:
                question = {"text": stripped}
        yield question if isinstance(question, dict) else {"text": stripped}


def moment(given: object, zone: ZoneInfo) -> datetime:
    """Return the moment of a question on the household's clock, now where it tells none.

    An offset in it is kept where it is not the zone's. Ends the command where it is no moment.
    """
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
