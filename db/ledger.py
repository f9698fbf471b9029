"""The ledger: every turn's record, in the database or, while that is away, on the disk.

A record is one statement and one round trip. Its ids are made here, and stored a second time it changes nothing;
so where the database does not answer in time nobody needs to know whether it took the record: it goes to the spool,
every later record goes behind it, and once the database is back they are replayed in order.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal
from uuid import UUID, uuid4

import asyncpg
import structlog

from db import actions, conversations, messages
from db.bounded import within
from db.database import Database, Unstorable
from db.errors import LinkDown
from db.records import (
    MOST_TEXT,
    HeardMessage,
    NewAction,
    Record,
    SaidMessage,
    heard_record,
    moment,
    new_id,
    said_record,
)
from db.spool import Spool, Waiting
from db.text import clipped, storable_json

__all__ = ["HeardMessage", "Ledger", "NewAction", "SaidMessage", "Stored", "new_id", "open_ledger"]

log = structlog.get_logger(__name__)

Stored = Literal["database", "spool"]

WRITE_S = 1.0
BATCH_S = 15.0
BATCH_RECORDS = 200
REFUSED = (
    asyncpg.DataError,
    asyncpg.IntegrityConstraintViolationError,
    asyncpg.ProgramLimitExceededError,
    Unstorable,
    KeyError,
)
"""What no retry helps: bad data, a broken constraint, over a limit of the server, a kind of record nobody knows."""
MISTAKEN = (asyncpg.SyntaxOrAccessError, asyncpg.FeatureNotSupportedError)
"""Mistakes of ours (no such column…), which must not be taken for a server that is away."""
STATEMENTS: Mapping[str, str] = {
    "heard": messages.HEARD,
    "said": messages.SAID,
    "executing": actions.EXECUTING,
    "finished": actions.FINISHED,
    "ended": conversations.ENDED,
}


class Ledger:
    """Stores turns, and as a service drains the spool. Its methods tell where the record lies, for certain.

    Each raises LinkDown only if neither the database nor the disk takes the record: then nothing may be promised.
    Its errors for a record that the database refuses for good pass through; a spooled one goes to the refused.
    """

    name = "ledger"

    def __init__(
        self,
        db: Database,
        spool: Spool,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        quiet_s: Callable[[], float] | None = None,
        judged: conversations.Judged = conversations.not_judged,
        write_s: float = WRITE_S,
    ) -> None:
        """Write to `db` within `write_s`, else to `spool`. `quiet_s`, if given, ends what a crash left open.

        `judged` tells from their messages how well those went.
        """
        self._db = db
        self._spool = spool
        self._now = now
        self._quiet_s = quiet_s
        self._judged = judged
        self._write_s = write_s
        self._run = str(uuid4())
        self._spooled = asyncio.Event()
        self._draining = asyncio.Lock()

    @property
    def waiting(self) -> int:
        """How many records wait in the spool; 0 while all is in the database."""
        return self._spool.waiting

    async def run(self) -> None:
        """Drain the spool whenever something is in it, and settle what a killed daemon left. Raises LinkDown.

        What it left may be too fresh to be over at the start, so it is looked at once more when that is past.
        """
        again_s = None if self._quiet_s is None else self._quiet_s()
        while True:
            self._spooled.clear()
            await self.drain()
            await self._settle()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._spooled.wait(), again_s)
                continue
            again_s = None

    async def heard(self, message: HeardMessage) -> Stored:
        """Store a person's message with its conversation, and its actions as pending."""
        return await self._store(heard_record(message, {"owner": self._spool.instance, "run": self._run}))

    async def said(self, message: SaidMessage) -> Stored:
        """Store what Mordomo said."""
        return await self._store(said_record(message))

    async def executing(self, action_ids: Sequence[UUID], at: datetime) -> Stored:
        """Mark actions as begun. Nobody need wait: after a crash, pending and executing are closed alike."""
        return await self._store(
            {"kind": "executing", "action_ids": [str(each) for each in action_ids], "at": moment(at)}
        )

    async def finished(
        self,
        action_id: UUID,
        *,
        status: actions.Outcome,
        at: datetime,
        result: Mapping[str, object] | None = None,
        error: str | None = None,
    ) -> Stored:
        """Mark an action as done or failed. A finished one stays, save one whose outcome was unknown or silent."""
        return await self._store(
            {
                "kind": "finished",
                "action_id": str(action_id),
                "status": status,
                "result": None if result is None else storable_json(result),
                "error": None if error is None else clipped(error, MOST_TEXT),
                "at": moment(at),
            }
        )

    async def ended(
        self,
        conversation_id: UUID,
        at: datetime,
        *,
        satisfaction: float | None = None,
        explained: Mapping[str, object] | None = None,
    ) -> Stored:
        """End a conversation, how well it went (0 to 1), and for its metadata why; an ended one stays as it is."""
        return await self._store(
            {
                "kind": "ended",
                "conversation_id": str(conversation_id),
                "at": moment(at),
                "satisfaction": satisfaction,
                "explained": None if explained is None else storable_json(explained),
            }
        )

    async def close_interrupted(self, now: datetime) -> int:
        """Close the actions that a killed run of this daemon left open; `run` does it. Raises LinkDown."""
        return await actions.close_interrupted(self._db, now, self._spool.instance, self._run)

    async def end_quiet(self, now: datetime, quiet_s: float) -> int:
        """End conversations that were left open; `run` does it where it knows `quiet_s`. Raises LinkDown."""
        return await conversations.end_quiet(self._db, now, quiet_s, self._judged)

    async def drain(self) -> int:
        """Move what is spooled to the database, in order; return how many records. Raises LinkDown.

        What was committed when the database goes away again stays so; the rest waits.
        """
        async with self._draining:
            return await self._drain()

    async def _drain(self) -> int:
        drained = 0
        while batch := await asyncio.to_thread(self._spool.peek, BATCH_RECORDS):
            await within(BATCH_S, self._replay(batch))
            await asyncio.to_thread(self._spool.done, batch[-1], len(batch))
            drained += len(batch)
        if drained:
            log.info("spool_drained", records=drained)
        return drained

    async def _settle(self) -> None:
        now = self._now()
        closed = await within(BATCH_S, self.close_interrupted(now))
        ended = 0 if self._quiet_s is None else await within(BATCH_S, self.end_quiet(now, self._quiet_s()))
        if closed or ended:
            log.warning("settled_after_interruption", actions=closed, conversations=ended)

    async def _store(self, record: Record) -> Stored:
        if not self._spool.waiting:
            try:
                await within(self._write_s, self._write(record))
            except LinkDown as down:
                log.warning("record_spooled", kind=record["kind"], link=down.what, why=down.why)
            else:
                return "database"
        try:
            await asyncio.to_thread(self._spool.append, record)
        finally:
            self._spooled.set()
        return "spool"

    async def _write(self, record: Record) -> None:
        with _sorted():
            await self._db.execute(STATEMENTS[str(record["kind"])], record)

    async def _replay(self, batch: Sequence[Waiting]) -> None:
        try:
            with _sorted():
                async with self._db.transaction() as connection:
                    for each in batch:
                        await connection.execute(STATEMENTS[str(each.record["kind"])], each.record)
        except REFUSED:
            for each in batch:
                await self._replay_one(each.record)

    async def _replay_one(self, record: Record) -> None:
        try:
            await self._write(record)
        except REFUSED as refused:
            await asyncio.to_thread(self._spool.refuse, record, f"{type(refused).__name__}: {refused}")


@asynccontextmanager
async def open_ledger(
    db: Database,
    data_dir: Path,
    *,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    quiet_s: Callable[[], float] | None = None,
    judged: conversations.Judged = conversations.not_judged,
) -> AsyncIterator[Ledger]:
    """Give a Ledger whose spool is `data_dir/spool`. Raises LinkDown where another process has it."""
    spool = await asyncio.to_thread(Spool, data_dir / "spool")
    try:
        yield Ledger(db, spool, now=now, quiet_s=quiet_s, judged=judged)
    finally:
        await asyncio.to_thread(spool.close)


@contextmanager
def _sorted() -> Iterator[None]:
    """Let refusals and mistakes of ours pass; the rest (deadlock, lock timeout…) is a server that is away for now."""
    try:
        yield
    except (*REFUSED, *MISTAKEN):
        raise
    except asyncpg.PostgresError as error:
        raise LinkDown("postgres", f"{type(error).__name__}: {error}") from error
