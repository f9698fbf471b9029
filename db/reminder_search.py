"""What people ask of their reminders: which are to come, which are meant, which were spoken lately."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from db.database import Queries
from db.reminders import COLUMNS, Due, as_due
from db.words import holds, stems
from models.words import Kind

UPCOMING = f"""
SELECT {COLUMNS} FROM reminders
WHERE status = 'pending' AND scheduled_at BETWEEN $1 AND $2 AND ($3::uuid IS NULL OR user_id = $3 OR user_id IS NULL)
    AND ($5::text[] IS NULL OR kind = ANY ($5))
ORDER BY scheduled_at LIMIT $4
"""  # noqa: S608 - constants of this file

# Spoken and left at that, or spoken and due again until somebody answers.
RECENT = f"""
(SELECT {COLUMNS} FROM reminders WHERE status = 'triggered' AND triggered_at BETWEEN $1 AND $2
    ORDER BY triggered_at DESC LIMIT $3)
UNION ALL
(SELECT {COLUMNS} FROM reminders WHERE status = 'pending' AND times_spoken > 0 AND triggered_at BETWEEN $1 AND $2
    AND scheduled_at < 'infinity' ORDER BY scheduled_at LIMIT $3)
"""  # noqa: S608

ONE = f"SELECT {COLUMNS} FROM reminders WHERE id = $1"  # noqa: S608
# A paused timer is due at infinity, and so the last in this order.
OF_KIND = f"SELECT {COLUMNS} FROM reminders WHERE status = 'pending' AND kind = $1 ORDER BY scheduled_at LIMIT $2"  # noqa: S608


async def upcoming(
    db: Queries,
    now: datetime,
    until: datetime,
    user_id: UUID | None = None,
    *,
    limit: int = 100,
    kinds: Sequence[Kind] | None = None,
) -> list[Due]:
    """Return what is pending between two moments, the soonest first; with `user_id`, theirs and the whole house's."""
    return [as_due(row) for row in await db.fetch(UPCOMING, now, until, user_id, limit, kinds)]


async def of_kind(db: Queries, kind: Kind, limit: int = 100) -> list[Due]:
    """Return the pending ones of a kind, the soonest first, paused timers last. Raises LinkDown."""
    return [as_due(row) for row in await db.fetch(OF_KIND, kind, limit)]


async def one(db: Queries, reminder_id: UUID) -> Due | None:
    """Return a reminder by its id, in whatever state, or None. Raises LinkDown."""
    row = await db.fetchrow(ONE, reminder_id)
    return None if row is None else as_due(row)


async def recent(db: Queries, since: datetime, now: datetime, limit: int = 100) -> list[Due]:
    """Return what was spoken (or done before that) since a moment, the latest first. Raises LinkDown.

    "Já tomei" and "me lembra em dez minutos" are about the first of those that are not done.
    """
    found = [as_due(row) for row in await db.fetch(RECENT, since, now, limit)]
    return sorted(found, key=lambda due: due.triggered_at or due.scheduled_at, reverse=True)[:limit]


def holding(dues: Sequence[Due], words: Sequence[str]) -> list[Due]:
    """Return those whose titles hold all `words`.

    Accents, case and plurals are forgiven; words of one or two letters count only where there are no others.
    """
    wanted = stems(" ".join(words))
    telling = [stem for stem in wanted if len(stem) > 2] or wanted
    return [due for due in dues if telling and holds(due.title, telling)]
