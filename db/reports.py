"""Reports of the house: who speaks, what about, how quick the answers are, what fails, and what the database holds.

Each reads the function or view of `0005_reports` that any SQL client may read too. Every one raises LinkDown; none
fails for want of data: it is an empty list then.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal, TypeAlias, TypeVar

from db.database import Queries

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ActivePerson:
    """A person's share of what was said; `person` is None for everybody who was not recognised."""

    person: str | None
    conversations: int
    messages: int
    last_at: datetime


@dataclass(frozen=True, slots=True)
class CommonIntent:
    """How often something was asked for. `average_confidence` is 0 to 1, None where none was given."""

    intent: str
    times: int
    average_confidence: float | None
    last_at: datetime


@dataclass(frozen=True, slots=True)
class StepLatency:
    """Milliseconds of one step of the turns; `latency` is from the end of speech to the first sound."""

    step: str
    turns: int
    average_ms: float
    median_ms: float
    p95_ms: float
    most_ms: float


@dataclass(frozen=True, slots=True)
class RoomLatency:
    """Milliseconds from the end of speech to the first sound, by room and sound source (None: not known)."""

    room: str | None
    source: str | None
    turns: int
    average_ms: float
    median_ms: float
    p95_ms: float
    most_ms: float


@dataclass(frozen=True, slots=True)
class Failure:
    """What failed alike: actions of one name and error, or answers of one outcome (`failed`, `unspoken`…)."""

    kind: Literal["action", "answer"]
    name: str
    error: str | None
    times: int
    last_at: datetime


@dataclass(frozen=True, slots=True)
class TurnsOfTime:
    """The answers of a day, week or month that begins on `day`; `median_ms` is their latency's."""

    day: date
    turns: int
    failed: int
    median_ms: float | None


@dataclass(frozen=True, slots=True)
class TableSize:
    """A table with its indexes, and with its partitions, of which it may have none. Rows are an estimate."""

    table_name: str
    partitions: int
    estimated_rows: int
    table_bytes: int
    index_bytes: int
    total_bytes: int


@dataclass(frozen=True, slots=True)
class UnusedIndex:
    """An index that no query has read since `counted_since` (None: since the database was made)."""

    table_name: str
    index_name: str
    bytes: int
    counted_since: datetime | None


Row: TypeAlias = (
    ActivePerson | CommonIntent | StepLatency | RoomLatency | Failure | TurnsOfTime | TableSize | UnusedIndex
)
Reports: TypeAlias = dict[str, Sequence[Row]]
"""The rows of several reports, by the reports' names."""


async def active_people(db: Queries, since: datetime) -> list[ActivePerson]:
    """Return who spoke since then, the most active first."""
    return await _rows(db, ActivePerson, "SELECT * FROM active_people($1)", since)


async def common_intents(db: Queries, since: datetime) -> list[CommonIntent]:
    """Return what was asked for since then, the commonest first."""
    return await _rows(db, CommonIntent, "SELECT * FROM common_intents($1)", since)


async def latency_of_steps(db: Queries, since: datetime) -> list[StepLatency]:
    """Return how long each step took since then, the slowest first."""
    return await _rows(db, StepLatency, "SELECT * FROM latency_of_steps($1)", since)


async def latency_of_rooms(db: Queries, since: datetime) -> list[RoomLatency]:
    """Return how long answers took in each room since then, the slowest first."""
    return await _rows(db, RoomLatency, "SELECT * FROM latency_of_rooms($1)", since)


async def failures(db: Queries, since: datetime) -> list[Failure]:
    """Return what failed since then, the most frequent first."""
    return await _rows(db, Failure, "SELECT * FROM failures($1)", since)


async def turns_over_time(
    db: Queries, since: datetime, unit: Literal["day", "week", "month"], zone: str
) -> list[TurnsOfTime]:
    """Return the answers since then by day, week or month of the time zone; those without any are left out."""
    return await _rows(db, TurnsOfTime, "SELECT * FROM turns_over_time($1, $2, $3)", since, unit, zone)


async def table_sizes(db: Queries) -> list[TableSize]:
    """Return how big each table is, the biggest first."""
    return await _rows(db, TableSize, "SELECT * FROM report_table_sizes")


async def unused_indexes(db: Queries) -> list[UnusedIndex]:
    """Return the indexes that no query has read, the biggest first; not those that keep values unique."""
    return await _rows(db, UnusedIndex, "SELECT * FROM report_unused_indexes")


async def _rows(db: Queries, kind: type[T], sql: str, *args: Any) -> list[T]:
    return [kind(**dict(row)) for row in await db.fetch(sql, *args)]
