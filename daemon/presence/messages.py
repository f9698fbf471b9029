"""What is said on Mordomo's own topics: read strictly, written as declared. `schemas/` holds the same for others.

What comes in is data from whoever may write on the broker. It is bounded, one line of text without control characters,
and nothing beyond the declared keys is taken.
"""

import unicodedata
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

ROOT = "mordomo"
STATUS = f"{ROOT}/status"
ASK, SAY, STOP = f"{ROOT}/ask", f"{ROOT}/say", f"{ROOT}/stop"
MICROPHONE, MICROPHONE_SET = f"{ROOT}/microphone", f"{ROOT}/microphone/set"
TURN, REMINDER, LATE, ERROR = (f"{ROOT}/event/{kind}" for kind in ("turn", "reminder", "late", "error"))
HEARD = (ASK, SAY, STOP, MICROPHONE_SET)
MAX_BYTES = 8192
"""Longest payload that is looked at."""
MUTED, OPEN = "muted", "open"


class Malformed(ValueError):  # noqa: N818 - says what it is
    """A payload that is not what its topic takes; the message tells why, in Portuguese."""


def _line(text: str) -> str:
    """Return `text` on one line. Raises ValueError where nothing is left of it."""
    printable = (" " if unicodedata.category(mark) in {"Cc", "Zl", "Zp"} else mark for mark in text)
    kept = "".join(mark for mark in printable if unicodedata.category(mark) not in {"Cf", "Cs", "Co", "Cn"})
    line = " ".join(kept.split())
    if not line:
        raise ValueError("empty text")
    return line


Line = Annotated[str, Field(min_length=1, max_length=500), AfterValidator(_line)]
Room = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(_line)]


class _Heard(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Ask(_Heard):
    """A request or a question, as if typed. `area` is the room it is meant for; `id` comes back with the answer."""

    text: Line
    area: Room | None = None
    speak: bool = False
    id: str | None = Field(None, min_length=1, max_length=64, pattern=r"^[A-Za-z0-9._:-]+$")


class Say(_Heard):
    """Words to announce; in `area`, or in the whole house."""

    text: Line
    area: Room | None = None


class TurnTold(BaseModel):
    """A turn that is over. `text` and `reply` are null where the household keeps its words to itself."""

    at: datetime
    turn_id: UUID
    source: str
    area: str | None = None
    text: str | None = None
    reply: str | None = None
    outcome: str
    id: str | None = None


class ReminderTold(BaseModel):
    """A reminder that was spoken. `title` is null where the household keeps its words to itself."""

    at: datetime
    reminder_id: UUID
    title: str | None = None


class LateTold(BaseModel):
    """A device that obeyed after it had been given up."""

    at: datetime
    entity_id: str
    state: str | None = None
    late_ms: float


class ErrorTold(BaseModel):
    """Something that went wrong: a turn lost, or a message on these topics that was refused."""

    at: datetime
    what: Literal["turn", "refused", "say", "microphone"]
    why: str
    topic: str | None = None
    turn_id: UUID | None = None
    id: str | None = None


Told = TurnTold | ReminderTold | LateTold | ErrorTold
TOPICS: Mapping[type[BaseModel], str] = {TurnTold: TURN, ReminderTold: REMINDER, LateTold: LATE, ErrorTold: ERROR}
SCHEMAS: Mapping[str, type[BaseModel]] = {
    "ask": Ask, "say": Say, "event_turn": TurnTold, "event_reminder": ReminderTold, "event_late": LateTold,
    "event_error": ErrorTold,
}  # fmt: skip


def heard(topic: str, payload: bytes) -> Ask | Say | bool | None:
    """Return what came on a topic of HEARD: a request, words to say, the microphone muted or not; None is stop.

    Raises Malformed.
    """
    if len(payload) > MAX_BYTES:
        raise Malformed(f"mensagem maior que {MAX_BYTES} bytes")
    if topic in {ASK, SAY}:
        try:
            return (Ask if topic == ASK else Say).model_validate_json(payload)
        except ValidationError as wrong:
            first = wrong.errors(include_url=False, include_context=False, include_input=False)[0]
            where = ".".join(str(part) for part in first["loc"])[:40]
            raise Malformed(f"fora do formato{f', em {where}' if where else ''}: {first['type']}") from None
    word = payload.decode("ascii", "replace").strip().lower()
    if topic == STOP and word == "stop":
        return None
    if topic == MICROPHONE_SET and word in {MUTED, OPEN}:
        return word == MUTED
    raise Malformed("palavra que este tópico não aceita")
