"""How dear it is to keep a turn. Run: `python tests/bench/ledger.py [--url URL]`.

Without a URL it starts an embedded PostgreSQL with its usual settings (fsync on). A turn is a conversation, two messages
and one action with its three states. Through bare asyncpg it is the same changes as plain statements on one connection:
each committed by itself, and grouped in transactions that commit where the ledger commits.
"""

import argparse
import asyncio
import json
import signal
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias

import asyncpg

from daemon import logs
from db.database import open_database
from db.embedded import EmbeddedPostgres
from db.ledger import HeardMessage, Ledger, NewAction, SaidMessage, new_id, open_ledger
from db.upgrade import upgrade

Bare: TypeAlias = "asyncpg.Connection[asyncpg.Record]"


async def through_ledger(ledger: Ledger, at: datetime) -> None:
    conversation, message, action = new_id(), new_id(), new_id()
    actions = (NewAction(action, "iot_control", "turn_on", {"entity": "light.sala", "brightness": 80}),)
    await ledger.heard(
        HeardMessage(
            conversation, message, "acende a luz da sala", at, None, "HassTurnOn", 0.93, 1480, "small",
            {"area": "sala"}, actions,
        )
    )  # fmt: skip
    await ledger.executing([action], at)
    await ledger.finished(action, status="success", result={"state": "on"}, at=at)
    await ledger.said(SaidMessage(conversation, new_id(), "Acendi a luz da sala.", at, 420))
    await ledger.ended(conversation, at)


async def heard_bare(db: Bare, ids: Sequence[object], at: datetime) -> None:
    conversation, message, action, _ = ids
    await db.execute("INSERT INTO conversations (id, user_id, started_at) VALUES ($1, $2, $3)", conversation, None, at)
    await db.execute(
        "INSERT INTO messages (id, conversation_id, role, content, timestamp, intent, confidence, audio_duration_ms,"
        " transcription_model, metadata) VALUES ($1, $2, 'user', $3, $4, $5, $6, $7, $8, $9)",
        message, conversation, "acende a luz da sala", at, "HassTurnOn", 0.93, 1480, "small",
        json.dumps({"area": "sala"}),
    )  # fmt: skip
    await db.execute("UPDATE conversations SET message_count = message_count + 1 WHERE id = $1", conversation)
    await db.execute(
        "INSERT INTO actions (id, message_id, conversation_id, action_type, action_name, parameters, created_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7)",
        action, message, conversation, "iot_control", "turn_on",
        json.dumps({"entity": "light.sala", "brightness": 80}), at,
    )  # fmt: skip


async def said_bare(db: Bare, ids: Sequence[object], at: datetime) -> None:
    conversation, _, _, reply = ids
    await db.execute(
        "INSERT INTO messages (id, conversation_id, role, content, timestamp, latency_ms, metadata)"
        " VALUES ($1, $2, 'assistant', $3, $4, $5, $6)",
        reply, conversation, "Acendi a luz da sala.", at, 420, "{}",
    )  # fmt: skip
    await db.execute("UPDATE conversations SET message_count = message_count + 1 WHERE id = $1", conversation)


async def through_asyncpg(db: Bare, at: datetime, group: Callable[[Awaitable[None]], Awaitable[None]]) -> None:
    ids = [new_id() for _ in range(4)]
    await group(heard_bare(db, ids, at))
    await db.execute("UPDATE actions SET status = 'executing', executed_at = $2 WHERE id = $1", ids[2], at)
    await db.execute(
        "UPDATE actions SET status = 'success', result = $2 WHERE id = $1", ids[2], json.dumps({"state": "on"})
    )
    await group(said_bare(db, ids, at))
    await db.execute("UPDATE conversations SET ended_at = $2, duration_seconds = 0 WHERE id = $1", ids[0], at)


async def time_turns(url: str, turns: int) -> dict[str, list[float]]:
    """Store turns by each way in turn; return how long each took, in milliseconds. The last way is the ledger."""
    bare = await asyncpg.connect(url)

    async def each_alone(work: Awaitable[None]) -> None:
        await work

    async def in_a_transaction(work: Awaitable[None]) -> None:
        async with bare.transaction():
            await work

    with tempfile.TemporaryDirectory() as folder:
        async with open_database(url) as db, open_ledger(db, Path(folder)) as ledger:
            at = datetime.now(UTC)
            ways: dict[str, Callable[[], Awaitable[None]]] = {
                "bare asyncpg, each statement committed": lambda: through_asyncpg(bare, at, each_alone),
                "bare asyncpg, the ledger's commits": lambda: through_asyncpg(bare, at, in_a_transaction),
                "ledger": lambda: through_ledger(ledger, at),
            }
            spent: dict[str, list[float]] = {name: [] for name in ways}
            for number in range(turns + 20):
                for name, way in ways.items():
                    began = time.perf_counter()
                    await way()
                    if number >= 20:
                        spent[name].append((time.perf_counter() - began) * 1000)
            assert ledger.waiting == 0
    await bare.close()
    return spent


async def bench_turns(url: str, turns: int) -> None:
    spent = await time_turns(url, turns)
    own = statistics.median(spent["ledger"])
    for name, ms in spent.items():
        ratio = own / statistics.median(ms)
        print(
            f"turn, {name:40} p50 {statistics.median(ms):7.2f} ms  p99 {percentile(ms, 99):7.2f} ms  ledger = {ratio:.2f}x"
        )


def percentile(values: Sequence[float], percent: int) -> float:
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


@asynccontextmanager
async def server(url: str | None) -> AsyncIterator[str]:
    """Yield the URL of a server: the given one, or an embedded one that is gone afterwards, with its files."""
    logs.configure("console", "WARNING")
    if url is not None:
        yield url
        return
    with tempfile.TemporaryDirectory(prefix="mordomo-", dir="/tmp") as name:
        Path(name).chmod(0o711)
        embedded = EmbeddedPostgres(Path(name) / "data")
        own = await embedded.start()
        if (task := asyncio.current_task()) is not None:
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)  # nothing stays then, too
        try:
            yield own
        finally:
            await embedded.stop(only_if_unused=False)


async def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--url", help="a scratch database of its own; it is migrated and filled")
    options.add_argument("--turns", type=int, default=500)
    given = options.parse_args()
    async with server(given.url) as url:
        await upgrade(url)
        await bench_turns(url, given.turns)


if __name__ == "__main__":
    asyncio.run(main())
