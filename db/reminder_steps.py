"""What happened to a reminder, step by step; most steps are written together with the change they tell of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from db.database import Queries
from db.reminders import NOTHING, Due
from db.text import Json
from models.words import Step

NOTE = "INSERT INTO reminder_steps (reminder_id, at, step, detail) VALUES ($1, $2, $3, $4)"
STEPS = "SELECT step, at, detail FROM reminder_steps WHERE reminder_id = $1 ORDER BY id"
STILL_DUE = "SELECT id FROM reminders WHERE id = ANY ($1) AND status = 'pending' AND scheduled_at <= $2"


DUE_AGAIN = """
WITH spoken AS (
    UPDATE reminders SET triggered_at = coalesce(triggered_at, $2), times_spoken = times_spoken + 1,
        planned_at = coalesce(planned_at, scheduled_at), scheduled_at = $5, lease_until = NULL, leased_by = NULL
    WHERE id = $1 AND (leased_by = $3 OR leased_by IS NULL) AND status = 'pending' RETURNING id
), noted AS (
    INSERT INTO reminder_steps (reminder_id, at, step, detail) SELECT id, $2, $4, $6 FROM spoken
)
SELECT id FROM spoken
"""


@dataclass(frozen=True, slots=True)
class Happened:
    """One step of a reminder's life."""

    step: Step
    at: datetime
    detail: Mapping[str, Json]


async def note(db: Queries, reminder_id: UUID, at: datetime, step: Step, detail: Mapping[str, Json] = NOTHING) -> None:
    """Add a step. Raises LinkDown."""
    await db.execute(NOTE, reminder_id, at, step, dict(detail))


async def due_again(
    db: Queries, due: Due, at: datetime, worker: str, *, step: Step, again: datetime, detail: Mapping[str, Json]
) -> bool:
    """Record that it was spoken, and that it is due again at `again`; False if `worker` no longer leased it."""
    return bool(await db.fetch(DUE_AGAIN, due.id, at, worker, step, again, dict(detail)))


async def steps_of(db: Queries, reminder_id: UUID) -> list[Happened]:
    """Return what happened to a reminder, in its order. Raises LinkDown."""
    return [Happened(*row) for row in await db.fetch(STEPS, reminder_id)]


async def still_due(db: Queries, ids: Sequence[UUID], now: datetime) -> set[UUID]:
    """Return those that nobody has cancelled, done or put off meanwhile. Raises LinkDown."""
    return {row["id"] for row in await db.fetch(STILL_DUE, ids, now)}
