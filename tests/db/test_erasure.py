"""Erasing a person from the database: what goes, what stays, what the receipt says, and how it is checked."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest

from db import consents, erasures
from db.audit import acting_as, recent
from db.consents import allows, record, standing
from db.database import Database, open_database
from db.erasure import Wish, counted, erase_rows
from db.erasures import found_again, tables_with
from db.messages import HEARD, SAID
from db.records import HeardMessage, NewAction, SaidMessage, heard_record, said_record
from db.reminders import create
from db.roles import APP, READER, as_role
from db.upgrade import downgrade, upgrade
from db.users import named

NOW = datetime(2026, 11, 20, 15, tzinfo=UTC)
TODAY = NOW.replace(hour=3)
YESTERDAY = NOW - timedelta(days=1)
MARK = "zabelê"
"""A word that nothing else holds."""


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    async with open_database(database_url) as database:
        yield database


async def said(db: Database, user_id: UUID | None, words: str, at: datetime, conversation: UUID | None = None) -> UUID:
    """Store a turn, and return its conversation."""
    key, message, action = conversation or uuid4(), uuid4(), uuid4()
    heard = HeardMessage(
        key, message, words, at, user_id=user_id,
        actions=(NewAction(action, "reminder", "create", {"title": words}),),
    )  # fmt: skip
    await db.execute(HEARD, heard_record(heard, {"owner": "x", "run": "y"}))
    await db.execute(SAID, said_record(SaidMessage(key, uuid4(), f"Anotei {words}.", at + timedelta(seconds=2))))
    return key


async def lived_in(db: Database) -> tuple[UUID, UUID]:
    """Fill a house with what Ana said (with the mark) and Bia (without); return both."""
    ana, bia = await named(db, "Ana"), await named(db, "Bia")
    await said(db, ana, f"{MARK} de ontem", YESTERDAY)
    await said(db, ana, f"{MARK} de hoje", NOW - timedelta(hours=1))
    await said(db, bia, "que horas são", NOW)
    async with acting_as(db, "Ana", "voice") as connection:
        await create(connection, f"comprar {MARK}", NOW, ana)
        await create(connection, f"levar {MARK}", NOW, addressee="ana")
        await create(connection, "buscar pão", NOW, bia, created_by="Ana", ack="required", escalate_to="Ana")
    await db.execute("INSERT INTO lists (name, user_id) VALUES ($1, $2)", MARK, ana)
    await db.execute("INSERT INTO lists (name) VALUES ('feira')")
    await db.execute(
        "INSERT INTO list_items (list_id, text, added_by) SELECT id, 'leite', 'Ana' FROM lists WHERE name = 'feira'"
    )
    await db.execute("UPDATE users SET metadata = $2 WHERE id = $1", ana, {"apelido": MARK})
    logged = "INSERT INTO system_logs (timestamp, level, source, message, metadata) VALUES ($1, 'INFO', 'x', $2, $3)"
    await db.execute(logged, NOW, "voz de ANA", {})
    await db.execute(logged, NOW, "voz", {"person": str(ana)})
    await db.execute(logged, NOW, "banana madura", {})
    return ana, bia


async def counts(db: Database) -> dict[str, int]:
    tables = ("users", "conversations", "messages", "actions", "reminders", "lists", "list_items", "system_logs")
    return {table: await db.fetchval(f"SELECT count(*) FROM {table}") for table in tables}


async def test_all_of_a_person_goes_and_nothing_of_anybody_else(db: Database) -> None:
    ana, _ = await lived_in(db)
    wish = Wish(ana, "Ana", "person", "cli", "other")
    assert (await counted(db, wish))["messages"] == 4
    receipt = await erase_rows(db, wish, NOW)
    assert await tables_with(db, MARK) == {}
    assert await counts(db) == {
        "users": 1, "conversations": 1, "messages": 2, "actions": 1, "reminders": 1, "lists": 1, "list_items": 1,
        "system_logs": 1,
    }  # fmt: skip
    assert await tables_with(db, str(ana)) == {"erasures": 1}, "only what is still to go, until it is finished"
    done = await erasures.finish(db, receipt.id, {}, NOW)
    assert await tables_with(db, str(ana)) == {}
    assert receipt.counts | {"audit_log": 0} == done.counts | {"audit_log": 0}
    assert {key: receipt.counts[key] for key in ("users", "conversations", "messages", "actions", "reminders")} == {
        "users": 1, "conversations": 2, "messages": 4, "actions": 2, "reminders": 2,
    }  # fmt: skip
    left = await db.fetchrow("SELECT title, created_by, escalate_to FROM reminders")
    assert left is not None
    assert tuple(left) == ("buscar pão", "alguém", None)
    assert await db.fetchval("SELECT added_by FROM list_items") == "alguém"
    assert await found_again(db, done) == {}


async def test_the_audit_still_tells_that_and_when_but_no_more_of_whom(db: Database) -> None:
    ana, bia = await lived_in(db)
    before = len(await recent(db, limit=200))
    await erase_rows(db, Wish(ana, "Ana", "person", "cli", "other"), NOW)
    changes = await recent(db, limit=200)
    assert len(changes) > before
    assert "Ana" not in {change.actor for change in changes}
    assert not any(MARK in json.dumps([change.old, change.new], ensure_ascii=False) for change in changes)
    assert [change.new for change in changes if change.row_id == str(bia)] != [None], "what is Bia's stays"
    with pytest.raises(asyncpg.RaiseError, match="audit_log só cresce"):
        await db.execute("UPDATE audit_log SET actor = 'x'")


async def test_a_receipt_holds_nothing_of_the_person(db: Database) -> None:
    ana, _ = await lived_in(db)
    receipt = await erase_rows(db, Wish(ana, "Ana", "person", "cli", "other"), NOW)
    await erasures.finish(db, receipt.id, {"audio": ["20261120T120000Z-x.wav"]}, NOW)
    row = await db.fetchval("SELECT to_jsonb(e)::text FROM erasures AS e")
    assert "Ana" not in row
    assert MARK not in row
    assert str(ana) not in row


async def test_a_row_that_comes_back_is_found(db: Database) -> None:
    ana, _ = await lived_in(db)
    message = await db.fetchrow("SELECT * FROM messages WHERE content LIKE $1 AND role = 'user' LIMIT 1", f"%{MARK}%")
    assert message is not None
    receipt = await erase_rows(db, Wish(ana, "Ana", "person", "cli", "other"), NOW)
    assert await found_again(db, receipt) == {}
    key = await db.fetchval("INSERT INTO conversations (id) VALUES ($1) RETURNING id", message["conversation_id"])
    await db.execute("INSERT INTO messages (id, conversation_id, role, content) VALUES ($1, $2, 'user', 'de volta')",
                     message["id"], key)  # fmt: skip
    assert await found_again(db, receipt) == {"conversations": 1, "messages": 1}


async def test_what_was_said_today_goes_and_yesterday_stays(db: Database) -> None:
    ana, _ = await lived_in(db)
    await db.execute("UPDATE reminders SET created_at = $1", NOW)
    old = await create(db, "toda terça", NOW, ana, zone=None, rrule=None)
    await db.execute("UPDATE reminders SET created_at = $2, series_id = id WHERE id = $1", old, YESTERDAY)
    after = "INSERT INTO reminders (title, user_id, scheduled_at, created_at, series_id) VALUES ('toda terça', $1, $2, $2, $3)"
    await db.execute(after, ana, NOW, old)
    wish = Wish(ana, "Ana", "since", "voice", since=TODAY)
    assert await counted(db, wish) == {"messages": 2, "actions": 1, "reminders": 2, "conversations": 1}
    await erase_rows(db, wish, NOW)
    assert {row[0] for row in await db.fetch("SELECT content FROM messages WHERE content LIKE $1", f"%{MARK}%")} == {
        f"{MARK} de ontem",
        f"Anotei {MARK} de ontem.",
    }
    assert await db.fetchval("SELECT count(*) FROM reminders WHERE title = 'toda terça'") == 2
    assert await db.fetchval("SELECT count(*) FROM users") == 2


async def test_of_a_conversation_over_midnight_the_rest_stays_counted(db: Database) -> None:
    ana = await named(db, "Ana")
    talk = await said(db, ana, "antes", TODAY - timedelta(minutes=1))
    await said(db, ana, "depois", TODAY + timedelta(minutes=1), talk)
    await erase_rows(db, Wish(ana, "Ana", "since", "voice", since=TODAY), NOW)
    row = await db.fetchrow("SELECT message_count, (SELECT count(*) FROM messages) AS there FROM conversations")
    assert row is not None
    assert tuple(row) == (2, 2)


async def test_voices_that_nobody_knows(db: Database) -> None:
    ana, _ = await lived_in(db)
    await said(db, None, f"{MARK} de alguém", NOW)
    await erase_rows(db, Wish(None, None, "since", "voice", since=TODAY), NOW)
    assert await db.fetchval("SELECT count(*) FROM messages WHERE content = $1", f"{MARK} de alguém") == 0
    assert await db.fetchval("SELECT count(*) FROM conversations WHERE user_id = $1", ana) == 2


async def test_a_name_with_signs_in_it_is_a_name(db: Database) -> None:
    odd = await named(db, "Zé (o 2º) .*")
    sql = "INSERT INTO system_logs (level, source, message) VALUES ('INFO', 'x', $1)"
    await db.execute(sql, "ouvi zé (o 2º) .* na sala")
    await db.execute(sql, "ouvi a TV na sala")
    await erase_rows(db, Wish(odd, "Zé (o 2º) .*", "person", "cli", "other"), NOW)
    assert [row[0] for row in await db.fetch("SELECT message FROM system_logs")] == ["ouvi a TV na sala"]


async def test_an_action_nobody_asked_for_goes_with_the_reminder_it_was_about(db: Database) -> None:
    ana = await named(db, "Ana")
    reminder = await create(db, MARK, NOW, ana)
    await db.execute(
        "INSERT INTO actions (action_type, action_name, parameters) VALUES ('reminder', 'speak', $1)",
        {"reminder_id": str(reminder), "title": MARK},
    )
    await erase_rows(db, Wish(ana, "Ana", "person", "cli", "other"), NOW)
    assert await tables_with(db, MARK) == {}


class TestConsents:
    async def test_the_newest_word_counts(self, db: Database) -> None:
        ana = await named(db, "Ana")
        assert not await allows(db, ana, "audio")
        await record(db, ana, "audio", given=True, how="voice", at=NOW, message_id=uuid4())
        assert await allows(db, ana, "audio")
        assert not await allows(db, ana, "memory")
        await record(db, ana, "audio", given=False, how="cli", at=NOW)  # at the same moment, but later
        assert not await allows(db, ana, "audio")
        known = await standing(db, ana)
        assert [(one.kind, one.given, one.how) for one in known.values()] == [("audio", False, "cli")]

    @pytest.mark.parametrize(
        "attempt", ["UPDATE consents SET given = TRUE", "DELETE FROM consents", "TRUNCATE consents"]
    )
    async def test_what_was_said_stays(self, db: Database, attempt: str) -> None:
        await record(db, await named(db, "Ana"), "memory", given=False, how="cli", at=NOW)
        with pytest.raises(asyncpg.RaiseError, match="consents só cresce"):
            await db.execute(attempt)
        assert await db.fetchval("SELECT NOT given FROM consents")

    async def test_it_goes_with_the_person(self, db: Database) -> None:
        ana = await named(db, "Ana")
        for kind in consents.KINDS:
            await record(db, ana, kind, given=True, how="cli", at=NOW)
        receipt = await erase_rows(db, Wish(ana, "Ana", "person", "cli", "self"), NOW)
        assert receipt.counts["consents"] == 3
        assert await db.fetchval("SELECT count(*) FROM consents") == 0


class TestReceipts:
    @pytest.mark.parametrize(
        "attempt",
        ["UPDATE erasures SET counts = '{}'", "UPDATE erasures SET finished_at = NULL", "DELETE FROM erasures",
         "TRUNCATE erasures"],
    )  # fmt: skip
    async def test_a_finished_one_stays(self, db: Database, attempt: str) -> None:
        ana, _ = await lived_in(db)
        receipt = await erase_rows(db, Wish(ana, "Ana", "person", "cli", "other"), NOW)
        done = await erasures.finish(db, receipt.id, {}, NOW)
        with pytest.raises(asyncpg.RaiseError, match="um recibo em erasures"):
            await db.execute(attempt)
        await erasures.checked(db, done.id, {}, NOW)
        await erasures.note_backups(db, done.id, {"state": "replaced"})
        again = await erasures.receipt(db, done.id)
        assert again is not None
        assert (again.verified_at, again.backups["state"]) == (NOW, "replaced")

    async def test_only_an_erasure_under_way_may_touch_the_audit(self, db: Database) -> None:
        ana, _ = await lived_in(db)
        with pytest.raises(asyncpg.RaiseError, match="não está em andamento"):
            await db.fetchval("SELECT erase_traces($1, '{}', '{Ana}', NULL)", uuid4())
        receipt = await erase_rows(db, Wish(ana, "Ana", "person", "cli", "other"), NOW)
        await erasures.finish(db, receipt.id, {}, NOW)
        with pytest.raises(asyncpg.RaiseError, match="não está em andamento"):
            await db.fetchval("SELECT erase_traces($1, '{}', '{Bia}', NULL)", receipt.id)


async def test_the_daemons_own_role_can_erase_and_can_do_no_more_to_the_audit(db: Database, database_url: str) -> None:
    ana, _ = await lived_in(db)
    async with open_database(as_role(database_url, APP)) as app:
        receipt = await erase_rows(app, Wish(ana, "Ana", "person", "cli", "other"), NOW)
        await erasures.finish(app, receipt.id, {}, NOW)
        assert await found_again(app, receipt) == {}
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await app.execute("UPDATE audit_log SET actor = 'x'")
    async with open_database(as_role(database_url, READER)) as reader:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await reader.fetchval("SELECT erase_traces($1, '{}', '{Bia}', NULL)", receipt.id)
    assert await tables_with(db, MARK) == {}


async def test_down_and_up_with_something_in_it(db: Database, database_url: str) -> None:
    ana, _ = await lived_in(db)
    await record(db, ana, "audio", given=True, how="cli", at=NOW)
    await erase_rows(db, Wish(ana, "Ana", "audio", "cli", "self"), NOW)
    await downgrade(database_url, "0013")
    async with open_database(database_url) as old:
        with pytest.raises(asyncpg.RaiseError, match="audit_log só cresce"):
            await old.execute("UPDATE audit_log SET actor = 'x'")
    await upgrade(database_url)
    async with open_database(database_url) as new:
        assert not await allows(new, ana, "audio")
