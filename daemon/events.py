"""What happened, for observers only (health, MQTT, logs, the terminal); never for control flow."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

Step = Literal["heard", "transcribed", "understood", "stored", "acted", "first_sentence", "first_audio", "spoken"]


@dataclass(frozen=True, slots=True)
class WakeWordHeard:
    """Somebody called."""

    source: str


@dataclass(frozen=True, slots=True)
class ListeningOn:
    """An answer is over, and what is said next needs no wake word."""

    source: str


@dataclass(frozen=True, slots=True)
class NothingHeard:
    """Called, but nobody spoke, or nothing of what was heard was speech to us."""

    source: str
    why: str


@dataclass(frozen=True, slots=True)
class TurnEnded:
    """A turn is over and stored."""

    source: str
    turn_id: UUID
    transcript: str
    reply: str
    total_ms: float


@dataclass(frozen=True, slots=True)
class TurnFailed:
    """A turn was lost; the person heard an apology."""

    source: str
    turn_id: UUID
    why: str


@dataclass(frozen=True, slots=True)
class ReminderSpoken:
    """A reminder reached the speaker."""

    reminder_id: UUID
    title: str


@dataclass(frozen=True, slots=True)
class DeviceLate:
    """A device obeyed after it had been given up; `late_ms` counts from the command."""

    entity_id: str
    state: str | None
    late_ms: float


@dataclass(frozen=True, slots=True)
class PreferenceChanged:
    """A row of the config table changed and was taken over, or was refused (`problem`)."""

    key: str
    problem: str = ""


Event = (
    WakeWordHeard
    | ListeningOn
    | NothingHeard
    | TurnEnded
    | TurnFailed
    | ReminderSpoken
    | DeviceLate
    | PreferenceChanged
)
Observe = Callable[[Event], None]
