"""The schema against the one it began from, and against the models."""

from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import text

from db.migrations.versions import r0004_search
from db.upgrade import engine_connection, upgrade
from models.schema import Table

SEED = Path(__file__).with_name("seed.sql").read_text()

NOT_NULL = {
    ("users", "voice_enrolled"),
    ("users", "created_at"),
    ("users", "updated_at"),
    ("users", "is_active"),
    ("users", "metadata"),
    ("conversations", "started_at"),
    ("conversations", "message_count"),
    ("conversations", "metadata"),
    ("messages", "conversation_id"),
    ("messages", "timestamp"),
    ("messages", "metadata"),
    ("actions", "status"),
    ("actions", "created_at"),
    ("reminders", "created_at"),
    ("reminders", "status"),
    ("reminders", "metadata"),
    ("system_logs", "metadata"),
    ("config", "updated_at"),
}
"""Where we refuse a NULL that has no meaning, and the seed did not."""

ADDED = [
    ("messages", "search", "tsvector", True, 'search_vector(content, "timestamp")'),
    ("reminders", "lease_until", "timestamp with time zone", False, None),
    ("reminders", "leased_by", "text", False, None),
    ("reminders", "kind", "character varying(20)", True, "'reminder'::character varying"),
    ("reminders", "rrule", "text", False, None),
    ("reminders", "dtstart", "timestamp without time zone", False, None),
    ("reminders", "series_id", "uuid", False, None),
    ("reminders", "except_dates", "date[]", True, "'{}'::date[]"),
    ("reminders", "on_holiday", "character varying(10)", False, None),
    ("reminders", "lead_s", "integer", False, None),
    ("reminders", "area", "character varying(100)", False, None),
    ("reminders", "created_by", "character varying(100)", False, None),
    ("reminders", "addressee", "character varying(255)", False, None),
    ("reminders", "ack", "character varying(10)", True, "'none'::character varying"),
    ("reminders", "ack_every_s", "integer", False, None),
    ("reminders", "escalate_to", "character varying(255)", False, None),
    ("reminders", "late", "character varying(10)", True, "'speak'::character varying"),
    ("reminders", "late_within_s", "integer", False, None),
    ("reminders", "duration_s", "integer", False, None),
    ("reminders", "paused_left_s", "integer", False, None),
    ("reminders", "urgent", "boolean", True, "false"),
    ("reminders", "done_at", "timestamp with time zone", False, None),
    ("reminders", "plan", "jsonb", False, None),
    ("reminders", "planned_at", "timestamp with time zone", False, None),
    ("reminders", "times_spoken", "integer", True, "0"),
    ("users", "role", "character varying(20)", True, "'adult'::character varying"),
]
"""Columns the seed has not: the words a message is found by; who is speaking a reminder just now, and until when nobody
else may; what kind of reminder it is, when it comes again and how it reaches people; as what a person lives here."""

NEW_TABLES = {
    "approvals",
    "areas",
    "audit_log",
    "devices",
    "entities",
    "entity_states",
    "consents",
    "erasures",
    "inferences",
    "list_items",
    "lists",
    "permissions",
    "prompt_templates",
    "reminder_steps",
    "routines",
    "spoken_codes",
    "sentences",
    "memories",
    "memory_outbox",
    "vectors",
    "vectors_indexed",
}
"""Tables the seed has not."""

NEW_INDEXES = [
    ("actions", "CREATE INDEX idx_actions_created ON public.actions USING btree (created_at DESC)"),
    ("actions", "CREATE INDEX idx_actions_message ON public.actions USING btree (message_id)"),
    ("messages", "CREATE INDEX idx_messages_search ON public.messages USING gin (search) WITH (fastupdate=off)"),
    (
        "reminders",
        (
            "CREATE INDEX idx_reminders_series ON public.reminders USING btree (series_id)"
            " WHERE (((status)::text = 'pending'::text) AND (series_id IS NOT NULL))"
        ),
    ),
    (
        "reminders",
        (
            "CREATE INDEX idx_reminders_triggered ON public.reminders USING btree (triggered_at)"
            " WHERE ((status)::text = 'triggered'::text)"
        ),
    ),
]
"""Indexes the seed has not on its tables: what was done lately is found, a message that goes takes its actions along
without reading them all, and is found by its words; a series finds the occurrence to come, and what was
spoken lately is read back."""

NEW_CHECKS = {f"reminders_{column}_check" for column in ("kind", "on_holiday", "ack", "late")} | {"users_role_check"}
"""Checks of columns the seed has not."""

TABLES = "c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname = 'public' AND c.relname <> 'alembic_version'"


@dataclass(frozen=True)
class Catalogue:
    """What PostgreSQL says of a schema, its own words for each thing."""

    tables: list[tuple[object, ...]]
    columns: list[tuple[object, ...]]
    constraints: list[tuple[object, ...]]
    indexes: list[tuple[object, ...]]

    def without(self, tables: set[str]) -> "Catalogue":
        lists = (self.tables, self.columns, self.constraints, self.indexes)
        return Catalogue(*([row for row in rows if row[0] not in tables] for rows in lists))


async def catalogue(url: str) -> Catalogue:
    connection = await asyncpg.connect(url)

    async def listed(sql: str) -> list[tuple[object, ...]]:
        return [tuple(row) for row in await connection.fetch(sql)]

    try:
        return Catalogue(
            tables=await listed(
                "SELECT c.relname, c.relkind::text, pg_get_partkeydef(c.oid) FROM pg_class c"
                f" JOIN pg_namespace n ON n.oid = c.relnamespace WHERE {TABLES} ORDER BY 1"
            ),
            columns=await listed(
                "SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,"
                " pg_get_expr(d.adbin, d.adrelid) FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid"
                " JOIN pg_namespace n ON n.oid = c.relnamespace"
                " LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum"
                f" WHERE {TABLES} AND a.attnum > 0 AND NOT a.attisdropped ORDER BY c.relname, a.attnum"
            ),
            constraints=await listed(
                "SELECT c.relname, x.conname, pg_get_constraintdef(x.oid) FROM pg_constraint x"
                " JOIN pg_class c ON c.oid = x.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace"
                f" WHERE {TABLES} AND x.contype IN ('c', 'f', 'p', 'u') ORDER BY 1, 2"
            ),
            indexes=await listed(
                "SELECT c.relname, pg_get_indexdef(i.indexrelid) FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid"
                f" JOIN pg_namespace n ON n.oid = c.relnamespace WHERE {TABLES} ORDER BY 1, 2"
            ),
        )
    finally:
        await connection.close()


def improved(columns: list[tuple[object, ...]]) -> list[tuple[object, ...]]:
    """The seed's columns, with what we allow ourselves to have changed."""
    return [
        (
            table,
            name,
            str(kind).replace("timestamp without", "timestamp with"),
            null or (table, name) in NOT_NULL,
            value,
        )
        for table, name, kind, null, value in columns
    ]


async def test_every_table_of_the_seed_is_ours_but_for_the_improvements(
    database_url: str, empty_database_url: str
) -> None:
    seed_connection = await asyncpg.connect(empty_database_url)
    await seed_connection.execute(SEED)
    seeded = await seed_connection.fetch("SELECT key, value FROM config")
    await seed_connection.close()
    seed, ours = await catalogue(empty_database_url), await catalogue(database_url)

    ours = ours.without(NEW_TABLES)
    assert ours.tables == seed.tables
    assert len(seed.tables) == 7
    assert [column for column in ours.columns if column not in ADDED] == improved(seed.columns)
    assert [column for column in ours.columns if column in ADDED] == ADDED
    assert [each for each in ours.constraints if each[1] not in NEW_CHECKS] == seed.constraints
    assert [index for index in ours.indexes if index not in NEW_INDEXES] == seed.indexes
    assert len(seed.indexes) == 19 + 7 + 1  # named ones, primary keys, the unique e-mail

    connection = await asyncpg.connect(database_url)
    config = await connection.fetch("SELECT key, value FROM config")
    await connection.close()
    assert {tuple(row) for row in seeded} <= {tuple(row) for row in config}


def test_every_improvement_is_one() -> None:
    """A column of the list that the seed has NOT NULL, or has not at all, would make the comparison say less."""
    for table, column in NOT_NULL:
        block = SEED.split(f"CREATE TABLE {table} (")[1].split("\n)")[0]
        (line,) = [line for line in block.splitlines() if line.strip().startswith(f"{column} ")]
        assert "NOT NULL" not in line


async def test_models_say_what_the_migrations_do(database_url: str, empty_database_url: str) -> None:
    async with engine_connection(empty_database_url) as connection:
        for function in r0004_search.FUNCTIONS:  # which a column of messages is made with
            await connection.execute(text(function))
        await connection.run_sync(Table.metadata.create_all)
        await connection.commit()
    migrated = (await catalogue(database_url)).without({"vectors_indexed"})  # whose type only pgvector has
    assert await catalogue(empty_database_url) == migrated


@pytest.mark.parametrize("moment", ["1889-11-15", "2026-11-27", "2999-01-01"])
async def test_a_log_of_any_day_has_a_partition(database_url: str, moment: str) -> None:
    connection = await asyncpg.connect(database_url)
    await connection.execute(
        "INSERT INTO system_logs (timestamp, level, source, message) VALUES ($1::text::timestamptz, 'INFO', 'teste', '')",
        moment,
    )
    assert await connection.fetchval("SELECT count(*) FROM system_logs") == 1
    await connection.close()


async def test_old_logs_are_cleaned_up(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    await connection.execute(
        "INSERT INTO system_logs (timestamp, level, source, message)"
        " SELECT now() - make_interval(days => day), 'INFO', 'teste', day::text FROM unnest(ARRAY[0, 29, 31, 400]) AS day"
    )
    await connection.execute("SELECT cleanup_old_logs()")
    kept = await connection.fetch("SELECT message FROM system_logs ORDER BY id")
    await connection.close()
    assert [row["message"] for row in kept] == ["0", "29"]


async def test_alembic_finds_no_drift_and_would_find_one(database_url: str) -> None:
    from alembic import command
    from alembic.util.exc import AutogenerateDiffsDetected

    from db.upgrade import alembic_config

    await upgrade(database_url)
    async with engine_connection(database_url) as connection:
        await connection.run_sync(lambda sync: command.check(alembic_config(sync)))
        await connection.execute(text("ALTER TABLE users ADD COLUMN nickname TEXT"))
        with pytest.raises(AutogenerateDiffsDetected, match="nickname"):
            await connection.run_sync(lambda sync: command.check(alembic_config(sync)))
