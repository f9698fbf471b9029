"""Finding messages by their words: in Portuguese, accents and plurals forgiven, the best and the newest first.

What a question may hold: words (all of them must be there), "words in this order" in quotes, `ou` between alternatives,
`-word` for what must not be there. Anything else is passed over; no text is an error. Words that say nothing by
themselves ("o", "de", "não"…) are passed over too. How text becomes lexemes is told in `0004_search`.

However common its words are, a search reads few messages. It goes back month by month, through months that have
messages, until it has the newest CANDIDATES matches. Only if MONTHS of them hold fewer matches than are asked for is
all the rest looked through, at once: then the words are rare. The candidates are ranked by how near each other the
words stand (`ts_rank_cd`), and then the newest first. So of words said every day the last weeks are ranked, of those
said every week the last months, and of anything rarer all there is. Words in quotes stand equally near in all matches,
so that of a question with quotes the newest matches are the answer, and no more candidates are read than are asked for:
the index knows which words a message holds, not in which order, and one read of ten has them so.
"""

import re
import unicodedata
from collections.abc import Container, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from uuid import UUID

import asyncpg

from db.database import Queries, storable
from db.messages import Message, Role

CANDIDATES = 200
"""How many matches are ranked: the newest. Each is a row read from a place of its own, which is what costs."""
MONTHS = 8
"""How many months are looked through one by one, the newest first."""
PERSON_CONVERSATIONS = 2000
"""How many of a person's newest conversations are looked through where those held too few."""
MOST_QUESTION = 400
"""What of a question counts, in characters, as `search_query` has it."""
MOST_EXCERPT = 240
"""Longest excerpt, in characters."""
MOST_LOOKED_AT = 20_000
"""How far into a message words are looked for to show, in characters."""
MOST_MESSAGES = 100
"""How many messages of one conversation are listed."""
LEAD = 60
"""How many characters of an excerpt stand before the first word found."""

# Each month's matches come from the one index (OFFSET 0 keeps the planner from reading all moments of ten years beside
# it); the join keeps the months' order, and its limit stops going back.
_NEWEST = """
WITH RECURSIVE asked AS MATERIALIZED (
    SELECT query, COALESCE($2::timestamptz, '-infinity') AS since,
           CASE WHEN numnode(query) = 0 THEN '-infinity' ELSE COALESCE($3::timestamptz, 'infinity') END AS until
    FROM search_query($1) AS query
), month(n, until, first) AS (
    SELECT 1, until, (SELECT date_trunc('month', timestamp, 'UTC') FROM messages
                      WHERE timestamp >= since AND timestamp < until ORDER BY timestamp DESC LIMIT 1)
    FROM asked
    UNION ALL
    SELECT n + 1, first, (SELECT date_trunc('month', timestamp, 'UTC') FROM messages
                          WHERE timestamp >= since AND timestamp < first ORDER BY timestamp DESC LIMIT 1)
    FROM asked, month WHERE first IS NOT NULL AND n <= $7
), recent AS MATERIALIZED (
    SELECT newest.* FROM asked, month CROSS JOIN LATERAL (
        SELECT * FROM (
            SELECT id, conversation_id, timestamp, search FROM messages
            WHERE search @@ (format('%L', search_month(first))::tsquery && query) OFFSET 0
        ) AS match WHERE timestamp >= since AND timestamp < month.until
        ORDER BY timestamp DESC LIMIT $4
    ) AS newest WHERE first IS NOT NULL AND n <= $7 LIMIT $4
), found AS MATERIALIZED (
    SELECT * FROM recent
    UNION ALL
    SELECT older.* FROM asked, month CROSS JOIN LATERAL (
        SELECT * FROM (
            SELECT id, conversation_id, timestamp, search FROM messages WHERE search @@ query OFFSET 0
        ) AS match WHERE timestamp >= since AND timestamp < month.until
        ORDER BY timestamp DESC LIMIT $4
    ) AS older WHERE first IS NOT NULL AND n = $7 + 1 AND (SELECT count(*) FROM recent) < $6
)"""

_OF_PERSON = """
WITH asked AS MATERIALIZED (SELECT search_query($1) AS query), talk AS MATERIALIZED (
    SELECT id FROM conversations WHERE user_id = ANY ($5::uuid[]) AND started_at < COALESCE($3::timestamptz, 'infinity')
    ORDER BY started_at DESC LIMIT $4
), found AS MATERIALIZED (
    SELECT m.id, conversation_id, timestamp, search
    FROM asked, talk JOIN messages AS m ON m.conversation_id = talk.id
    WHERE search @@ query AND timestamp >= COALESCE($2::timestamptz, '-infinity')
      AND timestamp < COALESCE($3::timestamptz, 'infinity')
)"""

_RANKED = """
, ranked AS (
    SELECT f.id, ts_rank_cd(f.search, query)::float8 AS rank
    FROM asked, found AS f
    WHERE $5::uuid[] IS NULL
       OR EXISTS (SELECT FROM conversations AS c WHERE c.id = f.conversation_id AND c.user_id = ANY ($5))
    ORDER BY rank DESC, f.timestamp DESC, f.id LIMIT $6
)
SELECT m.id, m.conversation_id, u.name AS person, m.role, m.content, m.timestamp AS at, rank, looked_at
FROM (SELECT count(*) AS looked_at FROM found) AS looked LEFT JOIN (
    ranked JOIN messages AS m USING (id) JOIN conversations AS c ON c.id = m.conversation_id
    LEFT JOIN users AS u ON u.id = c.user_id
) ON TRUE ORDER BY rank DESC, at DESC, m.id
"""

NEWEST = _NEWEST + _RANKED
OF_PERSON = _OF_PERSON + _RANKED

# The question is a query of its own, so that it is put into its form once, not once a word.
ALIKE = """
SELECT n::integer - 1 FROM unnest(string_to_array(search_form($1), E'\\n')) WITH ORDINALITY AS word(form, n)
WHERE tsvector_to_array(to_tsvector('pg_catalog.portuguese', form))
      && (SELECT tsvector_to_array(to_tsvector('pg_catalog.portuguese', search_form(left($2, 400)))))
"""

PEOPLE = """
SELECT id FROM users, search_folded($1) AS asked
WHERE search_folded(name) = asked OR starts_with(search_folded(name), asked || ' ')
"""

TALKS = """
WITH talk AS MATERIALIZED (
    SELECT id, user_id, started_at, ended_at FROM conversations
    WHERE started_at >= COALESCE($1::timestamptz, '-infinity') AND started_at < COALESCE($2::timestamptz, 'infinity')
      AND ($3::uuid[] IS NULL OR user_id = ANY ($3))
    ORDER BY started_at DESC LIMIT $4
)
SELECT t.id AS talk_id, u.name AS person, t.started_at, t.ended_at, m.*
FROM talk AS t LEFT JOIN users AS u ON u.id = t.user_id LEFT JOIN LATERAL (
    SELECT id, role, content, timestamp AS at, intent, confidence, latency_ms
    FROM messages WHERE conversation_id = t.id ORDER BY timestamp DESC, role LIMIT $5
) AS m ON TRUE
ORDER BY t.started_at, t.id, m.at, m.role DESC
"""

_MESSAGE = ("id", "role", "content", "at", "intent", "confidence", "latency_ms")
_COLUMNS = ("id", "conversation_id", "person", "role", "at", "rank", "content")


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of an excerpt; `found` where it is a word that was asked for."""

    text: str
    found: bool


@dataclass(frozen=True, slots=True)
class Found:
    """A message that was found. `person` is whose conversation it is in, `rank` grows as words stand nearer."""

    id: UUID
    conversation_id: UUID
    person: str | None
    role: Role
    at: datetime
    rank: float
    content: str
    excerpt: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Talk:
    """A conversation with its messages (the newest MOST_MESSAGES of them), the oldest first."""

    id: UUID
    person: str | None
    started_at: datetime
    ended_at: datetime | None
    messages: tuple[Message, ...]


async def search(
    db: Queries,
    question: str,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    people: Sequence[UUID] | None = None,
    limit: int = 20,
) -> list[Found]:
    """Return the best matches from `since` until just before `until`, in the conversations of `people` where given.

    No text is an error; one without a word to look for finds nothing (`means_something` tells). Raises LinkDown.
    """
    question = storable(question[:MOST_QUESTION])
    candidates = limit if '"' in question and people is None else max(limit, CANDIDATES)
    rows = await db.fetch(NEWEST, question, since, until, candidates, people, limit, MONTHS)
    if people is not None and len(rows) < limit <= rows[0]["looked_at"]:
        # Others said these words so often that this person's lie further back than was looked.
        rows = await db.fetch(OF_PERSON, question, since, until, PERSON_CONVERSATIONS, people, limit)
    rows = [row for row in rows if row["id"] is not None]
    excerpts = await _excerpts(db, question, [row["content"] for row in rows])
    return [
        Found(**{name: row[name] for name in _COLUMNS}, excerpt=excerpt)
        for row, excerpt in zip(rows, excerpts, strict=True)
    ]


async def means_something(db: Queries, question: str) -> bool:
    """Tell whether a question holds any word to look for. Raises LinkDown."""
    return bool(await db.fetchval("SELECT numnode(search_query($1)) > 0", storable(question[:MOST_QUESTION])))


async def people_named(db: Queries, name: str) -> list[UUID]:
    """Return who is called `name`, or has it as first name; capitals and accents forgiven. Raises LinkDown."""
    rows = await db.fetch(PEOPLE, storable(" ".join(name.split())))
    return [row["id"] for row in rows]


async def talks(
    db: Queries,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    people: Sequence[UUID] | None = None,
    limit: int = 10,
) -> list[Talk]:
    """Return the newest conversations, the oldest of them first. Raises LinkDown."""
    rows = await db.fetch(TALKS, since, until, people, limit, MOST_MESSAGES)
    return [_talk(list(of_one)) for _, of_one in groupby(rows, key=lambda row: row["talk_id"])]


def _talk(rows: Sequence[asyncpg.Record]) -> Talk:
    first = rows[0]
    said = tuple(Message(**{name: row[name] for name in _MESSAGE}) for row in rows if row["id"] is not None)
    return Talk(first["talk_id"], first["person"], first["started_at"], first["ended_at"], said)


async def _excerpts(db: Queries, question: str, contents: Sequence[str]) -> list[tuple[Piece, ...]]:
    """Return of each text the part around the first word that was asked for, with those words told apart.

    The server's `ts_headline` knows nothing of the normal form and would leave "remédio" unmarked for "remedios"; so
    the words of all texts go through the form that the messages went through, in one query.
    """
    texts = [one_line(content[:MOST_LOOKED_AT]) for content in contents]
    words = sorted({word for text in texts for word in re.findall(r"\w+", text)})
    rows = await db.fetch(ALIKE, storable("\n".join(words)), question) if words else []
    alike = {words[row[0]] for row in rows}
    return [_excerpt(text, alike) for text in texts]


def one_line(text: str) -> str:
    """Return `text` composed, and without what moves a terminal's cursor or turns its writing round."""
    composed = unicodedata.normalize("NFC", text)
    return " ".join("".join(char if char.isprintable() else " " for char in composed).split())


def _excerpt(text: str, alike: Container[str]) -> tuple[Piece, ...]:
    """Return at most MOST_EXCERPT characters of `text`, from LEAD before its first word of `alike`."""
    words = list(re.finditer(r"\w+", text))
    first = next((word.start() for word in words if word[0] in alike), 0)
    start = next((word.start() for word in words if word.start() >= first - LEAD), 0) if first > LEAD else 0
    most = start + MOST_EXCERPT
    ends = (word.end() for word in words if start <= word.start() and word.end() <= most)
    end = len(text) if len(text) <= most else max(ends, default=most)
    parts = re.split(r"(\w+)", text[start:end])
    runs = [("".join(run), found) for found, run in groupby(parts, key=lambda part: part in alike)]
    whole = (("…", False), *runs) if start else runs
    ended = (*whole, ("…", False)) if end < len(text) else whole
    return tuple(Piece(part, found) for part, found in ended if part)
