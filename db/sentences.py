"""The household's own sentences: those in force, and what is wrong with one."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from db.database import Queries

MOST_SENTENCES = 2000
"""So many are read; a house that has more has a program writing them."""


@dataclass(frozen=True, slots=True)
class SentenceRow:
    """One enabled sentence, as stored. `slots` is whatever JSON object the household wrote."""

    id: UUID
    pattern: str
    intent: str
    slots: Mapping[str, object]
    fault: str | None


async def enabled(db: Queries) -> list[SentenceRow]:
    """Return the sentences in force, the oldest first. Raises LinkDown."""
    rows = await db.fetch(
        "SELECT id, pattern, intent, slots, fault FROM sentences WHERE enabled ORDER BY created_at, id LIMIT $1",
        MOST_SENTENCES,
    )
    return [SentenceRow(row["id"], row["pattern"], row["intent"], row["slots"], row["fault"]) for row in rows]


async def set_fault(db: Queries, sentence: UUID, fault: str | None) -> None:
    """Write beside a sentence why it is not used (None: it is). Notifies nobody. Raises LinkDown."""
    await db.execute("UPDATE sentences SET fault = $2 WHERE id = $1", sentence, fault)
