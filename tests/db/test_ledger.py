"""The ledger on a real server: what it stores, and that every record may be replayed."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import RFC_4122

import pytest
from support.turns import NOW, action, count, one, reply, turn
from support.until import until

from db.conversations import history, latest
from db.database import Database, open_database
from db.ledger import Ledger, NewAction, SaidMessage, new_id, open_ledger


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


async def test_quiet_conversations_are_ended_at_their_last_message(ledger: Ledger, db: Database) -> None:
    old, fresh = turn(at=NOW - timedelta(hours=2)), turn(at=NOW)
    await ledger.heard(old)
    await ledger.said(SaidMessage(old.conversation_id, new_id(), "Pronto.", NOW - timedelta(minutes=90)))
    await ledger.heard(fresh)
    assert await ledger.end_quiet(NOW, 120) == 1
    ended = await one(db, "SELECT ended_at, duration_seconds FROM conversations WHERE id = $1", old.conversation_id)
    assert ended == {"ended_at": NOW - timedelta(minutes=90), "duration_seconds": 1800}
    assert await db.fetchval("SELECT ended_at FROM conversations WHERE id = $1", fresh.conversation_id) is None


async def test_what_is_too_fresh_at_the_start_is_ended_once_it_is_quiet(database_url: str, tmp_path: Path) -> None:
    async with (
        open_database(database_url) as db,
        open_ledger(db, tmp_path, quiet_s=lambda: 0.3) as ledger,
    ):
        await ledger.heard(turn(at=datetime.now(UTC)))  # left open by a daemon that was killed a moment ago
        running = asyncio.create_task(ledger.run())
        await until(db, "EXISTS (SELECT FROM conversations WHERE ended_at IS NOT NULL)")
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def test_ids_grow_and_are_version_7() -> None:
    ids = [new_id() for _ in range(1000)]
    assert len(set(ids)) == 1000
    assert {(each.version, each.variant) for each in ids} == {(7, RFC_4122)}
    assert [each.int >> 80 for each in ids] == sorted(each.int >> 80 for each in ids)
