"""Versions of a prompt side by side: how quick, how long, how sure with the tools."""

import json
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from db.prompts import InferenceRow, PromptRow


@dataclass(frozen=True, slots=True)
class Compared:
    """What the answers of one version took. Milliseconds, medians with the 95th percentile; shares 0 to 1.

    `usable` is the share of its calls that name a tool and things that are there; `agrees` that of the turns which the
    active version answered too where both called for the same. None where there is nothing to tell from.
    """

    version: int
    status: str
    answers: int
    failed: int
    first_token_ms: tuple[float, float] | None
    first_sentence_ms: tuple[float, float] | None
    total_ms: tuple[float, float] | None
    tokens: float | None
    characters: float | None
    calls: int
    usable: float | None
    agrees: float | None
    both: int


def compared(versions: Sequence[PromptRow], rows: Sequence[InferenceRow]) -> list[Compared]:
    """Return each version that has answers, or is in force, in the order given; `rows` are all their answers."""
    active = next((row.id for row in versions if row.status == "active"), None)
    of_active = {row.message_id: row for row in rows if row.prompt_id == active and not row.shadow}
    found = []
    for version in versions:
        own = [row for row in rows if row.prompt_id == version.id]
        if own or version.status in {"active", "shadow"}:
            found.append(_one(version, own, of_active))
    return found


def _one(version: PromptRow, own: Sequence[InferenceRow], of_active: Mapping[UUID, InferenceRow]) -> Compared:
    whole = [row for row in own if row.error is None]
    calls = [call for row in own for call in row.calls if call.get("outcome") != "again"]
    pairs = [(row, of_active[row.message_id]) for row in whole if row.shadow and row.message_id in of_active]
    agreeing = sum(_wanted(row) == _wanted(other) for row, other in pairs)
    usable = sum(call.get("outcome") != "invalid" for call in calls)
    return Compared(
        version=version.version,
        status=version.status,
        answers=len(own),
        failed=len(own) - len(whole),
        first_token_ms=_spread(row.first_token_ms for row in whole),
        first_sentence_ms=_spread(row.first_sentence_ms for row in whole),
        total_ms=_spread(row.total_ms for row in whole),
        tokens=_median(row.tokens for row in whole),
        characters=_median(len(row.content) for row in whole),
        calls=len(calls),
        usable=usable / len(calls) if calls else None,
        agrees=agreeing / len(pairs) if pairs else None,
        both=len(pairs),
    )


def _wanted(row: InferenceRow) -> set[str]:
    """Return what an answer called for, in a form to compare by."""
    return {
        json.dumps([call.get("tool"), call.get("arguments")], sort_keys=True, default=str)
        for call in row.calls
        if call.get("outcome") not in {"invalid", "again"}
    }


def _spread(values: Iterable[float | None]) -> tuple[float, float] | None:
    known = sorted(value for value in values if value is not None)
    if not known:
        return None
    return statistics.median(known), known[min(len(known) - 1, round(0.95 * len(known)))]


def _median(values: Iterable[float]) -> float | None:
    known = list(values)
    return statistics.median(known) if known else None
