"""The ledger while its server is frozen, cut, down, or refuses: nothing is lost, nothing doubled, nobody waits."""

import asyncio
import json
from contextlib import suppress
from pathlib import Path

import asyncpg
import pytest
from support.hurried import hurried
from support.turns import NOW, action, count, turn, whole_turn
from support.wire import Wire

from db.actions import INTERRUPTED
from db.database import Database
from db.errors import LinkDown
from db.ledger import HeardMessage, Ledger, new_id, open_ledger
from db.spool import Spool


async def until(db: Database, sql: str) -> None:
    """Ask the server until it says yes."""
    async with asyncio.timeout(10):
        while not await db.fetchval(sql):
            pass


async def test_while_the_server_is_down_records_wait_and_are_stored_after_in_order(
    ledger: Ledger, wire: Wire, db: Database
) -> None:
    before, during = turn(), turn()
    assert await whole_turn(ledger, before) == {"database"}
    await wire.down()
    assert await whole_turn(ledger, during) == {"spool"}
    assert ledger.waiting == 5
    async with hurried(ledger):
        await wire.start(wire.port)
        await settled(ledger)
    assert (await action(db, during))["status"] == "success"
    conversations = await db.fetch("SELECT message_count, duration_seconds FROM conversations")
    assert [tuple(each) for each in conversations] == [(2, 90), (2, 90)]
    assert await whole_turn(ledger, turn()) == {"database"}


async def settled(ledger: Ledger) -> None:
    """Drain as the service would, until nothing waits."""
    async with asyncio.timeout(10):
        while ledger.waiting:
            with suppress(LinkDown):
                await ledger.drain()


async def test_a_frozen_server_costs_a_turn_a_second_at_most(ledger: Ledger, wire: Wire, db: Database) -> None:
    await whole_turn(ledger, turn())
    wire.freeze()
    heard = turn()
    began = asyncio.get_running_loop().time()
    assert await whole_turn(ledger, heard) == {"spool"}
    assert asyncio.get_running_loop().time() - began < 1.5, "only the first record waits for the server"
    wire.thaw()
    # The server now also carries out what was sent before it froze: nothing counts twice.
    async with hurried(ledger):
        await settled(ledger)
    assert await db.fetchval("SELECT message_count FROM conversations WHERE id = $1", heard.conversation_id) == 2
    assert (await action(db, heard))["status"] == "success"


async def test_once_something_is_spooled_everything_goes_behind_it(ledger: Ledger, wire: Wire, db: Database) -> None:
    heard = turn()
    await wire.down()
    assert await ledger.heard(heard) == "spool"
    await wire.start(wire.port)
    assert await ledger.executing([heard.actions[0].id], NOW) == "spool", "the server is back, but not yet drained"
    assert await ledger.drain() == 2
    assert (await action(db, heard))["status"] == "executing"


async def test_what_the_database_refuses_for_good_is_set_aside_and_the_rest_stored(
    ledger: Ledger, wire: Wire, db: Database, tmp_path: Path
) -> None:
    await wire.down()
    good, other = turn(), turn()
    await ledger.heard(good)
    lines = tmp_path / "spool/records.jsonl"
    record = lines.read_text()
    await ledger.heard(other)
    lines_before = ledger.waiting
    bad = [
        record.replace(str(good.message_id), "not a uuid"),
        record.replace('"kind":"heard"', '"kind":"sung"'),
        record.replace(str(good.message_id), str(new_id())).replace('"text":"acende', '"text":"\\u0000'),
        record.replace(f'"message_id":"{good.message_id}",', ""),
        "{}\n",
    ]
    spool = ledger._spool
    for line in bad:
        spool.append(json.loads(line))
    await wire.start(wire.port)
    assert await ledger.drain() == lines_before + len(bad)
    assert await count(db, "messages") == 2
    refused = (tmp_path / "spool/refused.jsonl").read_text().splitlines()
    assert len(refused) == len(bad)
    assert await ledger.heard(turn()) == "database"


async def test_a_refusal_on_the_way_in_is_the_callers_to_know(ledger: Ledger, db: Database) -> None:
    await db.execute("ALTER TABLE messages ADD CONSTRAINT never CHECK (content <> 'palavrão')")
    with pytest.raises(asyncpg.CheckViolationError):
        await ledger.heard(turn(text="palavrão"))
    assert ledger.waiting == 0
    assert await count(db, "conversations") == 0, "none of it is stored, or all"


async def test_when_neither_takes_it_nothing_is_promised(wired: Database, wire: Wire, tmp_path: Path) -> None:
    await wire.down()
    spool = Spool(tmp_path, most_records=1)
    ledger = Ledger(wired, spool)
    assert await ledger.heard(turn()) == "spool"
    with pytest.raises(LinkDown, match="spool"):
        await ledger.heard(turn())
    spool.close()


async def test_spooled_records_survive_a_killed_daemon(
    wired: Database, wire: Wire, tmp_path: Path, db: Database
) -> None:
    await wire.down()
    heard = turn()
    async with open_ledger(wired, tmp_path) as ledger:
        await ledger.heard(heard)
        await ledger.executing([heard.actions[0].id], NOW)
    await wire.start(wire.port)
    async with open_ledger(wired, tmp_path, quiet_s=lambda: 120.0) as ledger, hurried(ledger):
        await settled(ledger)
        await until(db, "SELECT status = 'failed' FROM actions")
    closed = await action(db, heard)
    assert (closed["result"], closed["error_message"]) == ({"outcome": "unknown"}, INTERRUPTED)


async def test_a_deadlock_is_a_server_that_is_away(ledger: Ledger, db: Database) -> None:
    """Somebody who locks the tables makes a turn wait a second, not fail."""
    heard = turn()
    async with db.transaction() as connection:
        await connection.execute("LOCK TABLE messages IN ACCESS EXCLUSIVE MODE")
        assert await ledger.heard(heard) == "spool"
    assert await ledger.drain() == 1
    assert await count(db, "messages") == 1


async def test_chaos_loses_nothing_and_doubles_nothing(ledger: Ledger, wire: Wire, db: Database) -> None:
    turns = [turn() for _ in range(60)]

    async def trouble() -> None:
        for step in range(12):
            await asyncio.sleep(0.03)
            if step % 3 == 2:
                await wire.down()
                await asyncio.sleep(0.03)
                await wire.start(wire.port)
            else:
                wire.cut()

    stored: set[str] = set()

    async def talk(some: list[HeardMessage]) -> None:
        for each in some:
            stored.update(await whole_turn(ledger, each))
            await asyncio.sleep(0.01)

    async with hurried(ledger):
        await talk(turns[:1])
        assert stored == {"database"}
        await asyncio.gather(trouble(), *(talk(turns[room:-1:3]) for room in range(1, 4)))
        await wire.down()
        await talk(turns[-1:])
        assert stored == {"database", "spool"}
        await wire.start(wire.port)
        await settled(ledger)
    rows = await db.fetch("SELECT id, message_count, duration_seconds FROM conversations")
    assert {row["id"]: (row["message_count"], row["duration_seconds"]) for row in rows} == {
        each.conversation_id: (2, 90) for each in turns
    }
    assert await db.fetchval("SELECT count(*) FROM actions WHERE status = 'success'") == len(turns)
