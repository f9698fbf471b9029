"""Reminders: rows that are claimed when due, with a lease, so that each is spoken by one daemon and none is lost.

    pending ──claim_due──▶ pending, leased (lease_until, leased_by) ──triggered──▶ triggered
       ▲                          │
       └──release, or the lease runs out: it is claimed again, under the same id

A lease that runs out is all that a killed daemon leaves behind. `lease_until` of a row nobody leases (`leased_by` null)
is the moment before which it is not tried again.

A recurring reminder is a row an occurrence. Its `metadata` holds `rrule` (RFC 5545), `dtstart` (the wall clock at which
the rule begins) and `series` (the first one's id). Claiming one stores the next in the same transaction, under an id
made of the series and its moment, so that claiming it again stores no second one. Those missed in between are not made
up.
"""

import asyncio
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import cast
from uuid import UUID, uuid5

import asyncpg
import structlog

from db.database import Database, Queries
from db.ledger import new_id
from db.recurrence import check_recurrence, following, next_occurrence
from db.text import Json, clipped, storable_json

log = structlog.get_logger(__name__)

LONGEST_LEASE = timedelta(minutes=15)
"""No lease is this long; one that ends later was given before the clock was put back, and no longer counts."""
MOST_TITLE = 255
MOST_DESCRIPTION = 10_000
MOST_SEARCHED = 1000

CREATE = """
INSERT INTO reminders (id, user_id, title, description, scheduled_at, metadata)
VALUES ($1, $2, $3, $4, $5, $6)
"""

# An array, not a join: a plan made without knowing the limit would read the whole table to join a third of it.
# Nobody waits for the disk to speak: a server that crashes right now forgets the lease and the occurrence that follows,
# and the next claim makes them again. That is set in the statement itself, which saves a round trip.
CLAIM_DUE = """
WITH due AS MATERIALIZED (
    SELECT id FROM reminders
    WHERE status = 'pending' AND scheduled_at <= $1
      AND (lease_until IS NULL OR lease_until <= $2 OR lease_until > $3)
    ORDER BY scheduled_at LIMIT $4
    FOR UPDATE SKIP LOCKED
)
UPDATE reminders SET lease_until = $5, leased_by = $6
WHERE id = ANY (ARRAY(SELECT id FROM due)) AND (SELECT set_config('synchronous_commit', 'off', true)) = 'off'
RETURNING id, title, scheduled_at, description, user_id, metadata
"""

CREATE_NEXT = """
INSERT INTO reminders (id, user_id, title, description, scheduled_at, metadata)
SELECT $1, user_id, title, description, $2, metadata || $3 FROM reminders WHERE id = $4
ON CONFLICT (id) DO NOTHING
"""

# The leases that end soonest are looked for among the oldest only: one look stays cheap with a million overdue.
NEXT_DUE = """
SELECT LEAST(
    (SELECT scheduled_at FROM reminders
     WHERE status = 'pending' AND (lease_until IS NULL OR lease_until <= $1 OR lease_until > $2)
     ORDER BY scheduled_at LIMIT 1),
    (SELECT min(lease_until) FROM (
        SELECT lease_until FROM reminders WHERE status = 'pending' AND scheduled_at <= $1
        ORDER BY scheduled_at LIMIT 1000) AS oldest
     WHERE lease_until > $1))
"""

EXTEND = "UPDATE reminders SET lease_until = $3 WHERE id = ANY ($1) AND leased_by = $2 AND status = 'pending'"

# A lease without an owner was lost in a crash of the server: who spoke meanwhile still says so.
TRIGGERED = """
UPDATE reminders SET status = 'triggered', triggered_at = $2, lease_until = NULL, leased_by = NULL
WHERE id = ANY ($1) AND (leased_by = $3 OR leased_by IS NULL) AND status = 'pending' RETURNING id
"""

RELEASE = """
WITH released AS (
    UPDATE reminders SET lease_until = $2, leased_by = NULL
    WHERE id = ANY ($1) AND leased_by = $3 AND status = 'pending' RETURNING id
)
SELECT pg_notify('mordomo_reminders', '') FROM released LIMIT 1
"""

CANCEL = "UPDATE reminders SET status = 'cancelled' WHERE id = ANY ($1) AND status = 'pending' RETURNING id"

UPCOMING = """
SELECT id, title, scheduled_at, description, user_id, metadata FROM reminders
WHERE status = 'pending' AND scheduled_at BETWEEN $1 AND $2 AND ($3::uuid IS NULL OR user_id = $3 OR user_id IS NULL)
ORDER BY scheduled_at LIMIT $4
"""

PENDING = """
SELECT id, title, scheduled_at, description, user_id, metadata FROM reminders
WHERE status = 'pending' ORDER BY scheduled_at LIMIT $1
"""


@dataclass(frozen=True, slots=True)
class Due:
    """A reminder, due or yet to come. `id` is the occurrence's; `title` may hold anything and is only ever spoken.

    Its fields stand in the order in which the queries above return them.
    """

    id: UUID
    title: str
    scheduled_at: datetime
    description: str | None
    user_id: UUID | None
    metadata: Mapping[str, Json]


async def create(
    db: Queries,
    title: str,
    scheduled_at: datetime,
    user_id: UUID | None = None,
    *,
    description: str | None = None,
    metadata: Mapping[str, object] | None = None,
    zone: tzinfo | None = None,
) -> UUID:
    """Store a reminder and return its id; it is committed when this returns (unless `db` is a transaction).

    `metadata["rrule"]` makes it recurring, on the clock of `zone` (unset: of the household when it is first claimed).
    A title above 255 characters is cut, and kept whole in the description where that is empty.
    Raises ValueError, which says in Portuguese what is wrong (no title, no such rule), and LinkDown.
    """
    name = " ".join(title.split())
    if not name:
        raise ValueError("Lembrar de quê?")
    if scheduled_at.tzinfo is None:
        raise ValueError("a reminder's moment needs its zone")
    extra = cast("dict[str, Json]", storable_json(metadata or {}))
    if "rrule" in extra:
        await _begin_series(extra, scheduled_at, zone)
    reminder_id = new_id()
    whole = description or (name if len(name) > MOST_TITLE else None)
    text = None if whole is None else clipped(whole, MOST_DESCRIPTION)
    await db.execute(CREATE, reminder_id, user_id, clipped(name, MOST_TITLE), text, scheduled_at, extra)
    return reminder_id


async def claim_due(
    db: Database,
    now: datetime,
    limit: int,
    lease_s: float,
    worker: str,
    *,
    zone: tzinfo,
    late: timedelta = timedelta(0),
) -> list[Due]:
    """Lease up to `limit` reminders that are due (by more than `late`, if given), the oldest first, and return them.

    Until the lease ends nobody else claims them. The next occurrence of a recurring one, on the clock of `zone`, is
    stored in the same transaction. Raises LinkDown.
    """
    until = now + timedelta(seconds=lease_s)
    async with db.transaction() as connection:
        rows = await connection.fetch(CLAIM_DUE, now - late, now, now + LONGEST_LEASE, limit, until, worker)
        claimed = sorted(map(_due, rows), key=lambda due: (due.scheduled_at, due.id))
        for due in claimed:
            if "rrule" in due.metadata:
                await _create_next(connection, due, now, zone)
    return claimed


async def next_due(db: Queries, now: datetime) -> datetime | None:
    """Return when to claim again: the next moment something is due, or a lease ends. Raises LinkDown."""
    moment: datetime | None = await db.fetchval(NEXT_DUE, now, now + LONGEST_LEASE)
    return moment


async def extend(db: Queries, ids: Sequence[UUID], until: datetime, worker: str) -> None:
    """Prolong the leases that `worker` still has. Raises LinkDown."""
    await db.execute(EXTEND, ids, worker, until)


async def triggered(db: Queries, reminder_id: UUID, at: datetime, worker: str) -> bool:
    """Record that a reminder was spoken; False if `worker` no longer leased it (taken over, cancelled).

    Raises LinkDown.
    """
    return bool(await triggered_all(db, [reminder_id], at, worker))


async def triggered_all(db: Queries, ids: Sequence[UUID], at: datetime, worker: str) -> set[UUID]:
    """Record that these were spoken; return those that `worker` still leased. Raises LinkDown."""
    return {row["id"] for row in await db.fetch(TRIGGERED, ids, at, worker)}


async def release(db: Queries, ids: Sequence[UUID], worker: str, until: datetime | None = None) -> None:
    """Give leases back, open for the next claim at once, or from `until` on. Raises LinkDown."""
    await db.execute(RELEASE, ids, until, worker)


async def cancel(db: Queries, ids: Sequence[UUID]) -> int:
    """Cancel those that are pending; return how many. The last pending one of a series ends it. Raises LinkDown."""
    return len(await db.fetch(CANCEL, ids))


async def upcoming(
    db: Queries, now: datetime, until: datetime, user_id: UUID | None = None, limit: int = 100
) -> list[Due]:
    """Return what is pending between two moments, the soonest first; with `user_id`, theirs and the whole house's."""
    return [_due(row) for row in await db.fetch(UPCOMING, now, until, user_id, limit)]


async def matching(db: Queries, words: Sequence[str]) -> list[Due]:
    """Return the pending reminders whose titles hold all `words`, the soonest first. Raises LinkDown.

    Accents, case and plurals are forgiven; words of one or two letters count only where there are no others.
    The MOST_SEARCHED soonest are looked through.
    """
    wanted = [stem for word in words for stem in _stems(word)]
    telling = [stem for stem in wanted if len(stem) > 2] or wanted
    found = [_due(row) for row in await db.fetch(PENDING, MOST_SEARCHED)]
    return [due for due in found if telling and _holds(due.title, telling)]


def _due(row: asyncpg.Record) -> Due:
    return Due(*row)


async def _begin_series(extra: dict[str, Json], scheduled_at: datetime, zone: tzinfo | None) -> None:
    clock = zone or scheduled_at.tzinfo
    assert clock is not None  # noqa: S101 - create() checked it
    await asyncio.to_thread(check_recurrence, str(extra["rrule"]), scheduled_at, clock)
    if zone is not None:
        extra["dtstart"] = scheduled_at.astimezone(zone).replace(tzinfo=None).isoformat()


async def _create_next(db: Queries, due: Due, now: datetime, zone: tzinfo) -> None:
    rule = str(due.metadata["rrule"])
    try:
        first = _dtstart(due, zone)
        moment = next_occurrence(rule, first, max(now, due.scheduled_at), zone)
        if moment is None:
            return
        dtstart = following(rule, first, moment, zone).isoformat()
    except ValueError as error:
        # Only an edit in SQL brings it here: what is due is spoken, and the log says that nothing follows.
        log.error("recurrence_unreadable", reminder=str(due.id), why=str(error))  # noqa: TRY400
        return
    series = _series(due)
    # Whoever claims, and however often: the same occurrence of a series has the same id.
    next_id = uuid5(series, moment.isoformat())
    await db.execute(CREATE_NEXT, next_id, moment, {"series": str(series), "dtstart": dtstart}, due.id)


def _dtstart(due: Due, zone: tzinfo) -> datetime:
    written = due.metadata.get("dtstart")
    if written is None:
        return due.scheduled_at.astimezone(zone).replace(tzinfo=None)
    return datetime.fromisoformat(str(written)).replace(tzinfo=None)


def _series(due: Due) -> UUID:
    try:
        return UUID(str(due.metadata.get("series", due.id)))
    except ValueError:
        return due.id


def _stems(text: str) -> list[str]:
    plain = "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))
    words = "".join(c if c.isalnum() else " " for c in plain).split()
    return [word.rstrip("s") if len(word) > 3 else word for word in words]


def _holds(title: str, stems: Sequence[str]) -> bool:
    words = _stems(title)
    return all(any(word.startswith(stem) for word in words) for stem in stems)
