"""What people set by hand of their devices, and who did what."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from kept_rows import LAMP, Kept, started
from support.clock import FakeClock

from daemon.devices.order import Goal
from db import devices as by_hand
from db.audit import Acting, recent
from db.database import open_database
from db.entity_states import history


@pytest.fixture
async def kept(database_url: str) -> AsyncIterator[Kept]:
    async with open_database(database_url) as db:
        yield started(db, database_url, FakeClock())


async def test_an_update_and_a_removal_are_followed_and_marks_survive_them(kept: Kept) -> None:
    kept.announce()
    await kept.rows.write()
    await by_hand.rename(kept.db, "light.x", "Abajur da vó")
    kept.announce(config={**LAMP, "name": "Luz nova", "dev": {**LAMP["dev"], "sa": "quarto"}})  # type: ignore[dict-item]
    row = await kept.entity()
    assert (row.announced, row.name, row.suggested_area) == ("Luz nova", "Abajur da vó", "quarto")
    kept.announce(config={})
    assert (await kept.entity()).removed_at == kept.clock.now()
    assert await kept.db.fetchval("SELECT removed_at FROM devices") == kept.clock.now()
    assert await by_hand.listed(kept.db) == []
    kept.announce()
    again = await kept.again()
    again.announce()
    row = await again.entity()
    assert (row.removed_at, row.name) == (None, "Abajur da vó")
    assert again.house.name("light.x") == "Abajur da vó"


async def test_a_device_that_announces_itself_in_another_way_keeps_its_marks(kept: Kept) -> None:
    kept.announce()
    await kept.rows.write()
    await by_hand.rename(kept.db, "light.x", "abajur")
    again = await kept.again()
    again.house.announce("homeassistant/light/0x1/light/config", json.dumps({"obj_id": "x", **LAMP}).encode())
    row = await again.entity()
    assert (row.source, row.given_name, row.removed_at) == ("homeassistant/light/0x1/light/config", "abajur", None)
    assert len(await by_hand.listed(kept.db, removed=True)) == 1


async def test_everything_set_by_hand_reaches_the_house(kept: Kept) -> None:
    kept.announce()
    kept.announce("switch", "y", {"name": "Bomba", "cmd_t": "b", "dev": {"ids": "0x2", "sa": "Sala"}})
    await kept.rows.write()
    await by_hand.rename(kept.db, "light.x", "abajur")
    await by_hand.alias(kept.db, "light.x", "luminária")
    await by_hand.guard(kept.db, "light.x", guarded=True)
    await by_hand.favourite(kept.db, "light.x")
    assert await by_hand.move(kept.db, "light.x", "Varanda") == "Varanda"
    await kept.db.execute(
        "INSERT INTO areas (name, aliases, floor) VALUES ('Sala de estar', '{sala,living}', 'térreo')"
    )
    await kept.arrangement.refresh()
    household = kept.house.household()
    lamp, pump = household.things
    assert (lamp.name, lamp.aliases, lamp.area) == ("abajur", ("luminária",), "Varanda")
    assert (lamp.attributes["guarded"], lamp.attributes["favourite"]) == (True, True)
    assert (pump.area, "guarded" in pump.attributes) == ("Sala de estar", False)
    assert [(area.name, area.aliases, area.floor) for area in household.areas] == [
        ("Sala de estar", ("sala", "living"), "térreo"), ("Varanda", (), None),
    ]  # fmt: skip
    await by_hand.move(kept.db, "switch.y", "varanda", whole_device=True)
    await by_hand.hide(kept.db, "light.x")
    await kept.arrangement.refresh()
    (pump,) = kept.house.household().things
    assert pump.area == "Varanda"


async def test_an_entity_declared_by_sql_alone_is_there_and_a_bad_one_is_told(kept: Kept) -> None:
    await kept.db.execute(
        "INSERT INTO entities (entity_id, declared) VALUES"
        ' (\'switch.bomba\', \'{"name": "Bomba", "command_topic": "b/set", "state_topic": "b"}\'),'
        " ('switch.nada', '{\"name\": \"Nada\"}')"
    )
    await kept.arrangement.refresh()
    assert {thing.id: thing.name for thing in kept.house.household().things}["switch.bomba"] == "Bomba"
    kept.house.hear("b", b"ON", kept.clock.now())
    row = await kept.entity("switch.bomba")
    assert (row.state, row.source, row.fault) == ("on", "hand:switch.bomba", None)
    assert "Falta um tópico" in ((await kept.entity("switch.nada")).fault or "")
    again = await kept.again()
    assert again.house.topics == {"b"}
    await again.rows.write()
    assert (await again.entity("switch.bomba")).removed_at is None
    await by_hand.remove(kept.db, "switch.bomba")
    await again.arrangement.refresh()
    assert again.house.entity("switch.bomba") is None
    await again.rows.write()
    with pytest.raises(by_hand.NoSuchEntity):
        await by_hand.one(kept.db, "switch.bomba")


async def test_what_is_deleted_though_it_is_announced_comes_back_without_marks(kept: Kept) -> None:
    kept.announce()
    kept.hear({"state": "ON"})
    await kept.rows.write()
    await by_hand.rename(kept.db, "light.x", "abajur")
    await by_hand.remove(kept.db, "light.x")
    await kept.arrangement.refresh()
    row = await kept.entity()
    assert (row.name, row.state) == ("Luz", "on")


async def test_who_turned_it_on(kept: Kept) -> None:
    kept.announce()
    kept.hear({"state": "OFF"})
    db = kept.db
    ana = await db.fetchval("INSERT INTO users (name) VALUES ('Ana') RETURNING id")
    talk = await db.fetchval("INSERT INTO conversations (user_id) VALUES ($1) RETURNING id", ana)
    message = await db.fetchval(
        "INSERT INTO messages (conversation_id, role, content, metadata)"
        " VALUES ($1, 'user', 'acende o abajur', '{\"source\": \"microphone\"}') RETURNING id", talk,
    )  # fmt: skip
    action = await db.fetchval(
        "INSERT INTO actions (message_id, conversation_id, action_type, action_name, parameters)"
        " VALUES ($1, $2, 'iot_control', 'turn_on', '{\"entity_id\": \"light.x\"}') RETURNING id", message, talk,
    )  # fmt: skip
    kept.clock.advance(10)
    before = kept.house.condition("light.x")
    kept.house.causes.commanded("light.x", action, Goal(frozenset({"on"})), before, kept.clock.now())
    kept.hear({"state": "ON"})
    kept.clock.advance(30)
    kept.hear({"state": "ON", "brightness": 20})  # at the lamp's own knob
    kept.clock.advance(60)
    await kept.rows.write()
    dimmed, change, _ = await history(db, ["light.x"], since=kept.clock.now() - timedelta(hours=1))
    assert (dimmed.cause, dimmed.previous, dimmed.person) == ("house", "on", None)
    assert (change.cause, change.person, change.said, change.action, change.channel) == (
        "mordomo", "Ana", "acende o abajur", "turn_on", "microphone",
    )  # fmt: skip
    assert kept.house.condition("light.x").cause == "house"


async def test_who_arranged_it_is_written_down(kept: Kept) -> None:
    kept.announce()
    await kept.rows.write()
    await by_hand.rename(Acting(kept.db, "Ana", "voice"), "light.x", "abajur")
    await by_hand.move(Acting(kept.db, "Ana", "voice"), "light.x", "Sala")
    moved, made, renamed = await recent(kept.db, limit=3)
    assert (renamed.table, renamed.row_id, renamed.new, renamed.actor) == (
        "entities", "light.x", {"given_name": "abajur"}, "Ana",
    )  # fmt: skip
    assert (made.table, moved.action, moved.actor) == ("areas", "UPDATE", "Ana")
