"""Consents: what each person allowed to be kept of them. Rows are only added; the newest of a kind counts."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from db.database import Queries

if TYPE_CHECKING:
    from models.consent import ConsentKind, ConsentWay

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


async def allows(db: Queries, user_id: UUID, kind: "ConsentKind") -> bool:
    """Tell whether a person allows this now; who was never asked does not. Raises LinkDown."""
    allowed: bool = await db.fetchval(ALLOWED, user_id, kind)
    return allowed


async def standing(db: Queries, user_id: UUID) -> "Mapping[ConsentKind, Consented]":
    """Return what a person said last, by kind; kinds they were never asked about are left out. Raises LinkDown."""
    return {row["kind"]: Consented(**dict(row)) for row in await db.fetch(NEWEST, user_id)}
