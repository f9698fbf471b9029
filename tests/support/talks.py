"""Conversations to search, and what was found in them."""

from datetime import datetime, timedelta
from uuid import UUID

from db.database import Database
from db.search import Found
from support.turns import NOW


async def said(db: Database, *contents: str, at: datetime = NOW, person: str | None = None) -> UUID:
    """Store messages of one conversation, a second apart, and return the conversation's id."""
    user = person and await db.fetchval("INSERT INTO users (name) VALUES ($1) RETURNING id", person)
    talk: UUID = await db.fetchval(
        "INSERT INTO conversations (user_id, started_at) VALUES ($1, $2) RETURNING id", user, at
    )
    for number, content in enumerate(contents):
        await db.execute(
            "INSERT INTO messages (conversation_id, role, content, timestamp) VALUES ($1, $2, $3, $4)",
            talk, "assistant" if number % 2 else "user", content, at + timedelta(seconds=number),
        )  # fmt: skip
    return talk


def contents(found: list[Found]) -> list[str]:
    """Return what the messages say."""
    return [each.content for each in found]


def marked(found: Found) -> str:
    """Return an excerpt with its words found in brackets."""
    return "".join(f"[{piece.text}]" if piece.found else piece.text for piece in found.excerpt)
