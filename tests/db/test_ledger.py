"""The ledger, on a real server that a test can freeze, cut and take down."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import RFC_4122

import asyncpg
import pytest
from support.wire import Wire, wire_to

from db.actions import INTERRUPTED
from db.conversations import history, latest
from db.database import Database, open_database
from db.errors import LinkDown
from db.ledger import HeardMessage, Ledger, NewAction, SaidMessage, new_id, open_ledger
from db.spool import Spool

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@pytest.fixture
async def wire(database_url: str) -> AsyncIterator[Wire]:
    async with wire_to(database_url) as wire:
        yield wire


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    """What the test looks with: past the wire."""
    async with open_database(database_url) as database:
        yield database


@pytest.fixture
async def wired(wire: Wire) -> AsyncIterator[Database]:
    async with open_database(wire.url) as database:
        yield database


@pytest.fixture
async def ledger(wired: Database, tmp_path: Path) -> AsyncIterator[Ledger]:
    async with open_ledger(wired, tmp_path, now=lambda: NOW) as ledger:
        yield ledger


@asynccontextmanager
async def running(ledger: Ledger) -> AsyncIterator[None]:
    """Run the service as the supervisor does, without its pauses."""

    async def again() -> None:
        while True:
            with suppress(LinkDown):
                await ledger.run()
            await asyncio.sleep(0.01)

    task = asyncio.create_task(again())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def turn(how_many: int = 1, **changes: object) -> HeardMessage:
    fields: dict[str, object] = {
        "conversation_id": new_id(),
        "message_id": new_id(),
        "text": "acende a luz da sala",
        "at": NOW,
        "intent": "HassTurnOn",
        "confidence": 0.93,
        "audio_duration_ms": 1480,
        "transcription_model": "small",
        "metadata": {"area": "sala"},
        "actions": tuple(NewAction(new_id(), "iot_control", "turn_on", {"entity": "sala"}) for _ in range(how_many)),
    }
    return HeardMessage(**(fields | changes))  # type: ignore[arg-type]


def reply(heard: HeardMessage) -> SaidMessage:
    return SaidMessage(heard.conversation_id, new_id(), "Acendi a luz da sala.", NOW + timedelta(seconds=1), 420)


async def one(db: Database, sql: str, *args: object) -> dict[str, object]:
    row = await db.fetchrow(sql, *args)
    assert row is not None
    return dict(row)


async def action(db: Database, heard: HeardMessage) -> dict[str, object]:
    return await one(db, "SELECT * FROM actions WHERE id = $1", heard.actions[0].id)


async def count(db: Database, table: str) -> int:
    return int(await db.fetchval(f"SELECT count(*) FROM {table}"))


async def until(db: Database, sql: str) -> None:
    """Ask the server until it says yes."""
    async with asyncio.timeout(10):
        while not await db.fetchval(sql):
            pass


async def whole_turn(ledger: Ledger, heard: HeardMessage) -> set[str]:
    done = heard.actions[0].id
    return {
        await ledger.heard(heard),
        await ledger.executing([done], NOW),
        await ledger.finished(done, status="success", result={"state": "on"}, at=NOW),
        await ledger.said(reply(heard)),
        await ledger.ended(heard.conversation_id, NOW + timedelta(seconds=90)),
    }


async def test_a_turn_is_stored_whole(ledger: Ledger, db: Database) -> None:
    user = await db.fetchval("INSERT INTO users (name) VALUES ('Ana') RETURNING id")
    heard = turn(user_id=user)
    assert await ledger.heard(heard) == "database"
    assert (await action(db, heard))["status"] == "pending"
    assert await ledger.executing([heard.actions[0].id], NOW) == "database"
    assert (await action(db, heard))["status"] == "executing"
    await ledger.finished(heard.actions[0].id, status="success", result={"state": "on"}, at=NOW)
    await ledger.said(reply(heard))
    await ledger.ended(heard.conversation_id, NOW + timedelta(seconds=90))

    done = await action(db, heard)
    assert (
        done
        | {
            "status": "success",
            "result": {"state": "on"},
            "executed_at": NOW,
            "created_at": NOW,
            "error_message": None,
            "parameters": {"entity": "sala"},
            "message_id": heard.message_id,
        }
        == done
    )
    conversation = await one(db, "SELECT * FROM conversations")
    assert (
        conversation
        | {
            "user_id": user,
            "started_at": NOW,
            "ended_at": NOW + timedelta(seconds=90),
            "duration_seconds": 90,
            "message_count": 2,
        }
        == conversation
    )
    messages = await db.fetch("SELECT * FROM messages ORDER BY timestamp")
    assert [(m["role"], m["content"], m["latency_ms"], m["audio_duration_ms"]) for m in messages] == [
        ("user", "acende a luz da sala", None, 1480),
        ("assistant", "Acendi a luz da sala.", 420, None),
    ]
    assert messages[0]["confidence"] == pytest.approx(0.93)
    assert messages[0]["transcription_model"] == "small"
    assert await db.fetchval("SELECT last_interaction_at FROM users") == NOW


async def test_every_record_may_be_replayed(ledger: Ledger, db: Database) -> None:
    heard = turn()
    said = reply(heard)
    for _ in range(3):
        await ledger.heard(heard)
        await ledger.executing([heard.actions[0].id], NOW)
        await ledger.finished(heard.actions[0].id, status="failed", error="sem resposta", at=NOW)
        await ledger.said(said)
        await ledger.ended(heard.conversation_id, NOW + timedelta(seconds=5))
    assert [await count(db, table) for table in ("conversations", "messages", "actions")] == [1, 2, 1]
    conversation = await one(db, "SELECT message_count, duration_seconds FROM conversations")
    assert conversation == {"message_count": 2, "duration_seconds": 5}
    # A late "executing", or another outcome, changes nothing any more.
    await ledger.finished(heard.actions[0].id, status="success", result={}, at=NOW)
    assert (await action(db, heard))["status"] == "failed"


async def test_several_messages_and_actions_of_one_conversation(ledger: Ledger, db: Database) -> None:
    first = turn(3)
    await ledger.heard(first)
    await ledger.said(reply(first))
    await ledger.ended(first.conversation_id, NOW)
    await ledger.heard(turn(0, conversation_id=first.conversation_id, at=NOW + timedelta(minutes=1)))
    conversation = await one(db, "SELECT message_count, ended_at FROM conversations")
    assert conversation == {"message_count": 3, "ended_at": None}, "a message after its end opens it again"
    assert await count(db, "actions") == 3
    last, before = (await history(db, first.conversation_id, 2))[::-1]
    assert (last.role, before.role) == ("user", "assistant")
    assert [m.id for m in await history(db, first.conversation_id, 9, before=first.message_id)] == []
    [newest] = await latest(db)
    assert (newest.message_count, newest.last_at) == (3, NOW + timedelta(minutes=1))


async def test_a_person_erased_meanwhile_stops_nothing(ledger: Ledger, db: Database) -> None:
    heard = turn(user_id=new_id())
    assert await ledger.heard(heard) == "database"
    assert await db.fetchval("SELECT user_id FROM conversations") is None
    await db.execute("DELETE FROM conversations")
    assert await ledger.finished(heard.actions[0].id, status="success", result={}, at=NOW) == "database"
    assert await ledger.said(reply(heard)) == "database"
    assert await count(db, "messages") == 1


@pytest.mark.parametrize(
    "text",
    ["a\0b", "\ud83d", "x" * 200_000, "'; DROP TABLE users; --", "🙂 \u202eabc", "{}", "%s $1", ""],
    ids=["nul", "surrogate", "long", "quote", "emoji", "json", "format", "empty"],
)
async def test_any_text_is_stored(ledger: Ledger, db: Database, text: str) -> None:
    heard = turn(
        text=text,
        intent=text,
        transcription_model="/srv/" + text,
        metadata={text: [text, float("nan"), NOW, {1}]},
        confidence=float("inf"),
        actions=(NewAction(new_id(), "a" + text, "b" + text, {text: float("-inf"), "p": Path("/x")}),),
    )
    assert await ledger.heard(heard) == "database"
    assert await ledger.finished(heard.actions[0].id, status="failed", result={text: text}, error=text, at=NOW)
    assert ledger.waiting == 0
    stored = await db.fetchval("SELECT content FROM messages")
    assert stored == text.replace("\0", "\ufffd").replace("\ud83d", "\ufffd") or stored == "x" * 99_999 + "…"
    model = await db.fetchval("SELECT transcription_model FROM messages")
    assert len(model) <= 50


async def test_a_naive_moment_is_a_mistake(ledger: Ledger) -> None:
    with pytest.raises(ValueError, match="zone"):
        await ledger.heard(turn(at=datetime(2026, 11, 20)))  # noqa: DTZ001 - that is the point


async def test_while_the_server_is_down_records_wait_and_are_stored_after_in_order(
    ledger: Ledger, wire: Wire, db: Database
) -> None:
    before, during = turn(), turn()
    assert await whole_turn(ledger, before) == {"database"}
    await wire.down()
    assert await whole_turn(ledger, during) == {"spool"}
    assert ledger.waiting == 5
    async with running(ledger):
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
    async with running(ledger):
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
    async with open_ledger(wired, tmp_path, quiet_s=lambda: 120.0) as ledger, running(ledger):
        await settled(ledger)
        await until(db, "SELECT status = 'failed' FROM actions")
    closed = await action(db, heard)
    assert (closed["result"], closed["error_message"]) == ({"outcome": "unknown"}, INTERRUPTED)


async def test_quiet_conversations_are_ended_at_their_last_message(ledger: Ledger, db: Database) -> None:
    old, fresh = turn(at=NOW - timedelta(hours=2)), turn(at=NOW)
    await ledger.heard(old)
    await ledger.said(SaidMessage(old.conversation_id, new_id(), "Pronto.", NOW - timedelta(minutes=90)))
    await ledger.heard(fresh)
    assert await ledger.end_quiet(NOW, 120) == 1
    ended = await one(db, "SELECT ended_at, duration_seconds FROM conversations WHERE id = $1", old.conversation_id)
    assert ended == {"ended_at": NOW - timedelta(minutes=90), "duration_seconds": 1800}
    assert await db.fetchval("SELECT ended_at FROM conversations WHERE id = $1", fresh.conversation_id) is None


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

    async with running(ledger):
        await asyncio.gather(trouble(), *(talk(turns[room::3]) for room in range(3)))
        await settled(ledger)
    assert stored == {"database", "spool"}
    rows = await db.fetch("SELECT id, message_count, duration_seconds FROM conversations")
    assert {row["id"]: (row["message_count"], row["duration_seconds"]) for row in rows} == {
        each.conversation_id: (2, 90) for each in turns
    }
    assert await db.fetchval("SELECT count(*) FROM actions WHERE status = 'success'") == len(turns)


def test_ids_grow_and_are_version_7() -> None:
    ids = [new_id() for _ in range(1000)]
    assert len(set(ids)) == 1000
    assert {(each.version, each.variant) for each in ids} == {(7, RFC_4122)}
    assert [each.int >> 80 for each in ids] == sorted(each.int >> 80 for each in ids)
