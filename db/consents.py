"""Consents: what each person allowed to be kept of them. Rows are only added; the newest of a kind counts."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from db.database import Queries

if TYPE_CHECKING:
    from models.words import ConsentKind, ConsentWay

KINDS: "tuple[ConsentKind, ...]" = ("voiceprint", "audio", "memory")

RECORD = """
INSERT INTO consents (user_id, kind, given, how, message_id, at) VALUES ($1, $2, $3, $4, $5, $6)
"""
NEWEST = """
SELECT DISTINCT ON (kind) kind, given, at, how, message_id FROM consents WHERE user_id = $1 ORDER BY kind, id DESC
"""
ALLOWED = """
SELECT COALESCE((SELECT given FROM consents WHERE user_id = $1 AND kind = $2 ORDER BY id DESC LIMIT 1), FALSE)
"""

# When somebody was asked last and had not answered yet is a mark on their own row, which an export and an erasure take.
ASK = """
UPDATE users SET metadata = jsonb_set(
    metadata, '{asked}', COALESCE(metadata -> 'asked', '{}') || jsonb_build_object($2::text, $3::timestamptz))
WHERE id = $1 AND NOT EXISTS (SELECT FROM consents WHERE user_id = $1 AND kind = $2)
    AND COALESCE((metadata -> 'asked' ->> $2)::timestamptz <= $4, TRUE)
RETURNING TRUE
"""


@dataclass(frozen=True, slots=True)
class Consented:
    """What a person said last about one kind: when, by which way, and in which message, where it was said aloud."""

    kind: "ConsentKind"
    given: bool
    at: datetime
    how: "ConsentWay"
    message_id: UUID | None


async def record(
    db: Queries,
    user_id: UUID,
    kind: "ConsentKind",
    *,
    given: bool,
    how: "ConsentWay",
    at: datetime,
    message_id: UUID | None = None,
) -> None:
    """Write down what a person said. A withdrawal alone erases nothing: daemon/people/privacy does. Raises LinkDown."""
    await db.execute(RECORD, user_id, kind, given, how, message_id, at)


async def ask(db: Queries, user_id: UUID, kind: "ConsentKind", at: datetime, not_since: datetime) -> bool:
    """Note that a person is asked now; False where they answered before, or were asked after `not_since`.

    Of two who ask at once only one is told to. Raises LinkDown.
    """
    return await db.fetchval(ASK, user_id, kind, at, not_since) is True


async def allows(db: Queries, user_id: UUID, kind: "ConsentKind") -> bool:
    """Tell whether a person allows this now; who was never asked does not. Raises LinkDown."""
    allowed: bool = await db.fetchval(ALLOWED, user_id, kind)
    return allowed


async def standing(db: Queries, user_id: UUID) -> "Mapping[ConsentKind, Consented]":
    """Return what a person said last, by kind; kinds they were never asked about are left out. Raises LinkDown."""
    return {row["kind"]: Consented(**dict(row)) for row in await db.fetch(NEWEST, user_id)}
