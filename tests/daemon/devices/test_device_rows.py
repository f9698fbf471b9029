"""What the tables know of devices, and what the house learns from them again: a real database, no broker."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import uuid4

import pytest
from kept_rows import LAMP, Kept, started
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
from db.audit import recent
from db.database import open_database
from db.device_rows import forget_removed
from db.entity_states import history


@pytest.fixture
async def kept(database_url: str) -> AsyncIterator[Kept]:
    async with open_database(database_url) as db:
        yield started(db, database_url, FakeClock())


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


async def test_the_database_may_go_away_and_nothing_is_lost(kept: Kept, database_url: str) -> None:
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


async def test_it_writes_by_itself_and_follows_edits_by_sql(database_url: str) -> None:
    """As services, on a connection that listens, with an edit that comes from another program."""
    clock, watched = FakeClock(), Watched()
    async with open_database(database_url) as db:
        devices = Devices("mqtt://127.0.0.1:1", clock, lambda: 1000)
        devices.house = watched
        rows = DeviceRows(db, watched, devices.settled, clock)
        services = [asyncio.create_task(one.run()) for one in (rows, Arrangement(db, database_url, devices, rows))]
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
