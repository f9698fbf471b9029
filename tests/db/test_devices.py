"""Rows of devices on a real database: what people set, what the daemon writes, who is told, and what is written down."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import asyncpg
import pytest

from db import areas, device_rows, devices
from db.audit import recent
from db.database import Database, open_database
from db.device_rows import DeviceAnnounced, EntityAnnounced, StateRow
from db.entity_states import history
from db.partitions import ENTITY_STATES, create_ahead, delete_older, drop_older
from db.roles import APP, as_role

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
LAMP = EntityAnnounced("light.x", "ha/light/x/config", "light", "luz", None, None, None, "0x1")
DEVICE = DeviceAnnounced("0x1", "Abajur", "Philips", "LCT", "zigbee2mqtt", "sala")


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    """The daemon's own role, which owns nothing."""
    async with open_database(as_role(database_url, APP)) as database:
        await device_rows.announce(database, [DEVICE], [LAMP], NOW)
        yield database


@pytest.fixture
async def told(database_url: str) -> AsyncIterator[asyncio.Queue[str]]:
    """What is notified of devices."""
    connection = await asyncpg.connect(database_url)
    queue: asyncio.Queue[str] = asyncio.Queue()
    await connection.add_listener("mordomo_devices", lambda *arrived: queue.put_nowait(str(arrived[3])))
    yield queue
    await connection.close()


async def payloads(db: Database, told: asyncio.Queue[str]) -> list[str]:
    """Return what was told until now."""
    await db.execute("SELECT pg_notify('mordomo_devices', 'end')")
    async with asyncio.timeout(5):
        return [payload async for payload in aiter_until_end(told)]


async def aiter_until_end(told: asyncio.Queue[str]) -> AsyncIterator[str]:
    while (payload := await told.get()) != "end":
        yield payload


async def test_only_what_people_set_is_told_and_written_down(db: Database, told: asyncio.Queue[str]) -> None:
    row = StateRow("light.x", NOW, "on", {}, True, "house", None, NOW)
    await device_rows.announce(db, [DEVICE], [LAMP], NOW)
    await device_rows.write_states(db, [row], [row])
    await device_rows.set_fault(db, "light.x", "algo")
    await device_rows.removed(db, ["light.x"], NOW)
    await device_rows.announce(db, [DEVICE], [LAMP], NOW)
    assert await payloads(db, told) == []
    assert await recent(db) == []

    await devices.rename(db, "light.x", "abajur")
    await devices.rename(db, "light.x", "abajur")  # nothing is different
    assert await payloads(db, told) == ["entities"]
    await devices.move(db, "light.x", "Varanda", whole_device=True)
    assert await payloads(db, told) == ["areas", "devices"]
    await devices.declare(db, "switch.bomba", {"cmd_t": "b"})
    await devices.remove(db, "switch.bomba")
    assert await payloads(db, told) == ["entities", "entities"]
    await db.execute("INSERT INTO routines (name, steps) VALUES ('boa noite', '[]')")
    assert await payloads(db, told) == ["routines"]
    assert [(change.table, change.row_id, change.action) for change in await recent(db)][1:-2] == [
        ("entities", "switch.bomba", "DELETE"), ("entities", "switch.bomba", "INSERT"),
        ("devices", "0x1", "UPDATE"),
    ]  # fmt: skip


async def test_names_and_aliases(db: Database) -> None:
    assert await devices.rename(db, "light.x", "  Abajur   da vó ") is None
    assert await devices.rename(db, "light.x", None) == "Abajur da vó"
    for number in range(25):
        await devices.alias(db, "light.x", f"nome {number}")
    await devices.alias(db, "light.x", "NOME 24")
    await devices.unalias(db, "light.x", "Nome 23")
    row = await devices.one(db, "light.x")
    assert (len(row.aliases), row.aliases[0], row.aliases[-1]) == (19, "nome 5", "NOME 24")
    assert (row.name, row.given_name) == ("luz", None)
    for bad in ("", "  ", "x" * 101):
        with pytest.raises(devices.BadName):
            await devices.alias(db, "light.x", bad)
    with pytest.raises(devices.NoSuchEntity, match=r"light\.nada"):
        await devices.hide(db, "light.nada")


async def test_a_room_is_made_once_however_many_move_there(db: Database) -> None:
    names = await asyncio.gather(*(devices.move(db, "light.x", name) for name in ("Varanda", "varanda", "VARANDA")))
    assert len(set(names)) == 1
    assert len(await areas.areas(db)) == 1
    await areas.rename_area(db, str(names[0]), "Terraço")
    assert await devices.move(db, "light.x", "varanda") == "Terraço"
    (room,) = await areas.areas(db)
    assert (room.name, room.aliases) == ("Terraço", [names[0]])
    await db.execute("DELETE FROM areas")
    assert (await devices.one(db, "light.x")).area is None


async def test_states_are_history_by_the_day_and_leave_in_their_time(db: Database) -> None:
    action = uuid4()
    rows = [
        StateRow("light.x", NOW - timedelta(days=day), "on" if day % 2 else "off", {"n": float("nan")}, True, "mordomo",
                 action, NOW)
        for day in (40, 3, 2, 1, 0)
    ]  # fmt: skip
    assert await create_ahead(db, ENTITY_STATES, NOW - timedelta(days=3)) == 8
    await device_rows.write_states(db, rows[-1:], rows)
    changes = await history(db, ["light.x"], since=NOW - timedelta(days=100))
    assert [change.state for change in changes] == ["off", "on", "off", "on", "off"]
    assert changes[0].attributes == {"n": None}
    assert changes[0].action_id == action
    assert len(await history(db, since=NOW - timedelta(days=2), until=NOW)) == 2
    assert await drop_older(db, ENTITY_STATES, NOW - timedelta(days=2)) == 1
    assert await delete_older(db, ENTITY_STATES, NOW - timedelta(days=30)) == 1
    assert len(await history(db, since=NOW - timedelta(days=100))) == 3
    with pytest.raises(asyncpg.CheckViolationError):
        await db.execute("INSERT INTO entity_states (entity_id, cause) VALUES ('light.x', 'magia')")


async def test_the_history_of_one_entity_is_read_by_its_index(db: Database) -> None:
    plan = await db.fetch(
        "EXPLAIN SELECT * FROM entity_states WHERE entity_id = 'light.x' AND at >= now() - interval '1 day'"
        " ORDER BY at DESC LIMIT 10"
    )
    assert any("entity_id_at_idx" in row[0] for row in plan)


async def test_what_is_gone_and_unmarked_is_forgotten_and_a_flood_of_it_early(db: Database) -> None:
    for start in range(0, 400, 200):
        entities = [EntityAnnounced(f"light.n{n}", f"t/{n}", "light", None, None, None, None, None)
                    for n in range(start, start + 200)]  # fmt: skip
        await device_rows.announce(db, [], entities, NOW)
    await device_rows.removed(db, ["light.x", *(f"light.n{n}" for n in range(399))], NOW)
    await devices.favourite(db, "light.n7")
    assert await device_rows.forget_removed(db, NOW) == 0
    assert await device_rows.forget_removed(db, NOW + timedelta(seconds=1)) == 399
    assert [row.entity_id for row in await devices.listed(db, removed=True)] == ["light.n399", "light.n7"]
    assert await db.fetchval("SELECT count(*) FROM devices") == 0
    assert [change.row_id for change in await recent(db)] == ["light.n7"]  # by itself it says nothing
