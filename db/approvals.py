"""Approvals: what somebody asked another's leave for, and every step of it. Each step is one statement, taken once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from db.audit import Channel, acting_as
from db.database import Database, Queries
from models.words import ApprovalStatus

CHANNEL = "mordomo_approvals"
MOST_OPEN = 8
"""So many requests wait at once; whoever asks for more is teasing."""
COLUMNS = (
    "id, user_id, asked_by, role, source, area, words, doing, intents, status, asked_at, expires_at, announced_at,"
    " decided_by, decided_user, decided_role, decided_via, decided_at, ended_at, outcome"
)
"""The columns of an ApprovalRow, in the order of its fields."""

ASK = f"""
INSERT INTO approvals (user_id, asked_by, role, source, area, words, doing, intents, asked_at, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) RETURNING {COLUMNS}
"""  # noqa: S608 - constants of this file
DECIDE = f"""
UPDATE approvals SET status = $2::text, decided_by = $3, decided_user = $4, decided_role = $5, decided_via = $6,
    decided_at = $7, ended_at = CASE WHEN $2::text = 'refused' THEN $7::timestamptz END
WHERE id = $1 AND status = 'pending' AND expires_at > $7 RETURNING {COLUMNS}
"""  # noqa: S608 - constants of this file
EXPIRE = f"""
UPDATE approvals SET status = 'expired', ended_at = $1
WHERE status = 'pending' AND expires_at <= $1 RETURNING {COLUMNS}
"""  # noqa: S608 - constants of this file
CLAIM = f"""
UPDATE approvals SET status = CASE WHEN decided_at > $2 THEN 'executing' ELSE 'expired' END,
    ended_at = CASE WHEN decided_at > $2 THEN NULL ELSE $1::timestamptz END
WHERE id = ANY (ARRAY(SELECT id FROM approvals WHERE status = 'granted' ORDER BY decided_at FOR UPDATE SKIP LOCKED))
RETURNING {COLUMNS}
"""  # noqa: S608 - constants of this file
LEFT = f"""
UPDATE approvals SET status = 'failed', outcome = $2, ended_at = $3
WHERE status = 'executing' AND decided_at <= $1 RETURNING {COLUMNS}
"""  # noqa: S608 - constants of this file
TOLD = f"""
UPDATE approvals SET outcome = 'avisado' WHERE status = 'refused' AND outcome IS NULL RETURNING {COLUMNS}
"""  # noqa: S608 - constants of this file
OPEN = f"""
SELECT {COLUMNS} FROM approvals WHERE status = 'pending' AND expires_at > $1 ORDER BY asked_at DESC LIMIT $2
"""  # noqa: S608 - constants of this file
RECENT = f"SELECT {COLUMNS} FROM approvals ORDER BY asked_at DESC LIMIT $1"  # noqa: S608 - constants of this file


@dataclass(frozen=True, slots=True)
class ApprovalRow:
    """One request, as stored; see `models/approval.py`."""

    id: UUID
    user_id: UUID | None
    asked_by: str
    role: str
    source: str
    area: str | None
    words: str
    doing: str
    intents: list[Any]
    status: ApprovalStatus
    asked_at: datetime
    expires_at: datetime
    announced_at: datetime | None = None
    decided_by: str | None = None
    decided_user: UUID | None = None
    decided_role: str | None = None
    decided_via: Channel | None = None
    decided_at: datetime | None = None
    ended_at: datetime | None = None
    outcome: str | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """A request about to be stored: whose, in which words, by which way, and until when it may be answered."""

    user_id: UUID | None
    asked_by: str
    role: str
    source: str
    area: str | None
    words: str
    doing: str
    intents: Sequence[Any]
    at: datetime
    expires_at: datetime
    via: Channel = "voice"


class TooMany(Exception):  # noqa: N818 - it says what there is
    """MOST_OPEN requests wait already."""


async def ask(db: Database, asked: Asked) -> tuple[ApprovalRow, bool]:
    """Store a request; return it, and whether it is new: the same of the same person is not asked twice at once.

    Raises TooMany, LinkDown.
    """
    async with acting_as(db, asked.asked_by, asked.via) as connection:
        await connection.execute("SELECT pg_advisory_xact_lock(hashtext('approvals'))")
        waiting = await pending(connection, asked.at)
        for one in waiting:
            if (one.user_id, one.role, one.doing, one.intents) == (
                asked.user_id, asked.role, asked.doing, list(asked.intents),
            ):  # fmt: skip
                return one, False
        if len(waiting) >= MOST_OPEN:
            raise TooMany
        row = await connection.fetchrow(
            ASK, asked.user_id, asked.asked_by[:100], asked.role, asked.source[:50], asked.area and asked.area[:100],
            asked.words, asked.doing, list(asked.intents), asked.at, asked.expires_at,
        )  # fmt: skip
        return _row(row), True


async def decide(
    db: Queries, approval: UUID, *, granted: bool, by: str, user_id: UUID | None, role: str, via: Channel, at: datetime
) -> ApprovalRow | None:
    """Record the answer; None where it was answered before, or its time is over. Raises LinkDown."""
    status = "granted" if granted else "refused"
    row = await db.fetchrow(DECIDE, approval, status, by[:100], user_id, role, via, at)
    return None if row is None else _row(row)


async def claim(db: Queries, now: datetime, decided_after: datetime) -> list[ApprovalRow]:
    """Take what was granted, each once: those granted after a moment as `executing`, the others as `expired`.

    Whoever is given one as `executing` carries it out now, or never. Raises LinkDown.
    """
    return [_row(row) for row in await db.fetch(CLAIM, now, decided_after)]


async def expire(db: Queries, now: datetime) -> list[ApprovalRow]:
    """Take, each once, what nobody answered in time. Raises LinkDown."""
    return [_row(row) for row in await db.fetch(EXPIRE, now)]


async def ended(db: Queries, approval: UUID, *, ok: bool, outcome: str, at: datetime) -> None:
    """Record how what was granted went. Raises LinkDown."""
    await db.execute(
        "UPDATE approvals SET status = $2, outcome = $3, ended_at = $4 WHERE id = $1 AND status = 'executing'",
        approval, "done" if ok else "failed", outcome, at,
    )  # fmt: skip


async def left_executing(db: Queries, decided_before: datetime, outcome: str, at: datetime) -> list[ApprovalRow]:
    """End, each once, what a daemon that died was carrying out: whether it was done nobody knows. Raises LinkDown."""
    return [_row(row) for row in await db.fetch(LEFT, decided_before, outcome, at)]


async def untold_refusals(db: Queries) -> list[ApprovalRow]:
    """Take, each once, what was refused and who asked has yet to be told. Raises LinkDown."""
    return [_row(row) for row in await db.fetch(TOLD)]


async def announced(db: Queries, approval: UUID, at: datetime) -> bool:
    """Note that it was asked aloud; False where somebody did before. Raises LinkDown."""
    return (
        await db.fetchval(
            "UPDATE approvals SET announced_at = $2 WHERE id = $1 AND announced_at IS NULL RETURNING TRUE", approval, at
        )
        is True
    )


async def pending(db: Queries, now: datetime) -> list[ApprovalRow]:
    """Return what waits for an answer, the newest first. Raises LinkDown."""
    return [_row(row) for row in await db.fetch(OPEN, now, MOST_OPEN)]


async def by_id(db: Queries, approval: UUID) -> ApprovalRow | None:
    """Return one request. Raises LinkDown."""
    row = await db.fetchrow(f"SELECT {COLUMNS} FROM approvals WHERE id = $1", approval)  # noqa: S608 - a constant
    return None if row is None else _row(row)


async def recent(db: Queries, limit: int = 50) -> list[ApprovalRow]:
    """Return the newest requests, the newest first. Raises LinkDown."""
    return [_row(row) for row in await db.fetch(RECENT, limit)]


def _row(row: "asyncpg.Record | None") -> ApprovalRow:
    assert row is not None  # noqa: S101 - RETURNING gives the row
    return ApprovalRow(*row)
