"""Memories found by words: those that the question holds, and those that are related to them.

Every function raises LinkDown.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from db.database import Queries, storable
from db.memories import FOR_WHOM, MOST_QUESTION, Listener, circumstances

MOST_OF_A_WORD, MOST_OF_A_RELATED = 500, 50
"""How many memories of one word are looked at: a word in more of them tells little."""
MOST_WORDS = 500
WORD = re.compile(r"[^\W_]{1,60}")

# Each word asked for, or one related to it, brings its memories; one that few of them hold counts more. Of a word and
# what is related to it the best counts. Long texts hold more by chance.
WORDS = f"""
WITH asked AS MATERIALIZED (
    SELECT place, lexeme, max(weight) AS weight
    FROM unnest($6::int[], string_to_array(search_form($7), ' '), $8::float8[]) AS given(place, word, weight)
    CROSS JOIN LATERAL unnest(ts_lexize('pg_catalog.portuguese_stem', word)) AS lexeme GROUP BY place, lexeme
), known AS MATERIALIZED (
    SELECT GREATEST(reltuples, 200) AS memories FROM pg_class WHERE oid = 'memories'::regclass
), found AS MATERIALIZED (
    SELECT lexeme, m.* FROM (SELECT lexeme, max(weight) AS weight FROM asked GROUP BY lexeme) AS one
    CROSS JOIN LATERAL (
        SELECT id, length(search) AS words, created_at FROM memories
        WHERE search @@ format('%L', lexeme)::tsquery AND {FOR_WHOM}
        LIMIT CASE WHEN weight < 1 THEN {MOST_OF_A_RELATED} ELSE {MOST_OF_A_WORD} END
    ) AS m
), rarity AS (
    SELECT lexeme, ln(1 + (memories - LEAST(count(*), memories) + 0.5) / (count(*) + 0.5)) AS rarity
    FROM found, known GROUP BY lexeme, memories
), best AS (
    SELECT id, place, max(weight * rarity) AS score, max(words) AS words, max(created_at) AS created_at,
           bool_or(weight = 1) AS exact
    FROM found JOIN rarity USING (lexeme) JOIN asked USING (lexeme) GROUP BY id, place
)
SELECT id, (sum(score) / (0.8 + 0.2 * max(words) / 7.0))::float8 AS score, bool_or(exact) AS exact
FROM best GROUP BY id ORDER BY score DESC, max(created_at) DESC, id LIMIT $9
"""  # noqa: S608 - constants


@dataclass(frozen=True, slots=True)
class AskedWord:
    """A word to look for. `place` is that of the question's word that it is, or stands for; `weight` is 0 to 1."""

    place: int
    word: str
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Worded:
    """What words found. `score` is the sum of their rarities, some 5 for a word that few memories hold.

    `exact` where one of them is the question's own, and not only related to one.
    """

    id: UUID
    score: float
    exact: bool


async def by_words(
    db: Queries, question: str, asked: Sequence[AskedWord], listener: Listener, most: int
) -> list[Worded]:
    """Return the memories that hold the rarest of these words, the best first.

    `question` is the whole of it, in which a room may be named.
    """
    words = [(one.place, word, one.weight) for one in asked for word in WORD.findall(one.word)][:MOST_WORDS]
    places, written, weights = zip(*words, strict=True) if words else ((), (), ())
    # Their forms are made of all at once: the function that does it costs more than the look at the index.
    rows = await db.fetch(
        WORDS, *circumstances(listener), storable(question[:MOST_QUESTION]), places, " ".join(written), weights, most,
    )  # fmt: skip
    return [Worded(**dict(row)) for row in rows]
