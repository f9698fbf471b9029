"""Migrations on real databases: up, down, up again, at the same time, refused, and as text."""

import asyncio
import logging
import sys
import time
from pathlib import Path

import asyncpg
import pytest

from db.errors import LinkDown
from db.upgrade import (
    REVISIONS,
    Patience,
    SchemaBusy,
    SchemaTooNew,
    alembic_config,
    current,
    downgrade,
    upgrade,
    upgrade_sql,
)

ROOT = Path(__file__).parents[2]

HISTORY = """
INSERT INTO users (id, name, email) VALUES ('00000000-0000-0000-0000-000000000001', 'Ana', 'ana@casa.br');
INSERT INTO conversations (id, user_id)
    VALUES ('00000000-0000-0000-0000-000000000002', '00000000-0000-0000-0000-000000000001');
INSERT INTO messages (id, conversation_id, role, content)
    SELECT gen_random_uuid(), '00000000-0000-0000-0000-000000000002', 'user', 'acende a luz ' || i
    FROM generate_series(1, 1000) AS i;
INSERT INTO actions (message_id, conversation_id, action_type, action_name, parameters)
    SELECT id, conversation_id, 'iot_control', 'turn_on', '{}' FROM messages;
INSERT INTO reminders (user_id, title, scheduled_at) VALUES ('00000000-0000-0000-0000-000000000001', 'remédio', now());
INSERT INTO system_logs (level, source, message) SELECT 'INFO', 'mordomo', i::text FROM generate_series(1, 100) AS i;
INSERT INTO reminder_steps (reminder_id, step) SELECT id, 'spoken' FROM reminders;
INSERT INTO lists (id, name) VALUES ('00000000-0000-0000-0000-000000000003', 'compras');
INSERT INTO list_items (list_id, text) VALUES ('00000000-0000-0000-0000-000000000003', 'leite');
INSERT INTO sentences (pattern, intent) VALUES ('boa noite casa', 'HassTurnOff');
INSERT INTO areas (name) VALUES ('Sala');
INSERT INTO devices (identifier, area_id) SELECT 'abajur', id FROM areas;
INSERT INTO entities (entity_id, source, device_id, component) SELECT 'light.sala', 'topico', id, 'light' FROM devices;
INSERT INTO entity_states (entity_id, state, cause) SELECT 'light.sala', 'on', 'house' FROM generate_series(1, 10);
INSERT INTO consents (user_id, kind, given, how) SELECT id, 'audio', TRUE, 'cli' FROM users;
INSERT INTO spoken_codes (user_id, salt, hash, n, r, p) SELECT id, 'salt', 'hash', 2, 8, 1 FROM users;
INSERT INTO erasures (asked_by, how, scope) VALUES ('other', 'cli', 'audio');
INSERT INTO routines (name, steps) VALUES ('boa noite', '[]');
INSERT INTO permissions (user_id, domain, effect) SELECT id, 'gate', 'allow' FROM users;
INSERT INTO approvals (user_id, asked_by, role, source, words, doing, intents, expires_at)
    SELECT id, name, role, 'microphone', 'abre', 'abrir o portão', '[]', now() FROM users;
INSERT INTO prompt_templates (version, content, status) VALUES (1, 'Você é o Mordomo.', 'active');
INSERT INTO inferences (message_id, prompt_id, digest, model, total_ms)
    SELECT m.id, p.id, p.digest, 'qwen2.5:3b', 900 FROM messages m, prompt_templates p LIMIT 10;
INSERT INTO memories (kind, text) VALUES ('fact', 'o wifi da visita é jabuticaba');
INSERT INTO vectors (collection, id, embedding) VALUES ('memories', gen_random_uuid(), '');
DO $$
BEGIN
    IF to_regclass('vectors_indexed') IS NOT NULL THEN
        EXECUTE 'INSERT INTO vectors_indexed VALUES (''memories'', gen_random_uuid(), NULL, 2, ''[0,1]'')';
    END IF;
END
$$;
UPDATE config SET value = '0.9' WHERE key = 'tts.speed';
"""
"""Something in every table; triggers fill audit_log."""


async def _names(url: str) -> set[str]:
    connection = await asyncpg.connect(url)
    try:
        rows = await connection.fetch(
            "SELECT relname AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace"
            " UNION ALL SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
        )
    finally:
        await connection.close()
    return {row["name"] for row in rows}


async def _counts(url: str) -> dict[str, int]:
    """Return how many rows each table holds, partitions counted with theirs."""
    connection = await asyncpg.connect(url)
    try:
        tables = await connection.fetch(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"
            " AND NOT relispartition"
        )
        return {row[0]: await connection.fetchval(f'SELECT count(*) FROM "{row[0]}"') for row in tables}
    finally:
        await connection.close()


async def _run(url: str, sql: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(sql) if sql.startswith("SELECT") else await connection.execute(sql)
    finally:
        await connection.close()


def test_the_revisions_named_are_the_revisions_there_are() -> None:
    from alembic.script import ScriptDirectory

    scripts = list(ScriptDirectory.from_config(alembic_config()).walk_revisions())
    assert tuple(script.revision for script in reversed(scripts)) == REVISIONS
    assert all(script.doc.strip() for script in scripts)


async def test_up_down_up_on_a_populated_database(empty_database_url: str) -> None:
    assert await current(empty_database_url) is None
    await upgrade(empty_database_url)
    first = await _names(empty_database_url)
    await _run(empty_database_url, HISTORY)
    assert all((await _counts(empty_database_url)).values())
    assert await current(empty_database_url) == REVISIONS[-1]

    await downgrade(empty_database_url, "base")
    assert await current(empty_database_url) is None
    assert await _names(empty_database_url) == {"alembic_version", "alembic_version_pkc"}

    await upgrade(empty_database_url)
    assert await _names(empty_database_url) == first
    await _run(empty_database_url, HISTORY)


async def test_each_step_down_and_back_up_keeps_what_it_does_not_own(database_url: str) -> None:
    await _run(database_url, HISTORY)
    stored = await _counts(database_url)
    names = await _names(database_url)
    for revision in reversed(REVISIONS[:-1]):
        await downgrade(database_url, revision)
        left = await _counts(database_url)
        assert left == {table: count for table, count in stored.items() if table in left}
        assert {"users", "conversations", "messages", "actions", "reminders", "system_logs", "config"} <= left.keys()
    await upgrade(database_url)
    assert await _names(database_url) == names
    again = await _counts(database_url)
    assert {table: count for table, count in again.items() if table in left} == left
    assert await _run(database_url, "SELECT count(*) FROM messages WHERE search @@ search_query('luzes')") == 1000


async def test_what_comes_before_a_change_comes_only_then(database_url: str, empty_database_url: str) -> None:
    seen: list[str | None] = []

    async def before() -> None:
        seen.append(await current(database_url))

    await upgrade(database_url, before=before)
    await upgrade(empty_database_url, before=before)  # there is nothing to keep
    assert seen == []
    await downgrade(database_url, "0005")
    await upgrade(database_url, before=before)
    assert seen == ["0005"]

    async def refuses() -> None:
        raise ValueError("no copy")

    await downgrade(database_url, "0005")
    with pytest.raises(ValueError, match="no copy"):
        await upgrade(database_url, before=refuses)
    assert await current(database_url) == "0005"


async def test_an_upgrade_keeps_what_is_stored(database_url: str) -> None:
    await _run(database_url, HISTORY)
    await upgrade(database_url)
    assert await _run(database_url, "SELECT count(*) FROM messages") == 1000
    assert await _run(database_url, "SELECT value FROM config WHERE key = 'tts.speed'") == "0.9"


async def test_several_daemons_upgrade_at_once(empty_database_url: str) -> None:
    await asyncio.gather(*(upgrade(empty_database_url) for _ in range(4)))
    assert await current(empty_database_url) == REVISIONS[-1]


async def test_nothing_to_do_is_quick_and_changes_nothing(database_url: str) -> None:
    await upgrade(database_url)
    before = await _run(
        database_url, "SELECT string_agg(xmin::text, ',' ORDER BY proname) FROM pg_proc WHERE prolang <> 12"
    )
    rows = await _run(database_url, "SELECT string_agg(ctid::text || xmin::text, ',' ORDER BY key) FROM config")
    started = time.perf_counter()
    await upgrade(database_url)
    assert time.perf_counter() - started < 1
    assert before == await _run(
        database_url, "SELECT string_agg(xmin::text, ',' ORDER BY proname) FROM pg_proc WHERE prolang <> 12"
    )
    assert rows == await _run(database_url, "SELECT string_agg(ctid::text || xmin::text, ',' ORDER BY key) FROM config")


async def test_nothing_to_do_imports_no_alembic(database_url: str) -> None:
    program = (
        "import asyncio, sys; from db.upgrade import upgrade; asyncio.run(upgrade(sys.argv[1]));"
        "sys.exit('alembic' in sys.modules or 'sqlalchemy' in sys.modules)"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", program, database_url, cwd=ROOT)
    assert await process.wait() == 0


async def test_a_newer_schema_is_refused_with_what_to_do(database_url: str) -> None:
    await _run(database_url, "UPDATE alembic_version SET version_num = '9999'")
    for attempt in (upgrade(database_url), downgrade(database_url, "base"), current(database_url)):
        with pytest.raises(SchemaTooNew, match=r"revisão 9999.*Atualize o Mordomo"):
            await attempt
    assert await _run(database_url, "SELECT count(*) FROM users") == 0


async def test_an_unknown_revision_is_no_way_down(database_url: str) -> None:
    with pytest.raises(ValueError, match="não existe a revisão 0000"):
        await downgrade(database_url, "0000")
    assert await current(database_url) == REVISIONS[-1]


async def test_a_held_table_is_waited_for_briefly_and_nothing_is_half_done(
    database_url: str, empty_database_url: str
) -> None:
    impatient = Patience(lock_s=0.05, tries=2, pause_s=0)
    holder = await asyncpg.connect(database_url)
    held = holder.transaction()
    await held.start()
    await holder.execute("LOCK TABLE users, config IN SHARE MODE")
    await _run(database_url, "ALTER FUNCTION check_config() RENAME TO check_of_yesterday")
    with pytest.raises(SchemaBusy):
        await upgrade(database_url, impatient)
    with pytest.raises(SchemaBusy, match="encerre a transação"):
        await downgrade(database_url, "base", impatient)
    # What came before the held tables was undone, each revision whole; the one that met them left everything in place.
    stopped_at = await current(database_url)
    assert stopped_at in REVISIONS
    await upgrade(empty_database_url)
    await downgrade(empty_database_url, stopped_at)
    assert await _names(database_url) - {"check_of_yesterday"} == await _names(empty_database_url)
    await held.rollback()
    await holder.close()
    await upgrade(database_url)
    assert await current(database_url) == REVISIONS[-1]
    assert {"users", "config", "idx_reminders_scheduled", "check_config"} <= await _names(database_url)


async def test_a_server_that_is_away_is_a_link_that_is_down(tmp_path: Path) -> None:
    for attempt in (upgrade, current):
        with pytest.raises(LinkDown, match="postgres"):
            await attempt(f"postgresql://mordomo@/mordomo?host={tmp_path}")


async def test_the_sql_for_review_makes_the_same_schema(empty_database_url: str, database_url: str) -> None:
    sql = upgrade_sql()
    assert sql.index("lock_timeout") < sql.index("CREATE TABLE")
    await _run(empty_database_url, sql)
    assert await _names(empty_database_url) == await _names(database_url)
    assert await current(empty_database_url) == REVISIONS[-1]
    seeds = "SELECT string_agg(key || value || description, '' ORDER BY key) FROM config"
    bodies = "SELECT string_agg(prosrc, '' ORDER BY proname, prosrc) FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
    for same in (seeds, bodies):
        assert await _run(empty_database_url, same) == await _run(database_url, same)


async def test_logging_is_left_as_it_was(empty_database_url: str) -> None:
    root = logging.getLogger()
    before = (
        root.level,
        list(root.handlers),
        logging.getLogger("alembic").level,
        logging.getLogger("asyncio").disabled,
    )
    await upgrade(empty_database_url)
    assert before == (
        root.level,
        list(root.handlers),
        logging.getLogger("alembic").level,
        logging.getLogger("asyncio").disabled,
    )
