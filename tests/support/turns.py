"""Turns to store, and what is stored of them."""

from datetime import UTC, datetime, timedelta

from db.database import Database
from db.ledger import HeardMessage, Ledger, NewAction, SaidMessage, new_id

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


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


async def whole_turn(ledger: Ledger, heard: HeardMessage) -> set[str]:
    done = heard.actions[0].id
    return {
        await ledger.heard(heard),
        await ledger.executing([done], NOW),
        await ledger.finished(done, status="success", result={"state": "on"}, at=NOW),
        await ledger.said(reply(heard)),
        await ledger.ended(heard.conversation_id, NOW + timedelta(seconds=90)),
    }
