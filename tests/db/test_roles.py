"""The daemon's role and the dashboards' on real servers: what they may do, and above all what they may not."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4
from zoneinfo import ZoneInfo

import asyncpg
import pytest
from bench.ledger import through_ledger
from support.postgres import Databases

from daemon.clock import SystemClock
from daemon.housekeeping import Housekeeping
from db.audit import recent
from db.database import Database, open_database
from db.ledger import open_ledger
from db.partitions import AUDIT_LOG, SYSTEM_LOGS, create_ahead, drop_older
from db.preferences import load, set_value
from db.reminder_changes import cancel
from db.reminder_leases import claim_due, triggered_all
from db.reminders import create
from db.roles import APP, READER, as_role
from db.system_logs import Line, LogTable
from db.upgrade import downgrade, upgrade

PRIVATE: dict[str, Sequence[str]] = {
    "messages": ("content", "search", "rag_context"),
    "conversations": ("metadata",),
    "users": ("email", "speaker_embedding_id", "metadata", "role"),
    "actions": ("parameters", "result"),
    "reminders": (
        "title description metadata kind rrule dtstart series_id except_dates on_holiday lead_s area created_by addressee"
        " ack ack_every_s escalate_to late late_within_s duration_s paused_left_s urgent done_at plan planned_at"
        " times_spoken"
    ).split(),
    "audit_log": ("old", "new", "row_id"),
    "system_logs": ("metadata",),
}
"""What was said and asked for at home, and who is who outside of it: not for a dashboard."""
HIDDEN = {
    "approvals",
    "areas",
    "devices",
    "entities",
    "entity_states",
    "consents",
    "erasures",
    "inferences",
    "list_items",
    "lists",
    "memories",
    "memory_outbox",
    "permissions",
    "prompt_templates",
    "reminder_steps",
    "routines",
    "spoken_codes",
    "sentences",
    "vectors",
    "vectors_indexed",
}
"""Tables of which a dashboard sees nothing."""
REFUSED = (asyncpg.InsufficientPrivilegeError, asyncpg.ObjectNotInPrerequisiteStateError)
"""The latter is what PostgreSQL says of a view that nobody can write to."""


@pytest.fixture
async def app(database_url: str) -> AsyncIterator[Database]:
    async with open_database(as_role(database_url, APP)) as database:
        yield database


@pytest.fixture
async def reader(database_url: str) -> AsyncIterator[Database]:
    async with open_database(as_role(database_url, READER)) as database:
        yield database


async def test_the_daemons_role_does_the_daemons_work(app: Database, tmp_path: Path) -> None:
    now = datetime.now(UTC)
    async with open_ledger(app, tmp_path) as ledger:
        await through_ledger(ledger, now)
        assert ledger.waiting == 0
    await create(app, "remédio", now - timedelta(seconds=1))
    (due,) = await claim_due(app, now, 10, 60, "eu", zone=ZoneInfo("America/Sao_Paulo"))
    assert await triggered_all(app, [due.id], now, "eu") == {due.id}
    assert await cancel(app, [await create(app, "feira", now)]) == 1
    await set_value(app, "tts.speed", 1.5, "Ana")
    assert not (await load(app))[1]
    await set_value(app, "tts.speed", 1.0, "Ana")
    assert [change.row_id for change in await recent(app, "config", 1)] == ["tts.speed"]
    table = await LogTable.open(app.url)
    assert await table.append([Line(now, "INFO", "teste", "mensagem", "{}")]) == 0
    await table.close()


async def test_the_daemons_role_keeps_house(app: Database) -> None:
    await app.execute(
        "INSERT INTO system_logs (timestamp, level, source, message) VALUES (now() - interval '400 days', 'INFO', 'a', '')"
    )
    keeping = Housekeeping(app, SystemClock())
    assert await keeping.look(), keeping.problem
    assert await app.fetchval("SELECT count(*) FROM system_logs") == 0
    now = datetime.now(UTC)
    for table in (SYSTEM_LOGS, AUDIT_LOG):
        await create_ahead(app, table, now + timedelta(days=400))
        assert await drop_older(app, table, now - timedelta(days=4000)) == 0


@pytest.mark.parametrize(
    "sql",
    [
        "DROP TABLE reminders",
        "DROP INDEX idx_reminders_scheduled",
        "ALTER TABLE users ADD COLUMN nickname text",
        "ALTER TABLE users DISABLE TRIGGER users_audit_update",
        "ALTER TABLE config DISABLE TRIGGER config_check",
        "ALTER ROLE mordomo_app SUPERUSER",
        "ALTER SYSTEM SET fsync = off",
        "TRUNCATE messages",
        "CREATE TABLE mine (id integer)",
        "CREATE VIEW mine AS SELECT 1",
        "CREATE FUNCTION mine() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
        "CREATE OR REPLACE FUNCTION check_config() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
        "CREATE SCHEMA mine",
        "CREATE ROLE mine",
        "CREATE DATABASE mine",
        "SELECT rolpassword FROM pg_authid",
        "SELECT pg_read_file('/etc/passwd')",
        "COPY users TO PROGRAM 'cat'",
        "COPY (SELECT 1) TO '/tmp/mine'",
        "SET ROLE mordomo",
        "SET SESSION AUTHORIZATION mordomo",
        "SELECT grant_rights()",
        "DELETE FROM report_intents",
        "UPDATE report_table_sizes SET table_bytes = 0",
        "INSERT INTO audit_log (table_name, row_id, action, actor, channel) VALUES ('a', 'b', 'INSERT', 'Ana', 'sql')",
        "UPDATE audit_log SET actor = 'outro'",
        "DELETE FROM audit_log",
        "UPDATE system_logs SET message = ''",
        "UPDATE alembic_version SET version_num = '0001'",
    ],
)
async def test_the_daemons_role_may_nothing_else(app: Database, sql: str) -> None:
    await app.execute("SELECT 1")
    with pytest.raises(REFUSED):
        await app.execute(sql)


async def test_neither_role_owns_or_inherits_anything(app: Database) -> None:
    assert not await app.fetch(
        "SELECT d.classid::regclass, d.objid FROM pg_shdepend d JOIN pg_roles r ON r.oid = d.refobjid"
        " WHERE d.deptype = 'o' AND r.rolname = ANY ($1)",
        [APP, READER],
    )
    rows = await app.fetch(
        "SELECT rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls"
        " OR EXISTS (SELECT FROM pg_auth_members WHERE member = r.oid) FROM pg_roles r WHERE rolname = ANY ($1)",
        [APP, READER],
    )
    assert [row[0] for row in rows] == [False, False]


async def test_a_dashboard_reads_every_report_and_how_the_house_does(reader: Database) -> None:
    views = await reader.fetch("SELECT viewname FROM pg_views WHERE schemaname = 'public' ORDER BY 1")
    assert len(views) >= 8
    for (view,) in views:
        await reader.fetch(f'SELECT * FROM "{view}"')
    await reader.fetch("SELECT latency_ms, intent FROM messages WHERE timestamp > now() - interval '1 day'")
    await reader.fetch("SELECT count(*), status FROM reminders GROUP BY status")


@pytest.mark.parametrize(("table", "column"), [(table, each) for table, many in PRIVATE.items() for each in many])
async def test_a_dashboard_reads_nothing_private(reader: Database, table: str, column: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await reader.fetch(f"SELECT {column} FROM {table}")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM messages",
        "DELETE FROM reminders",
        "UPDATE config SET value = '1'",
        "INSERT INTO users (name) VALUES ('Ana')",
        "DELETE FROM report_intents",
        "CREATE TABLE mine (id integer)",
        "SELECT create_partitions('system_logs', now(), now())",
        "SELECT drop_partitions('audit_log', now())",
        "SELECT drop_detached('audit_log')",
        "SELECT rolpassword FROM pg_authid",
        "SELECT * FROM system_logs_default",
    ],
)
async def test_a_dashboard_changes_nothing(reader: Database, sql: str) -> None:
    with pytest.raises(REFUSED):
        await reader.execute(sql)


async def test_every_column_is_either_for_dashboards_or_named_as_private(reader: Database) -> None:
    """A column that a later revision adds is decided upon."""
    rows = await reader.fetch(
        "SELECT c.relname, a.attname, has_column_privilege(c.oid, a.attnum, 'SELECT') AS readable"
        " FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid WHERE c.relkind IN ('r', 'p')"
        " AND c.relnamespace = 'public'::regnamespace AND NOT c.relispartition AND attnum > 0 AND NOT attisdropped"
    )
    hidden = {(row["relname"], row["attname"]) for row in rows if not row["readable"] and row["relname"] not in HIDDEN}
    named = {(table, column) for table, columns in PRIVATE.items() for column in columns}
    assert hidden - named == {("reminders", "lease_until"), ("reminders", "leased_by")}


async def test_a_stranger_does_not_see_the_schema(database_url: str, postgres: Databases) -> None:
    role = f"vizinho_{uuid4().hex[:8]}"
    postgres.execute(f"CREATE ROLE {role}")
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute(f"SET ROLE {role}")
        with pytest.raises(asyncpg.UndefinedTableError):
            await connection.fetch("SELECT * FROM config")
    finally:
        await connection.close()
        postgres.execute(f"DROP ROLE {role}")


async def test_a_later_table_and_a_restored_copy_get_their_rights(database_url: str) -> None:
    owner = await asyncpg.connect(database_url)
    await owner.execute("REVOKE ALL ON ALL TABLES IN SCHEMA public FROM mordomo_app, mordomo_reader")
    await owner.execute("CREATE TABLE later (id integer)")
    async with open_database(as_role(database_url, APP)) as app:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await app.fetch("SELECT * FROM config")
        await upgrade(database_url)
        assert await app.fetch("SELECT * FROM config")
        assert not await app.fetch("SELECT * FROM later")
    await owner.close()


async def test_the_way_down_takes_the_rights_and_leaves_the_roles(database_url: str) -> None:
    await downgrade(database_url, "0005")
    owner = await asyncpg.connect(database_url)
    assert not await owner.fetch(
        "SELECT d.classid::regclass, d.objid FROM pg_shdepend d JOIN pg_roles r ON r.oid = d.refobjid"
        " JOIN pg_database b ON b.oid = d.dbid AND b.datname = current_database() WHERE r.rolname = ANY ($1)",
        [APP, READER],
    )
    assert await owner.fetchval("SELECT count(*) FROM pg_roles WHERE rolname = ANY ($1)", [APP, READER]) == 2
    await owner.close()
    await upgrade(database_url)
    async with open_database(as_role(database_url, APP)) as app:
        assert await app.fetch("SELECT * FROM config")
