"""The reports: what each counts, over which time, and that the views say the same to any SQL client."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from db.database import Database
from db.ledger import new_id
from db.reports import (
    Failure,
    active_people,
    common_intents,
    failures,
    latency_of_rooms,
    latency_of_steps,
    table_sizes,
    turns_over_time,
    unused_indexes,
)
from db.search import search

NOW = datetime.now(UTC).replace(microsecond=0)
DAY = timedelta(days=1)
WEEK_AGO = NOW - 7 * DAY


async def person(db: Database, name: str) -> object:
    return await db.fetchval("INSERT INTO users (name) VALUES ($1) RETURNING id", name)


async def turn(
    db: Database,
    at: datetime = NOW,
    *,
    who: object = None,
    intent: str | None = "HassTurnOn",
    confidence: float | None = 0.9,
    area: str | None = "sala",
    latency_ms: int | None = 400,
    **metadata: Any,
) -> None:
    """Store a turn as the butler does: what was asked, and a second later what was said."""
    talk = await db.fetchval(
        "INSERT INTO conversations (id, user_id, started_at) VALUES ($1, $2, $3) RETURNING id", new_id(), who, at
    )
    await db.execute(
        "INSERT INTO messages (conversation_id, role, content, timestamp, intent, confidence, metadata)"
        " VALUES ($1, 'user', 'acende', $2, $3, $4, $5)",
        talk, at, intent, confidence, {"area": area, "source": "microfone"},
    )  # fmt: skip
    await db.execute(
        "INSERT INTO messages (conversation_id, role, content, timestamp, intent, latency_ms, metadata)"
        " VALUES ($1, 'assistant', 'Acendi.', $2, $3, $4, $5)",
        talk, at + timedelta(seconds=1), intent, latency_ms, {"source": "microfone", "outcome": "answered", **metadata},
    )  # fmt: skip


async def failed_action(db: Database, name: str, error: str | None, at: datetime = NOW, status: str = "failed") -> None:
    await db.execute(
        "INSERT INTO actions (action_type, action_name, parameters, status, error_message, created_at)"
        " VALUES ('iot_control', $1, '{}', $2, $3, $4)",
        name, status, error, at,
    )  # fmt: skip


async def test_an_empty_house_has_empty_reports(db: Database) -> None:
    for report in (active_people, common_intents, latency_of_steps, latency_of_rooms, failures):
        assert await report(db, WEEK_AGO) == []
    assert await turns_over_time(db, WEEK_AGO, "day", "America/Sao_Paulo") == []
    for view in ("active_people", "intents", "latency", "latency_by_room", "failures", "turns"):
        assert await db.fetch(f"SELECT * FROM report_{view}") == []


async def test_the_most_active_people_come_first_and_strangers_are_one(db: Database) -> None:
    ana, joao = await person(db, "Ana"), await person(db, "João")
    for _ in range(3):
        await turn(db, who=ana)
    await turn(db, who=joao)
    await turn(db)
    await turn(db)
    await turn(db, NOW - 8 * DAY, who=joao)
    rows = await active_people(db, WEEK_AGO)
    assert [(row.person, row.conversations, row.messages) for row in rows] == [
        ("Ana", 3, 6),
        (None, 2, 4),
        ("João", 1, 2),
    ]
    assert rows[0].last_at == NOW + timedelta(seconds=1)
    viewed = await db.fetch("SELECT person, conversations, messages FROM report_active_people")
    assert [tuple(row) for row in viewed] == [("Ana", 3, 6), (None, 2, 4), ("João", 1, 2)]


async def test_two_people_of_one_name_are_two(db: Database) -> None:
    await turn(db, who=await person(db, "Ana"))
    await turn(db, who=await person(db, "Ana"))
    assert [row.messages for row in await active_people(db, WEEK_AGO)] == [2, 2]


async def test_intents_are_counted_as_asked_for_one_by_one(db: Database) -> None:
    await turn(db, intent="HassTurnOn", confidence=1.0)
    await turn(db, intent="HassTurnOn+CreateReminder", confidence=0.5)
    await turn(db, intent="llm", confidence=None)
    await turn(db, intent=None)
    await turn(db, NOW - 31 * DAY, intent="HassTurnOff")
    rows = await common_intents(db, NOW - 30 * DAY)
    assert [(row.intent, row.times, row.average_confidence) for row in rows] == [
        ("HassTurnOn", 2, 0.75),
        ("CreateReminder", 1, 0.5),
        ("llm", 1, None),
    ]
    viewed = await db.fetch("SELECT intent, times FROM report_intents")
    assert [tuple(row) for row in viewed] == [("HassTurnOn", 2), ("CreateReminder", 1), ("llm", 1)]


async def test_latency_by_step(db: Database) -> None:
    for ms in range(1, 101):
        await turn(db, latency_ms=ms * 10, steps={"transcribe": ms, "understand": 0.5})
    await turn(db, NOW - 31 * DAY, latency_ms=99_999, steps={"transcribe": 99_999})
    rows = {row.step: row for row in await latency_of_steps(db, NOW - 30 * DAY)}
    assert set(rows) == {"latency", "transcribe", "understand"}
    assert rows["transcribe"].turns == 100
    assert rows["transcribe"].average_ms == rows["transcribe"].median_ms == 50.5
    assert rows["transcribe"].p95_ms == pytest.approx(95.05)
    assert rows["latency"].most_ms == 1000
    assert rows["understand"].p95_ms == 0.5
    viewed = await db.fetch("SELECT step FROM report_latency")
    assert [row["step"] for row in viewed] == ["latency", "transcribe", "understand"]


@pytest.mark.parametrize("steps", [None, [], "rápido", {"a": "b"}, {"a": None}, {"a": [1]}, 7])
async def test_steps_that_somebody_wrote_by_hand_break_no_report(db: Database, steps: object) -> None:
    await turn(db, steps=steps)
    assert [row.step for row in await latency_of_steps(db, WEEK_AGO)] == ["latency"]


async def test_latency_by_room_is_that_of_the_room_where_it_was_asked(db: Database) -> None:
    await turn(db, area="sala", latency_ms=100)
    await turn(db, area="sala", latency_ms=300)
    await turn(db, area="quarto", latency_ms=500)
    await turn(db, area=None, latency_ms=50)
    await turn(db, area="banheiro", latency_ms=None)
    rows = await latency_of_rooms(db, WEEK_AGO)
    assert [(row.room, row.source, row.turns, row.average_ms) for row in rows] == [
        ("quarto", "microfone", 1, 500),
        ("sala", "microfone", 2, 200),
        (None, "microfone", 1, 50),
    ]
    viewed = await db.fetch("SELECT room FROM report_latency_by_room")
    assert [row["room"] for row in viewed] == ["quarto", "sala", None]


async def test_failures_of_actions_and_of_answers(db: Database) -> None:
    await failed_action(db, "turn_on", "o aparelho não respondeu")
    await failed_action(db, "turn_on", "o aparelho não respondeu", NOW - DAY)
    await failed_action(db, "turn_on", None)
    await failed_action(db, "turn_on", "antigo", NOW - 31 * DAY)
    await failed_action(db, "turn_on", None, status="success")
    for outcome in ("answered", "model_failed", "unspoken", "interrupted"):
        await turn(db, outcome=outcome)
    rows = await failures(db, NOW - 30 * DAY)
    assert rows[0] == Failure("action", "turn_on", "o aparelho não respondeu", 2, NOW)
    assert {(row.kind, row.name, row.error) for row in rows[1:]} == {
        ("action", "turn_on", None),
        ("answer", "model_failed", None),
        ("answer", "unspoken", None),
    }
    assert await db.fetchval("SELECT count(*) FROM report_failures") == 4


async def test_days_are_the_households(db: Database) -> None:
    evening = datetime(2026, 3, 2, 2, 30, tzinfo=UTC)  # still 23:30 of the first in São Paulo
    await turn(db, evening, latency_ms=100)
    await turn(db, evening + timedelta(hours=1), latency_ms=300, outcome="model_failed")
    await turn(db, evening + timedelta(hours=2), latency_ms=500)
    days = await turns_over_time(db, evening - DAY, "day", "America/Sao_Paulo")
    assert [(row.day, row.turns, row.failed, row.median_ms) for row in days] == [
        (date(2026, 3, 1), 1, 0, 100),
        (date(2026, 3, 2), 2, 1, 400),
    ]
    assert [(row.day, row.turns) for row in await turns_over_time(db, evening - DAY, "day", "UTC")] == [
        (date(2026, 3, 2), 3)
    ]
    weeks = await turns_over_time(db, evening - DAY, "week", "America/Sao_Paulo")
    assert [(row.day, row.turns) for row in weeks] == [(date(2026, 2, 23), 1), (date(2026, 3, 2), 2)]
    months = await turns_over_time(db, evening - DAY, "month", "America/Sao_Paulo")
    assert [(row.day, row.turns) for row in months] == [(date(2026, 3, 1), 3)]


async def test_the_views_days_follow_the_houses_zone(db: Database) -> None:
    await turn(db)
    for zone in ("Pacific/Kiritimati", "Pacific/Pago_Pago"):
        await db.execute("UPDATE config SET value = $1 WHERE key = 'house.timezone'", zone)
        here = await db.fetchval("SELECT ($1::timestamptz AT TIME ZONE $2)::date", NOW + timedelta(seconds=1), zone)
        assert [row["day"] for row in await db.fetch("SELECT day FROM report_turns")] == [here]
    await db.execute("DELETE FROM config WHERE key = 'house.timezone'")
    assert await db.fetchval("SELECT sum(turns) FROM report_turns") == 1


async def test_sizes_of_every_table_with_its_partitions(db: Database) -> None:
    await db.execute(
        "INSERT INTO system_logs (level, source, message) SELECT 'INFO', 'teste', repeat('x', 200) FROM generate_series(1, 2000)"
    )
    await db.execute("ANALYZE system_logs")
    rows = {row.table_name: row for row in await table_sizes(db)}
    assert {"users", "conversations", "messages", "actions", "reminders", "config"} <= set(rows)
    logs = rows["system_logs"]
    assert logs.partitions >= 1
    assert not any(name.startswith("system_logs_") for name in rows)
    assert logs.estimated_rows == 2000
    assert logs.table_bytes >= 2000 * 200
    assert logs.total_bytes == logs.table_bytes + logs.index_bytes
    assert next(iter(rows)) == "system_logs"


async def test_an_index_that_is_read_is_no_longer_unused(db: Database) -> None:
    before = {row.index_name: row for row in await unused_indexes(db)}
    assert {"idx_users_email", "idx_logs_level", "idx_messages_search"} <= set(before)
    assert before["idx_logs_level"].table_name == "system_logs"
    assert before["idx_logs_level"].bytes > 0
    assert not any(name.endswith(("_pkey", "_email_key")) for name in before)
    await db.execute(
        "SET enable_seqscan = off; SELECT count(*) FROM users WHERE email = 'ana@casa.br'; RESET enable_seqscan"
    )
    await db.execute("SELECT pg_stat_force_next_flush()")
    await db.fetch("SELECT 1")
    assert "idx_users_email" not in {row.index_name for row in await unused_indexes(db)}


async def test_the_daemons_role_may_search_and_a_dashboards_may_read_every_report(db: Database) -> None:
    await turn(db)
    async with db.transaction() as connection:
        await connection.execute("SET LOCAL ROLE mordomo_reader")
        views = await connection.fetch("SELECT viewname FROM pg_views WHERE viewname LIKE 'report\\_%'")
        assert len(views) == 8
        for view in views:
            await connection.fetch(f'SELECT * FROM "{view[0]}"')
    async with db.transaction() as connection:
        await connection.execute("SET LOCAL ROLE mordomo_app")
        await connection.execute("INSERT INTO conversations DEFAULT VALUES")
        await connection.execute(
            "INSERT INTO messages (conversation_id, role, content) SELECT id, 'user', 'acende' FROM conversations"
        )
        assert len(await search(connection, "acender")) == 4
        assert len(await table_sizes(connection)) >= 7


async def test_a_month_of_reports_is_read_by_index_among_years(db: Database) -> None:
    await db.execute(
        """WITH talk AS (INSERT INTO conversations DEFAULT VALUES RETURNING id)
           INSERT INTO messages (conversation_id, role, content, timestamp, intent, latency_ms)
           SELECT talk.id, CASE i % 2 WHEN 0 THEN 'user' ELSE 'assistant' END, 'oi', now() - i * INTERVAL '1 hour', 'HassTurnOn', 100
           FROM talk, generate_series(1, 30000) AS i"""
    )
    await db.execute("ANALYZE messages")
    for view in ("intents", "latency", "latency_by_room", "active_people", "failures"):
        plan = "\n".join(row[0] for row in await db.fetch(f"EXPLAIN SELECT * FROM report_{view}"))
        assert "idx_messages_timestamp" in plan, view
        assert "Seq Scan on messages" not in plan, view
