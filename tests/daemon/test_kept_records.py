"""What a daemon as a process leaves in its tables: its log, from the first line to the last, its days, who asked."""

import asyncio

import pytest
from support.daemon_process import daemon_process
from support.folders import short_folder

pytestmark = pytest.mark.timeout(120)


async def test_log_partitions_and_audit_of_a_whole_life() -> None:
    with short_folder() as folder:
        async with daemon_process(folder / "data") as daemon:
            answer = await daemon.ask("me lembra de regar as plantas amanhã às oito")
            assert "plantas" in " ".join(answer["reply"])
            async with asyncio.timeout(20):
                while not await daemon.rows("SELECT FROM system_logs WHERE message = 'partitions_made'"):
                    await asyncio.sleep(0.1)
            assert await daemon.end() == 0
            told = [row["message"] for row in await daemon.rows("SELECT message FROM system_logs ORDER BY timestamp")]
            assert {"postgres_started", "schema_upgrade", "stopping"} <= set(told)
            (talk,) = await daemon.rows("SELECT ended_at, satisfaction_score FROM conversations")
            assert talk["ended_at"] is not None
            assert talk["satisfaction_score"] == 1.0, "an orderly stop leaves no conversation open, nor without a score"
            parts = await daemon.rows("SELECT FROM pg_inherits WHERE inhparent = 'system_logs'::regclass")
            assert len(parts) == 9
            (asked,) = await daemon.rows("SELECT actor, channel, new->>'title' AS title FROM audit_log")
            assert tuple(asked) == ("alguém em sala", "web", "regar as plantas")
