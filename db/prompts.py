"""Prompts by version, and what their answers took."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from db.database import Database, Queries
from db.text import clipped, storable_json
from models.words import PromptStatus

NAME = "casa"
"""The prompt that every conversation begins with."""
FACTORY = "mordomo"
"""Who wrote the versions that come with Mordomo."""
MOST_TEXT = 20_000
MOST_COMPARED = 5_000

_SET_STATUS = "UPDATE prompt_templates SET status = $3 WHERE name = $1 AND version = $2"
_COLUMNS = "id, name, version, content, digest, status, note, created_at, created_by"


@dataclass(frozen=True, slots=True)
class PromptRow:
    """One version of a prompt."""

    id: UUID
    name: str
    version: int
    content: str
    digest: str
    status: PromptStatus
    note: str | None
    created_at: datetime
    created_by: str | None


@dataclass(frozen=True, slots=True)
class InferenceRow:
    """What one answer took. Times in milliseconds; `calls` are `{tool, arguments, outcome}`."""

    message_id: UUID
    prompt_id: UUID | None
    digest: str
    shadow: bool
    model: str
    total_ms: float
    first_token_ms: float | None = None
    first_sentence_ms: float | None = None
    rounds: int = 1
    prompt_tokens: int = 0
    tokens: int = 0
    content: str = ""
    calls: Sequence[Mapping[str, object]] = field(default_factory=list)
    error: str | None = None


async def versions(db: Queries, name: str = NAME) -> list[PromptRow]:
    """Return all versions of a prompt, the newest first. Raises LinkDown."""
    rows = await db.fetch(f"SELECT {_COLUMNS} FROM prompt_templates WHERE name = $1 ORDER BY version DESC", name)  # noqa: S608
    return [PromptRow(**dict(row)) for row in rows]


async def in_force(db: Queries, name: str = NAME) -> tuple[PromptRow | None, PromptRow | None]:
    """Return the active version and the shadow. Raises LinkDown."""
    sql = f"SELECT {_COLUMNS} FROM prompt_templates WHERE name = $1 AND status IN ('active', 'shadow')"  # noqa: S608
    found = {row["status"]: PromptRow(**dict(row)) for row in await db.fetch(sql, name)}
    return found.get("active"), found.get("shadow")


async def add(db: Queries, content: str, note: str | None, by: str, name: str = NAME) -> int:
    """Store a new version as a draft and return its number. Raises ValueError for no text or too long a one."""
    text = content.strip()
    if not text or len(text) > MOST_TEXT:
        raise ValueError(f"o texto precisa ter de 1 a {MOST_TEXT} letras; este tem {len(text)}")
    sql = """
        INSERT INTO prompt_templates (name, version, content, note, created_by)
        SELECT $1::varchar, COALESCE(max(version), 0) + 1, $2, $3, $4 FROM prompt_templates WHERE name = $1::varchar
        RETURNING version
    """
    version: int = await db.fetchval(sql, name, clipped(text, MOST_TEXT), note, by[:100])
    return version


async def set_status(db: Database, version: int, status: PromptStatus, name: str = NAME) -> bool:
    """Give a version a status, and the one that had it another (an active one retires, a shadow is a draft again).

    Return False where there is no such version, or it is the active one: that goes only as another takes its place.
    Raises LinkDown.
    """
    async with db.transaction() as connection:
        rows = await connection.fetch(
            "SELECT version, status FROM prompt_templates WHERE name = $1 ORDER BY version FOR UPDATE", name
        )
        now = {row["version"]: row["status"] for row in rows}
        if version not in now or (now[version] == "active" and status != "active"):
            return False
        for other, its_status in now.items():
            if other != version and its_status == status and status in {"active", "shadow"}:
                after = "retired" if status == "active" else "draft"
                await connection.execute(_SET_STATUS, name, other, after)
        await connection.execute(_SET_STATUS, name, version, status)
    return True


async def seed(db: Database, content: str, name: str = NAME) -> None:
    """Have the text that Mordomo comes with as a version; in force where nobody chose another. Raises LinkDown."""
    rows = await versions(db, name)
    if any(row.content == content for row in rows):
        return
    active = next((row for row in rows if row.status == "active"), None)
    version = await add(db, content, "de fábrica", FACTORY, name)
    if active is None or active.created_by == FACTORY:
        await set_status(db, version, "active", name)


async def record(db: Queries, row: InferenceRow) -> bool:
    """Store what an answer took; False where its message is not stored (it waits on the disk). Raises LinkDown."""
    # Nothing depends on it, so it does not wait for the disk: what was said is stored just then, and would wait for it.
    tag = await db.execute(
        """
        WITH soon AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true))
        INSERT INTO inferences (message_id, prompt_id, digest, shadow, model, first_token_ms, first_sentence_ms,
                                total_ms, rounds, prompt_tokens, tokens, content, calls, error)
        SELECT m.id, (SELECT p.id FROM prompt_templates p WHERE p.id = $2), $3, $4, $5, $6, $7, $8, $9, $10, $11, $12,
               $13, $14
        FROM soon, messages m WHERE m.id = $1
        """,
        row.message_id, row.prompt_id, row.digest, row.shadow, clipped(row.model, 100), row.first_token_ms,
        row.first_sentence_ms, row.total_ms, row.rounds, row.prompt_tokens, row.tokens, clipped(row.content, MOST_TEXT),
        storable_json(list(row.calls)), None if row.error is None else clipped(row.error, 500),
    )  # fmt: skip
    return tag == "INSERT 0 1"


async def inferences(db: Queries, prompts: Sequence[UUID], since: datetime) -> list[InferenceRow]:
    """Return what the answers of these prompts took, as their texts are now, the newest first. Raises LinkDown."""
    rows = await db.fetch(
        """
        SELECT i.message_id, i.prompt_id, i.digest, i.shadow, i.model, i.total_ms, i.first_token_ms,
               i.first_sentence_ms, i.rounds, i.prompt_tokens, i.tokens, i.content, i.calls, i.error
        FROM inferences i JOIN prompt_templates p ON p.id = i.prompt_id AND p.digest = i.digest
        WHERE i.prompt_id = ANY ($1) AND i.at >= $2 ORDER BY i.at DESC LIMIT $3
        """,
        list(prompts), since, MOST_COMPARED,
    )  # fmt: skip
    return [InferenceRow(**dict(row)) for row in rows]
