"""An action's states, and what becomes of those that a killed daemon left open."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from db.actions import CLOSE_INTERRUPTED, INTERRUPTED
from db.database import Database
from db.ledger import HeardMessage, Ledger, NewAction, new_id, open_ledger

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


async def asked(ledger: Ledger) -> UUID:
    """Return the id of a new action."""
    action = NewAction(new_id(), "iot_control", "turn_on", {"entity": "sala"})
    await ledger.heard(HeardMessage(new_id(), new_id(), "acende a luz", NOW, actions=(action,)))
    return action.id


async def state(db: Database, action: UUID) -> str:
    return str(await db.fetchval("SELECT status FROM actions WHERE id = $1", action))


async def test_no_state_goes_back(db: Database, tmp_path: Path) -> None:
    async with open_ledger(db, tmp_path) as ledger:
        action = await asked(ledger)
        await ledger.executing([action], NOW)
        await ledger.finished(action, status="failed", error="sem resposta", at=NOW + timedelta(seconds=2))
        await ledger.executing([action], NOW + timedelta(seconds=3))
        await ledger.finished(action, status="success", result={"state": "on"}, at=NOW + timedelta(seconds=3))
    row = await db.fetchrow("SELECT status, result, error_message, executed_at FROM actions")
    assert row is not None
    assert tuple(row) == ("failed", None, "sem resposta", NOW)


async def test_an_action_may_fail_without_having_begun(db: Database, tmp_path: Path) -> None:
    async with open_ledger(db, tmp_path) as ledger:
        action = await asked(ledger)
        await ledger.finished(action, status="failed", error="o aparelho não respondeu", at=NOW)
    assert await state(db, action) == "failed"


async def test_only_interrupted_actions_are_closed(db: Database, tmp_path: Path) -> None:
    async with open_ledger(db, tmp_path / "a") as killed, open_ledger(db, tmp_path / "b") as neighbour:
        begun, waiting, done = [await asked(killed) for _ in range(3)]
        await killed.executing([begun, done], NOW)
        await killed.finished(done, status="success", result={}, at=NOW)
        theirs, old = [await asked(neighbour) for _ in range(2)]
        await db.execute("UPDATE actions SET created_at = $2 WHERE id = $1", old, NOW - timedelta(hours=1))
        by_hand = await db.fetchval(
            "INSERT INTO actions (action_type, action_name, parameters, created_at) VALUES ('a', 'b', '{}', $1) RETURNING id",
            NOW,
        )
    async with open_ledger(db, tmp_path / "a") as ledger:
        mine = await asked(ledger)
        assert await ledger.close_interrupted(NOW) == 3
        assert await ledger.close_interrupted(NOW) == 0
        states = [await state(db, each) for each in (begun, waiting, done, theirs, old, by_hand, mine)]
        assert states == ["failed", "failed", "success", "pending", "failed", "pending", "pending"]
        row = await db.fetchrow("SELECT result, error_message FROM actions WHERE id = $1", begun)
        assert row is not None
        assert tuple(row) == ({"outcome": "unknown"}, INTERRUPTED)
        # The neighbour was alive after all, and knows what became of it.
        await ledger.finished(old, status="success", result={"state": "on"}, at=NOW)
        assert await state(db, old) == "success"


async def test_finding_them_does_not_read_ten_years_of_actions(db: Database) -> None:
    await db.execute(
        """INSERT INTO actions (action_type, action_name, parameters, status)
           SELECT 'iot_control', 'turn_on', '{}', 'success' FROM generate_series(1, 20000)"""
    )
    await db.execute("ANALYZE actions")
    plan = await db.fetchval(f"EXPLAIN (FORMAT JSON) {CLOSE_INTERRUPTED}", "a", "b", NOW, "c")
    assert "idx_actions_status" in str(plan)
    assert "Seq Scan" not in str(plan)
