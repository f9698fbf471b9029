"""Who speaks what is due: claims with a lease, so that each is spoken by one daemon and none is lost.

A lease that runs out is all that a killed daemon leaves behind. `lease_until` of a row nobody leases (`leased_by` null)
is the moment before which it is not tried again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from uuid import UUID

from db.database import Database, Queries
from db.recurrence import WorkingDays
from db.reminders import COLUMNS, NOTHING, Due, as_due
from db.series import create_next
from db.text import Json
from models.words import Step

LONGEST_LEASE = timedelta(minutes=15)
"""No lease is this long; one that ends later was given before the clock was put back, and no longer counts."""
# An array, not a join: a plan made without knowing the limit would read the whole table to join a third of it.
# Nobody waits for the disk to speak: a server that crashes right now forgets the lease and the occurrence that follows,
# and the next claim makes them again. That is set in the statement itself, which saves a round trip.
CLAIM_DUE = f"""
WITH due AS MATERIALIZED (
    SELECT id FROM reminders
    WHERE status = 'pending' AND scheduled_at <= $1
      AND (lease_until IS NULL OR ((lease_until <= $2 OR lease_until > $3)
           AND (leased_by IS NULL OR $7::uuid[] IS NULL OR id = ANY ($7))))
    ORDER BY scheduled_at LIMIT $4
    FOR UPDATE SKIP LOCKED
)
UPDATE reminders SET lease_until = $5, leased_by = $6
WHERE id = ANY (ARRAY(SELECT id FROM due)) AND (SELECT set_config('synchronous_commit', 'off', true)) = 'off'
RETURNING {COLUMNS}
"""  # noqa: S608 - constants of this file

# The leases that end soonest are looked for among the oldest only: one look stays cheap with a million overdue.
NEXT_DUE = """
WITH held AS MATERIALIZED (
    SELECT id, lease_until, leased_by IS NOT NULL AND (lease_until <= $1 OR lease_until > $2) AS ended FROM (
        SELECT id, lease_until, leased_by FROM reminders WHERE status = 'pending' AND scheduled_at <= $1
        ORDER BY scheduled_at LIMIT 1000) AS oldest
    WHERE lease_until IS NOT NULL
)
SELECT LEAST(
    (SELECT scheduled_at FROM reminders
     WHERE status = 'pending' AND scheduled_at < 'infinity'
       AND (lease_until IS NULL OR (leased_by IS NULL AND (lease_until <= $1 OR lease_until > $2)))
     ORDER BY scheduled_at LIMIT 1),
    (SELECT min(lease_until) FROM held WHERE lease_until > $1 AND NOT ended)),
    ARRAY(SELECT id FROM held WHERE ended), ARRAY(SELECT lease_until FROM held WHERE ended)
"""

EXTEND = "UPDATE reminders SET lease_until = $3 WHERE id = ANY ($1) AND leased_by = $2 AND status = 'pending'"

# A lease without an owner was lost in a crash of the server: who spoke meanwhile still says so. That a plain reminder
# was spoken is in its row (triggered_at): a step beside it would cost a third of a drain's work, and tell nothing more.
SETTLED = """
WITH settled AS (
    UPDATE reminders SET status = CASE $4 WHEN 'dropped' THEN 'cancelled' ELSE 'triggered' END, triggered_at = $2,
        lease_until = NULL, leased_by = NULL, times_spoken = times_spoken + 1
    WHERE id = ANY ($1) AND (leased_by = $3 OR leased_by IS NULL) AND status = 'pending'
    RETURNING id, ack, kind, planned_at
), noted AS (
    INSERT INTO reminder_steps (reminder_id, at, step, detail) SELECT id, $2, $4, $5 FROM settled
    WHERE $4 <> 'spoken' OR ack <> 'none' OR kind <> 'reminder' OR planned_at IS NOT NULL
)
SELECT id FROM settled
"""

RELEASE = """
WITH released AS (
    UPDATE reminders SET lease_until = $2, leased_by = NULL
    WHERE id = ANY ($1) AND leased_by = $3 AND status = 'pending' RETURNING id
)
SELECT pg_notify('mordomo_reminders', '') FROM released LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class Look:
    """What there is to wait for: the next moment `at` which something is due, or a lease ends; None where nothing is.

    `ended` are leases that are over, by the wall clock, and not given back: whose they were may be dead.
    """

    at: datetime | None
    ended: Mapping[UUID, datetime]


async def claim_due(
    db: Database,
    now: datetime,
    limit: int,
    lease_s: float,
    worker: str,
    *,
    zone: tzinfo,
    late: timedelta = timedelta(0),
    calendar: WorkingDays | None = None,
    from_the_dead: Sequence[UUID] | None = None,
) -> list[Due]:
    """Lease up to `limit` reminders that are due (by more than `late`, if given), the oldest first, and return them.

    Until the lease ends nobody else claims them; one that has ended is taken over where it is among `from_the_dead`,
    unset: always. The next occurrence of a recurring one, on the clock of `zone` and with the days off of `calendar`,
    is stored before this returns. Raises LinkDown.
    """
    until = now + timedelta(seconds=lease_s)
    rows = await db.fetch(CLAIM_DUE, now - late, now, now + LONGEST_LEASE, limit, until, worker, from_the_dead)
    claimed = sorted(map(as_due, rows), key=lambda due: (due.scheduled_at, due.id))
    if again := [due for due in claimed if due.rrule is not None]:
        # Where this fails, nobody speaks: the lease ends, and whoever claims them next makes what is not made yet.
        async with db.transaction() as connection:
            for due in again:
                await create_next(connection, due, now, zone, calendar=calendar)
    return claimed


async def next_due(db: Queries, now: datetime) -> Look:
    """Return when to claim again, and which leases are over. Raises LinkDown."""
    row = await db.fetchrow(NEXT_DUE, now, now + LONGEST_LEASE)
    assert row is not None  # noqa: S101 - it selects no table
    return Look(row[0], dict(zip(row[1], row[2], strict=True)))


async def extend(db: Queries, ids: Sequence[UUID], until: datetime, worker: str) -> None:
    """Prolong the leases that `worker` still has. Raises LinkDown."""
    await db.execute(EXTEND, ids, worker, until)


async def triggered(db: Queries, reminder_id: UUID, at: datetime, worker: str) -> bool:
    """Record that a reminder was spoken; False if `worker` no longer leased it. Raises LinkDown."""
    return bool(await triggered_all(db, [reminder_id], at, worker))


async def triggered_all(
    db: Queries,
    ids: Sequence[UUID],
    at: datetime,
    worker: str,
    *,
    step: Step = "spoken",
    detail: Mapping[str, Json] = NOTHING,
) -> set[UUID]:
    """Record that these were spoken, or which other `step` ended them; return those that `worker` still leased.

    What is 'dropped' becomes cancelled. Raises LinkDown.
    """
    return {row["id"] for row in await db.fetch(SETTLED, ids, at, worker, step, dict(detail))}


async def release(db: Queries, ids: Sequence[UUID], worker: str, until: datetime | None = None) -> None:
    """Give leases back, open for the next claim at once, or from `until` on. Raises LinkDown."""
    await db.execute(RELEASE, ids, until, worker)
