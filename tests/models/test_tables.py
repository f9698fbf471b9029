"""What the tables promise, asked of a real database: defaults, checks, cascades, triggers, and the models on top."""

from datetime import datetime
from pathlib import Path
from typing import Any, get_args

import asyncpg
import pytest
from sqlalchemy import CheckConstraint, select
from sqlalchemy.ext.asyncio import AsyncSession

import models
from db.database import Database
from db.upgrade import engine_connection
from models.schema import Action, Conversation, Message, Reminder, ReminderStep, SystemLog, Table, User
from models.words import Ack, ActionStatus, Kind, Late, LogLevel, OnHoliday, ReminderStatus, Role, Step

ONE = "00000000-0000-0000-0000-000000000001"


async def _a_life(db: Database) -> None:
    await db.execute(f"INSERT INTO users (id, name) VALUES ('{ONE}', 'Ana')")
    await db.execute(f"INSERT INTO conversations (id, user_id) VALUES ('{ONE}', '{ONE}')")
    await db.execute(
        f"INSERT INTO messages (id, conversation_id, role, content) VALUES ('{ONE}', '{ONE}', 'user', 'oi')"
    )
    await db.execute(
        "INSERT INTO actions (message_id, conversation_id, action_type, action_name, parameters)"
        f" VALUES ('{ONE}', '{ONE}', 'iot_control', 'turn_on', '{{}}')"
    )
    await db.execute(f"INSERT INTO reminders (user_id, title, scheduled_at) VALUES ('{ONE}', 'remédio', now())")


async def test_defaults(db: Database) -> None:
    await _a_life(db)
    user = dict(await db.fetchrow("SELECT * FROM users") or {})
    assert (user["voice_enrolled"], user["is_active"], user["metadata"]) == (False, True, {})
    assert user["last_interaction_at"] is None
    assert user["created_at"].tzinfo is not None
    assert user["created_at"] == user["updated_at"]
    assert await db.fetchval("SELECT message_count FROM conversations") == 0
    assert await db.fetchval("SELECT status FROM actions") == "pending"
    assert await db.fetchval("SELECT status FROM reminders") == "pending"


@pytest.mark.parametrize(
    ("table", "assignment"),
    [
        ("conversations", "satisfaction_score = 1.01"),
        ("conversations", "satisfaction_score = -0.01"),
        ("messages", "role = 'robot'"),
        ("actions", "status = 'unknown'"),
        ("reminders", "status = 'snoozed'"),
    ],
)
async def test_words_and_figures_that_do_not_exist_are_refused(db: Database, table: str, assignment: str) -> None:
    await _a_life(db)
    with pytest.raises(asyncpg.CheckViolationError):
        await db.execute(f"UPDATE {table} SET {assignment}")


@pytest.mark.parametrize(
    ("model", "column", "words"),
    [
        (Message, "role", Role),
        (Action, "status", ActionStatus),
        (Reminder, "status", ReminderStatus),
        (Reminder, "kind", Kind),
        (Reminder, "on_holiday", OnHoliday),
        (Reminder, "ack", Ack),
        (Reminder, "late", Late),
        (ReminderStep, "step", Step),
        (SystemLog, "level", LogLevel),
    ],
)
def test_python_and_postgres_know_the_same_words(model: type[Table], column: str, words: object) -> None:
    table = Table.metadata.tables[str(model.__tablename__)]
    checks = [str(check.sqltext) for check in table.constraints if isinstance(check, CheckConstraint)]
    quoted = ", ".join(f"'{word}'" for word in get_args(words))
    assert f"{column} IN ({quoted})" in checks


async def test_a_person_who_goes_takes_everything_along(db: Database) -> None:
    await _a_life(db)
    await db.execute("DELETE FROM users")
    for table in ("conversations", "messages", "actions", "reminders"):
        assert await db.fetchval(f"SELECT count(*) FROM {table}") == 0


async def test_a_person_s_updated_at_moves_when_something_changed(db: Database) -> None:
    await _a_life(db)
    before: datetime = await db.fetchval("SELECT updated_at FROM users")
    await db.execute("UPDATE users SET name = name")
    assert await db.fetchval("SELECT updated_at FROM users") == before
    await db.execute("UPDATE users SET name = 'Ana Maria', updated_at = '2000-01-01'")
    assert await db.fetchval("SELECT updated_at FROM users") > before


async def test_an_email_belongs_to_one_person(db: Database) -> None:
    await db.execute("INSERT INTO users (name, email) VALUES ('Ana', 'a@casa.br')")
    with pytest.raises(asyncpg.UniqueViolationError):
        await db.execute("INSERT INTO users (name, email) VALUES ('Bia', 'a@casa.br')")


async def test_models_write_and_read_rows(database_url: str) -> None:
    rows: list[dict[str, Any]] = [
        {"name": "Ana"},
        {"user_id": None},
        {"role": "user", "content": "acende a luz", "confidence": 0.9},
    ]
    async with engine_connection(database_url) as connection, AsyncSession(connection) as session:
        ana = User(**rows[0])
        session.add(ana)
        await session.flush()
        talk = Conversation(**rows[1] | {"user_id": ana.id})
        session.add(talk)
        await session.flush()
        session.add(Message(**rows[2], conversation_id=talk.id))
        await session.flush()
        session.expire_all()
        message = (await session.execute(select(Message))).scalar_one()
        assert (message.content, message.confidence, message.extra) == ("acende a luz", 0.9, {})
        assert message.timestamp.tzinfo is not None


def test_every_noun_has_its_file_and_its_lifecycle() -> None:
    folder = Path(models.__file__).parent
    nouns = {path.stem for path in folder.glob("*.py")} - {"__init__", "schema", "table", "words"}
    tables = {mapper.class_ for mapper in Table._sa_registry.mappers}
    assert {table.__module__.removeprefix("models.") for table in tables} == nouns
    assert {str(table.__tablename__) for table in tables} == set(Table.metadata.tables)
    assert all("──" in (table.__doc__ or "") for table in tables)
