"""Who changed what, whatever program the change came from."""

import importlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg
import pytest

from db import reminder_changes, reminder_leases, reminders
from db.audit import Acting, Change, Channel, acting, acting_as, recent
from db.database import Database, open_database
from db.partitions import AUDIT_LOG, create_ahead, delete_older, drop_older
from db.preferences import rows, seed_preferences, set_value
from db.upgrade import downgrade, upgrade
from db.users import named

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
ZONE = ZoneInfo("America/Sao_Paulo")
MIGRATION = importlib.import_module("db.migrations.versions.r0003_audit")
KINDS = importlib.import_module("db.migrations.versions.r0009_reminder_kinds")
PEOPLE = importlib.import_module("db.migrations.versions.r0011_people")
LATER = {"reminders": KINDS.WATCHED, "users": PEOPLE.USERS_WATCHED}
"""What later revisions have watched."""


@pytest.fixture
async def psql(database_url: str) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    """Somebody with a plain SQL client."""
    connection = await asyncpg.connect(database_url, server_settings={"application_name": "psql"})
    yield connection
    await connection.close()


def told(change: Change) -> tuple[object, ...]:
    return change.table, change.action, change.old, change.new, change.actor, change.channel


async def updated_by(db: Database, key: str) -> str | None:
    return next(row.updated_by for row in await rows(db) if row.key == key)


async def test_a_new_house_has_nothing_to_tell(db: Database) -> None:
    assert await recent(db) == []
    await db.execute("DELETE FROM config WHERE key = 'tts.speed'")
    await seed_preferences(db)
    assert [(change.action, change.row_id) for change in await recent(db)] == [("DELETE", "tts.speed")]


async def test_an_edit_in_psql_is_there(db: Database, psql: "asyncpg.Connection[asyncpg.Record]") -> None:
    who = await psql.fetchval("SELECT session_user")
    await psql.execute("UPDATE config SET value = '0.9' WHERE key = 'tts.speed'")
    (change,) = await recent(db)
    assert told(change) == ("config", "UPDATE", {"value": 1.0}, {"value": 0.9}, who, "sql")
    assert change.row_id == "tts.speed"
    assert await updated_by(db, "tts.speed") == who
    await psql.execute("DELETE FROM config WHERE key = 'tts.speed'")
    await psql.execute("INSERT INTO config (key, value) VALUES ('tts.speed', '1.5')")
    inserted, deleted = await recent(db, limit=2)
    assert told(deleted) == ("config", "DELETE", {"key": "tts.speed", "value": 0.9}, None, who, "sql")
    assert told(inserted) == ("config", "INSERT", None, {"key": "tts.speed", "value": 1.5}, who, "sql")


async def test_psql_speaks_for_nobody_else(db: Database, psql: "asyncpg.Connection[asyncpg.Record]") -> None:
    await psql.execute("SET mordomo.actor = 'Ana'; SET mordomo.channel = 'voice'")
    await psql.execute("UPDATE config SET value = '0.9' WHERE key = 'tts.speed'")
    (change,) = await recent(db)
    assert (change.actor, change.channel) == (await psql.fetchval("SELECT session_user"), "sql")


@pytest.mark.parametrize("channel", ["voice", "web", "mqtt", "cli"])
async def test_who_acts_through_mordomo_is_named(db: Database, channel: Channel) -> None:
    async with acting_as(db, "Ana", channel) as connection:
        await set_value(connection, "tts.speed", 1.2, by="Mordomo da sala")
        reminder = await reminders.create(connection, "remédio", NOON)
    newest, first = await recent(db)
    assert told(first) == ("config", "UPDATE", {"value": 1.0}, {"value": 1.2}, "Ana", channel)
    assert (newest.table, newest.action, newest.row_id) == ("reminders", "INSERT", str(reminder))
    assert (newest.new or {})["title"] == "remédio"
    assert (newest.actor, newest.channel) == ("Ana", channel)
    assert await updated_by(db, "tts.speed") == "Ana"


async def test_each_statement_by_itself(db: Database) -> None:
    by_ana = Acting(db, "Ana", "mqtt")
    key = await by_ana.fetchval("INSERT INTO users (name) VALUES ('Bia') RETURNING id")
    row = await by_ana.fetchrow("UPDATE users SET name = 'Beatriz' WHERE id = $1 RETURNING name", key)
    assert row is not None
    assert len(await by_ana.fetch("UPDATE users SET email = 'b@casa.br' RETURNING id")) == 1
    assert await by_ana.execute("DELETE FROM users") == "DELETE 1"
    assert [(change.action, change.actor, change.channel) for change in await recent(db)] == [
        (action, "Ana", "mqtt") for action in ("DELETE", "UPDATE", "UPDATE", "INSERT")
    ]


async def test_the_next_transaction_is_mordomos_own_again(database_url: str) -> None:
    async with open_database(database_url, size=1) as db:
        async with acting_as(db, "Ana", "voice") as connection:
            await connection.execute("UPDATE config SET value = '1.1' WHERE key = 'tts.speed'")
        await db.execute("INSERT INTO users (name) VALUES ('Bia')")
        await set_value(db, "tts.speed", 1.3, by="linha de comando (caio)")
        by_command, own, _ = await recent(db)
        assert (own.actor, own.channel) == ("mordomo", "daemon")
        assert (by_command.actor, by_command.channel) == ("linha de comando (caio)", "daemon")
        async with db.transaction() as connection:
            await acting(connection, "Ana", "gritos")  # type: ignore[arg-type]
            await connection.execute("UPDATE users SET name = 'Beatriz'")
        assert (await recent(db))[0].channel == "daemon"


async def test_what_is_rolled_back_did_not_happen(db: Database) -> None:
    with pytest.raises(ZeroDivisionError):
        async with acting_as(db, "Ana", "web") as connection:
            await connection.execute("INSERT INTO users (name) VALUES ('Bia')")
            raise ZeroDivisionError
    assert await recent(db) == []


async def test_leases_deliveries_and_visits_are_no_changes(
    db: Database, psql: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    ana = await named(db, "Ana")
    async with acting_as(db, "Ana", "voice") as connection:
        first = await reminders.create(connection, "remédio", NOON)
        second = await reminders.create(connection, "feira", NOON)
    told_before = len(await recent(db))
    later = NOON + timedelta(minutes=1)
    await db.execute("UPDATE users SET last_interaction_at = now() WHERE id = $1", ana)
    assert len(await reminder_leases.claim_due(db, later, 10, 60, "a", zone=ZONE)) == 2
    await reminder_leases.extend(db, [first, second], later + timedelta(minutes=1), "a")
    await reminder_leases.release(db, [second], "a")
    assert await reminder_leases.triggered(db, first, later, "a")
    assert len(await recent(db)) == told_before

    await psql.execute("UPDATE reminders SET status = 'triggered', triggered_at = $2 WHERE id = $1", second, later)
    (change,) = await recent(db, limit=1)
    assert (change.old, change.channel) == ({"status": "pending", "triggered_at": None}, "sql")
    await db.execute("UPDATE reminders SET status = 'pending', triggered_at = NULL WHERE id = $1", second)
    async with acting_as(db, "Ana", "voice") as connection:
        assert await reminder_changes.cancel(connection, [second]) == 1
    (change,) = await recent(db, limit=1)
    assert told(change) == ("reminders", "UPDATE", {"status": "pending"}, {"status": "cancelled"}, "Ana", "voice")
    assert change.row_id == str(second)


async def test_a_person_who_goes_is_told_with_all_that_goes_along(db: Database) -> None:
    ana = await named(db, "Ana")
    await reminders.create(db, "remédio", NOON, ana)
    await db.execute("UPDATE users SET name = 'Ana Maria', metadata = '{\"cor\": \"azul\"}'")
    async with acting_as(db, "Bia", "web") as connection:
        await connection.execute("DELETE FROM users")
    changes = await recent(db)
    assert {(change.table, change.action, change.actor) for change in changes[:2]} == {
        ("users", "DELETE", "Bia"),
        ("reminders", "DELETE", "Bia"),
    }
    renamed = changes[2]
    assert renamed.old == {"name": "Ana", "metadata": {}}
    assert renamed.new == {"name": "Ana Maria", "metadata": {"cor": "azul"}}


async def test_nothing_changed_nothing_told(db: Database, psql: "asyncpg.Connection[asyncpg.Record]") -> None:
    await psql.execute("UPDATE config SET value = value, description = 'outra'; UPDATE users SET name = name")
    assert await recent(db) == []


async def test_a_table_that_is_emptied(db: Database, psql: "asyncpg.Connection[asyncpg.Record]") -> None:
    await psql.execute("TRUNCATE reminders CASCADE")
    (change,) = await recent(db)
    assert (change.table, change.action, change.row_id, change.old, change.new) == (
        "reminders", "TRUNCATE", "*", None, None,
    )  # fmt: skip


async def test_whatever_the_text(db: Database) -> None:
    name = "'; DROP TABLE users; --\n\u202e😀" + "x" * 10_000
    async with acting_as(db, name + "\0\ud800", "mqtt") as connection:
        await connection.execute("INSERT INTO users (name) VALUES ($1)", name[:255])
    (change,) = await recent(db)
    assert len(change.actor) == 100
    assert change.actor.startswith("'; DROP TABLE users; -- \u202e😀xx")
    assert (change.new or {})["name"] == name[:255]


async def test_who_may_edit_but_not_audit_is_audited(
    db: Database, psql: "asyncpg.Connection[asyncpg.Record]", database_url: str
) -> None:
    role = "editor_of_" + database_url.rsplit("/", maxsplit=1)[-1].split("?", maxsplit=1)[0]
    await psql.execute(
        f'CREATE ROLE "{role}"; GRANT USAGE ON SCHEMA public TO "{role}"; GRANT SELECT, UPDATE ON config TO "{role}"'
    )
    try:
        await psql.execute(f'SET ROLE "{role}"')
        await psql.execute("UPDATE config SET value = '0.9' WHERE key = 'tts.speed'")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await psql.execute("SELECT * FROM audit_log")
    finally:
        await psql.execute(f'RESET ROLE; DROP OWNED BY "{role}"; DROP ROLE "{role}"')
    assert (await recent(db))[0].new == {"value": 0.9}


@pytest.mark.parametrize("attempt", ["UPDATE audit_log SET actor = 'x'", "DELETE FROM audit_log", "TRUNCATE audit_log"])
async def test_what_was_told_stays(db: Database, psql: "asyncpg.Connection[asyncpg.Record]", attempt: str) -> None:
    await psql.execute("INSERT INTO users (name) VALUES ('Ana')")
    with pytest.raises(asyncpg.RaiseError, match="audit_log só cresce"):
        await psql.execute(attempt)
    assert len(await recent(db)) == 1


async def test_it_is_kept_by_the_month_and_dropped(db: Database) -> None:
    now: datetime = await db.fetchval("SELECT now()")
    await named(db, "Ana")
    await create_ahead(db, AUDIT_LOG, now)
    await named(db, "Bia")
    assert await db.fetchval("SELECT count(*) FROM audit_log_default") == 0
    ids = [row[0] for row in await db.fetch("SELECT id FROM audit_log ORDER BY id")]
    assert ids == [1, 2]
    assert await drop_older(db, AUDIT_LOG, now) == 0
    assert await drop_older(db, AUDIT_LOG, now + timedelta(days=32)) == 1
    assert await recent(db) == []
    await db.execute("INSERT INTO users (name) VALUES ('Caio')")
    assert len(await recent(db)) == 1
    assert await delete_older(db, AUDIT_LOG, now + timedelta(days=1)) == 1


async def test_recent_by_table_row_and_time(db: Database) -> None:
    ana, bia = await named(db, "Ana"), await named(db, "Bia")
    await db.execute("UPDATE users SET name = 'Ana Maria' WHERE id = $1", ana)
    await set_value(db, "tts.speed", 1.2, by="Ana")
    assert [change.table for change in await recent(db)] == ["config", "users", "users", "users"]
    assert [change.action for change in await recent(db, "users", 2)] == ["UPDATE", "INSERT"]
    assert [change.row_id for change in await recent(db, "users", row_id=bia)] == [str(bia)]
    assert await recent(db, since=datetime.now(UTC) + timedelta(hours=1)) == []
    assert len(await recent(db, since=datetime.now(UTC) - timedelta(hours=1))) == 4
    assert await recent(db, "nada") == []


async def test_recent_reads_few_rows_of_many(db: Database) -> None:
    await db.execute(
        "INSERT INTO audit_log (at, table_name, row_id, action, actor, channel)"
        " SELECT now() - n * interval '1 s', CASE n % 100 WHEN 0 THEN 'config' ELSE 'reminders' END, (n % 500)::text,"
        " 'UPDATE', 'x', 'sql' FROM generate_series(1, 20000) AS n"
    )
    await db.execute("ANALYZE audit_log_default")
    sql = "EXPLAIN SELECT * FROM audit_log {} ORDER BY at DESC, id DESC LIMIT 50"
    for where, index in (("", "at"), ("WHERE table_name = 'config' AND row_id = '100'", "table_name_row_id_at")):
        plan = "\n".join(row[0] for row in await db.fetch(sql.format(where)))
        assert f"audit_log_default_{index}_idx" in plan


async def test_every_column_is_watched_or_left_out_on_purpose(db: Database) -> None:
    """A column that a later revision adds must be decided upon."""
    for table in MIGRATION.ARGUMENTS:
        columns = await db.fetch(
            "SELECT attname FROM pg_attribute WHERE attrelid = $1::text::regclass AND attnum > 0", table
        )
        watched = set(LATER.get(table, MIGRATION.COLUMNS[table]).split(", "))
        arguments = KINDS.ARGUMENTS if table == "reminders" else MIGRATION.ARGUMENTS[table]
        left_out = set(arguments.replace("'", "").split(", ")[1:])
        assert watched | left_out == {row["attname"] for row in columns}
        assert not watched & left_out


async def test_down_and_up_on_a_house_that_is_lived_in(db: Database, database_url: str) -> None:
    await named(db, "Ana")
    await create_ahead(db, AUDIT_LOG, NOON)
    await downgrade(database_url, "0002")
    async with open_database(database_url) as old:
        await old.execute("UPDATE users SET name = 'Ana Maria'")
        await set_value(old, "tts.speed", 1.2, by="Ana")
    await upgrade(database_url)
    async with open_database(database_url) as new:
        assert await recent(new) == []
        await new.execute("UPDATE users SET name = 'Ana'")
        assert [change.new for change in await recent(new)] == [{"name": "Ana"}]
        assert await updated_by(new, "tts.speed") == "Ana"
        reminder = await reminders.create(new, "feira", NOON)
        assert isinstance(reminder, UUID)
