"""Scheduled commands through the real skills and ledger, and where a person was heard last, on a real database."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from support.house import Links, home

from config.preferences import Preferences
from daemon.errors import LinkDown
from daemon.reminders.carrying import ScheduledCommands
from daemon.reminders.wiring import calendar_of, room_of
from db.database import open_database
from db.reminders import Due

NOW = datetime.now(UTC)


def command(*plan: dict[str, Any]) -> Due:
    return Due(uuid4(), "apagar a luz da sala", NOW, None, None, {}, "command", area="sala", plan=plan)


OFF = {"intent": "HassTurnOff", "targets": ["light.sala"], "slots": {"name": "luz da sala"}}


async def test_it_is_done_by_the_skill_kept_in_the_ledger_and_not_talked_about(
    database_url: str, tmp_path: Path
) -> None:
    told: list[str] = []
    async with home(database_url, tmp_path) as house:
        await ScheduledCommands(house.butler, told.append).carry_out(command(OFF))
        assert [(each.entity_id, each.verb) for each in house.links.orders] == [("light.sala", "turn_off")]
        rows = await house.db.fetch("SELECT action_name, status FROM actions")
        assert [tuple(row) for row in rows] == [("turn_off", "success")]
        said = await house.db.fetchval("SELECT content FROM messages WHERE role = 'user'")
        assert said == "apagar a luz da sala"
    assert told == []


@pytest.mark.parametrize("how", ["no_link", "guarded"])
async def test_what_does_not_go_well_is_told(database_url: str, tmp_path: Path, how: str) -> None:
    told: list[str] = []
    plan = OFF if how == "no_link" else {"intent": "HassTurnOff", "targets": ["lock.porta"], "slots": {}}
    links = Links(light__sala=LinkDown("mqtt"))
    async with home(database_url, tmp_path, links=links) as house:
        await ScheduledCommands(house.butler, told.append).carry_out(command(plan))
    assert len(told) == 1
    assert told[0]


async def test_a_command_without_a_plan_does_nothing(database_url: str, tmp_path: Path) -> None:
    async with home(database_url, tmp_path) as house:
        await ScheduledCommands(house.butler, lambda _: None).carry_out(command())
        assert house.links.orders == []


async def test_the_room_where_a_person_was_heard_last(database_url: str) -> None:
    async with open_database(database_url) as db:
        ana: UUID = await db.fetchval("INSERT INTO users (name) VALUES ('Ana') RETURNING id")
        talk = await db.fetchval("INSERT INTO conversations (user_id) VALUES ($1) RETURNING id", ana)
        for hours, area in ((1, "quarto"), (3, "cozinha"), (30, "garagem")):
            await db.execute(
                "INSERT INTO messages (conversation_id, role, content, timestamp, metadata) VALUES ($1, 'user', 'oi', $2, $3)",
                talk, NOW - timedelta(hours=hours), {"area": area},
            )  # fmt: skip
        hers = Due(uuid4(), "remédio", NOW, None, ana, {})
        assert await room_of(db, hers, NOW) == "quarto"
        assert await room_of(db, hers, NOW - timedelta(minutes=90)) == "quarto", "the newest there is"
        assert await room_of(db, Due(uuid4(), "x", NOW, None, None, {}, addressee="ANA"), NOW) == "quarto"
        assert await room_of(db, Due(uuid4(), "x", NOW, None, None, {}, addressee="Rui"), NOW) is None
        assert await room_of(db, Due(uuid4(), "x", NOW, None, None, {}), NOW) is None
        assert await room_of(db, hers, NOW + timedelta(hours=20)) is None, "too long ago"


def test_the_calendar_is_the_preferences() -> None:
    prefs = Preferences({"house.holidays": "RJ", "house.own_holidays": "08/12", "house.carnival": False})
    days = calendar_of(prefs)
    assert days.holiday(datetime(2026, 4, 23, tzinfo=UTC).date())
    assert days.holiday(datetime(2026, 12, 8, tzinfo=UTC).date())
    assert not days.holiday(datetime(2026, 6, 4, tzinfo=UTC).date())
