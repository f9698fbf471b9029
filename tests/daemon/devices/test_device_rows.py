"""What is known of devices in the tables, and what the household set by hand in the house: real database, no broker."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from support.clock import FakeClock
from support.until import until

from daemon.devices.arrangement import Arrangement
from daemon.devices.by_hand import ByHand
from daemon.devices.house import House
from daemon.devices.link import Devices
from daemon.devices.order import Goal
from daemon.devices.rows import EVERY_S, DeviceRows
from daemon.errors import LinkDown
from db import devices as by_hand
from db.audit import Acting, recent
from db.database import Database, open_database
from db.device_rows import forget_removed
from db.entity_states import history

pytest_plugins = ("support.emptied",)
LAMP = {"name": "Luz", "schema": "json", "stat_t": "s", "brightness": True, "cmd_t": "c",
        "dev": {"ids": ["0x1"], "name": "Abajur", "mf": "Philips", "mdl": "LCT", "sa": "sala"}}  # fmt: skip


@dataclass
class Kept:
    """A house and the services that keep its rows; `again` is the daemon started anew."""

    db: Database
    url: str
    clock: FakeClock
    devices: Devices
    rows: DeviceRows
    arrangement: Arrangement

    @property
    def house(self) -> House:
        return self.devices.house

    def announce(self, component: str = "light", name: str = "x", config: dict[str, Any] | None = None) -> None:
        payload = b"" if config == {} else json.dumps({"obj_id": name, **(config or LAMP)}).encode()
        self.house.announce(f"homeassistant/{component}/{name}/config", payload)

    def hear(self, said: object, topic: str = "s", *, retained: bool = False) -> None:
        self.house.hear(topic, json.dumps(said).encode(), self.clock.now(), retained=retained)

    async def entity(self, entity_id: str = "light.x") -> by_hand.EntityRow:
        await self.rows.write()
        return await by_hand.one(self.db, entity_id)

    async def again(self) -> "Kept":
        kept = started(self.db, self.url, self.clock)
        await kept.rows._learn()
        await kept.arrangement.refresh()
        return kept


def started(db: Database, url: str, clock: FakeClock) -> Kept:
    devices = Devices("mqtt://127.0.0.1:1", clock, lambda: 1000)
    devices.settled.set()
    rows = DeviceRows(db, devices.house, devices.settled, clock)
    return Kept(db, url, clock, devices, rows, Arrangement(db, url, devices, rows))


@pytest.fixture
async def kept(emptied_url: str) -> AsyncIterator[Kept]:
    async with open_database(emptied_url) as db:
        yield started(db, emptied_url, FakeClock())


async def test_what_is_announced_and_heard_is_stored(kept: Kept) -> None:
    kept.announce(name="stored")
    kept.hear({"state": "OFF", "brightness": 10})
    row = await kept.entity("light.stored")
    assert (row.name, row.device, row.maker, row.model, row.suggested_area) == (
        "Luz",
        "Abajur",
        "Philips",
        "LCT",
        "sala",
    )
    assert (row.source, row.component) == ("homeassistant/light/stored/config", "light")
    assert (row.state, row.attributes, row.cause) == ("off", {"brightness_pct": 4}, "unknown")
    assert row.changed_at == row.first_seen_at == kept.clock.now()
    kept.clock.advance(60)
    kept.hear({"state": "ON"})
    row = await kept.entity("light.stored")
    assert (row.state, row.cause, row.changed_at) == ("on", "house", kept.clock.now())
    changes = await history(kept.db, ["light.stored"], since=kept.clock.now() - timedelta(hours=1))
    assert [(change.state, change.previous, change.cause) for change in changes] == [
        ("on", "off", "house"), ("off", None, "unknown"),
    ]  # fmt: skip
    assert await recent(kept.db, row_id="light.stored") == []


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


async def test_a_restart_restores_states_from_the_broker_and_their_story_from_the_table(kept: Kept) -> None:
    kept.announce()
    kept.hear({"state": "OFF"})
    kept.clock.advance(1)
    action = uuid4()
    before = kept.house.condition("light.x")
    kept.house.causes.commanded("light.x", action, Goal(frozenset({"on"})), before, kept.clock.now())
    kept.hear({"state": "ON"})
    assert (await kept.entity()).cause == "mordomo"
    turned_on = kept.clock.now()

    kept.clock.advance(3600)
    again = await kept.again()
    again.announce()
    assert again.house.condition("light.x").state is None  # nothing is guessed
    again.hear({"state": "ON", "brightness": 255}, retained=True)
    condition = again.house.condition("light.x")
    assert (condition.changed_at, condition.cause, condition.action_id) == (turned_on, "mordomo", action)
    row = await again.entity()
    assert (row.state, row.attributes, row.changed_at) == ("on", {"brightness_pct": 100}, turned_on)
    assert len(await history(kept.db, since=turned_on - timedelta(hours=1))) == 2

    kept.clock.advance(3600)
    third = await kept.again()
    third.announce()
    third.hear({"state": "OFF"}, retained=True)  # somebody turned it off while nobody listened
    assert ((await third.entity()).cause, (await third.entity()).changed_at) == ("unknown", kept.clock.now())


async def test_the_broker_may_be_quicker_than_the_database(kept: Kept) -> None:
    kept.announce()
    kept.hear({"state": "ON"})
    await kept.rows.write()
    since = kept.clock.now()
    kept.clock.advance(60)
    again = started(kept.db, kept.url, kept.clock)
    again.announce()
    again.hear({"state": "ON"}, retained=True)
    assert again.house.condition("light.x").changed_at == kept.clock.now()
    await again.rows._learn()
    await again.rows.write()
    assert again.house.condition("light.x").changed_at == since
    assert len(await history(kept.db, since=since - timedelta(hours=1))) == 1


async def test_what_is_announced_no_more_is_marked_only_once_the_broker_has_told_all(kept: Kept) -> None:
    kept.announce()
    await kept.rows.write()
    again = await kept.again()
    again.devices.settled.clear()
    assert (await again.entity()).removed_at is None
    again.devices.settled.set()
    assert (await again.entity()).removed_at is not None
    again.announce()
    assert (await again.entity()).removed_at is None
    await again.rows._learn()  # the database was away for a while
    assert (await again.entity()).removed_at is None
    again.announce(config={})
    assert (await again.entity()).removed_at is not None
    later = kept.clock.now() + timedelta(seconds=1)
    await by_hand.favourite(kept.db, "light.x")
    assert await forget_removed(kept.db, later) == 0
    await by_hand.favourite(kept.db, "light.x", on=False)
    assert await forget_removed(kept.db, later) == 1
    assert await kept.db.fetchval("SELECT count(*) FROM devices") == 0


async def test_two_of_one_id_keep_theirs_whoever_comes_first(kept: Kept) -> None:
    kept.announce(name="x")
    kept.house.announce("homeassistant/light/node/x/config", json.dumps({"obj_id": "x", "stat_t": "s2"}).encode())
    await kept.rows.write()
    sources = {row.source: row.entity_id for row in await by_hand.listed(kept.db)}
    assert len(set(sources.values())) == 2

    again = await kept.again()
    again.house.announce("homeassistant/light/node/x/config", json.dumps({"obj_id": "x", "stat_t": "s2"}).encode())
    again.announce(name="x")
    assert {entity.source: entity.id for entity in again.house.entities} == sources
    late = started(kept.db, kept.url, kept.clock)
    late.house.announce("homeassistant/light/node/x/config", json.dumps({"obj_id": "x", "stat_t": "s2"}).encode())
    late.announce(name="x")
    assert {entity.source: entity.id for entity in late.house.entities} != sources
    await late.rows._learn()
    assert {entity.source: entity.id for entity in late.house.entities} == sources
    await late.rows.write()
    assert {row.source: row.entity_id for row in await by_hand.listed(kept.db)} == sources


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


async def test_readings_that_wander_do_not_fill_the_tables(kept: Kept) -> None:
    kept.announce("sensor", "t", {"stat_t": "t", "unit_of_meas": "°C"})
    for tenth in range(600):
        kept.house.hear("t", str(20 + tenth / 10).encode(), kept.clock.now())
        kept.clock.advance(0.5)
        await kept.rows.write()
    lines = await history(kept.db, since=kept.clock.now() - timedelta(hours=1))
    assert 5 <= len(lines) <= 7
    kept.clock.advance(60)
    row = await kept.entity("sensor.t")
    assert (row.state, lines[-1].state) == ("79.9", "20.0")
    assert (await history(kept.db, since=kept.clock.now() - timedelta(hours=1)))[0].state == "79.9"


@pytest.mark.parametrize("odd", ["\x00", "\ud800", "'; DROP TABLE entities; --", "💡" * 600])
async def test_what_no_table_holds_harms_nobody_else(kept: Kept, odd: str) -> None:
    parts = {odd: {"p": "light", "obj_id": "odd", "stat_t": "s", "name": odd}}
    kept.house.announce("homeassistant/device/d/config", json.dumps({"dev": {"ids": [odd]}, "cmps": parts}).encode())
    kept.announce("sensor", "t", {"stat_t": "t", "dev": {"ids": [odd], "name": odd, "mf": odd}})
    kept.announce()
    kept.hear({"state": "ON"})
    kept.house.hear("s", json.dumps(odd).encode(), kept.clock.now())
    kept.house.hear("t", odd.encode(errors="surrogatepass"), kept.clock.now())
    assert (await kept.entity()).state == "on"
    assert len(kept.house.journal) == 0


async def test_the_database_may_go_away_and_nothing_is_lost(kept: Kept, emptied_url: str) -> None:
    async with open_database("postgresql://mordomo@/mordomo?host=/nowhere") as away:
        kept.rows._db = away
        kept.announce()
        for _ in range(3):
            kept.clock.advance(1)
            kept.hear({"state": "ON"})
            kept.hear({"state": "OFF"})
            with pytest.raises(LinkDown):
                await kept.rows.write()
    kept.rows._db = kept.db
    assert (await kept.entity()).state == "off"
    assert len(await history(kept.db, since=kept.clock.now() - timedelta(hours=1))) == 6
    assert len(kept.house.journal) == 0


class Watched(House):
    """A house that tells when it was given what is set by hand."""

    def __init__(self) -> None:
        super().__init__()
        self.used = asyncio.Event()

    def use(self, by_hand: ByHand) -> None:
        super().use(by_hand)
        self.used.set()


async def test_it_writes_by_itself_and_follows_edits_by_sql(emptied_url: str) -> None:
    """As services, on a connection that listens, with an edit that comes from another program."""
    clock, watched = FakeClock(), Watched()
    async with open_database(emptied_url) as db:
        devices = Devices("mqtt://127.0.0.1:1", clock, lambda: 1000)
        devices.house = watched
        rows = DeviceRows(db, watched, devices.settled, clock)
        services = [asyncio.create_task(one.run()) for one in (rows, Arrangement(db, emptied_url, devices, rows))]
        async with asyncio.timeout(5):
            await watched.used.wait()
            watched.announce("homeassistant/light/x/config", json.dumps({"obj_id": "x", **LAMP}).encode())
            await clock.asleep(EVERY_S)
            clock.advance(EVERY_S)
            await until(db, "EXISTS (SELECT FROM entities)")
            watched.used.clear()
            await db.execute("UPDATE entities SET given_name = 'abajur'")
            await watched.used.wait()
        assert watched.name("light.x") == "abajur"
        for service in services:
            service.cancel()
        await asyncio.gather(*services, return_exceptions=True)


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
