"""The drill: turns without pause, the server killed, and back to a moment before; nothing acknowledged may be missing."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from support.kept_house import KeptHouse, kept_house, turn
from support.until import until

from db.backup import wal
from db.backup.recovery import recover
from db.database import open_database
from db.embedded import CannotStart
from db.ledger import Ledger, open_ledger

WRITERS = 2
TURNS = 120
"""Turns that are acknowledged before the log is archived, and then half as many before the server is killed."""
HALF_TURNS = """
    SELECT count(*) FROM messages m JOIN conversations c ON c.id = m.conversation_id
    LEFT JOIN actions a ON a.message_id = m.id
    WHERE m.role = 'user' AND (a.id IS NULL OR c.message_count <> (SELECT count(*) FROM messages o
                                                                   WHERE o.conversation_id = c.id))
"""
"""Records are whole or absent: a message with its action, a conversation that counts its messages rightly."""


@dataclass
class Diary:
    """What the writers know: when each turn began, and when the whole of it was acknowledged by the database."""

    begun: dict[str, datetime] = field(default_factory=dict)
    whole: dict[str, datetime] = field(default_factory=dict)
    stop: bool = False
    grown: asyncio.Event = field(default_factory=asyncio.Event)

    async def holds(self, count: int) -> None:
        """Wait until so many turns were acknowledged."""
        async with asyncio.timeout(60):
            while len(self.whole) < count:
                self.grown.clear()
                await self.grown.wait()


@pytest.fixture
async def house(made: Path) -> AsyncIterator[KeptHouse]:
    async with kept_house(made) as house:
        yield house


async def writes(ledger: Ledger, writer: int, diary: Diary) -> None:
    """Store one turn after the other, until the database no longer takes them."""
    count = 0
    while not diary.stop:
        text = f"pedido {writer}-{count}"
        diary.begun[text] = datetime.now(UTC)
        heard, said = turn(text, diary.begun[text])
        done = heard.actions[0].id
        stored = {
            await ledger.heard(heard),
            await ledger.executing([done], heard.at),
            await ledger.finished(done, status="success", at=heard.at),
            await ledger.said(said),
            await ledger.ended(heard.conversation_id, heard.at),
        }
        if stored != {"database"}:
            return
        diary.whole[text] = datetime.now(UTC)
        diary.grown.set()
        count += 1


async def written_and_killed(house: KeptHouse, spool: Path) -> Diary:
    diary = Diary()
    async with open_database(house.url) as db, open_ledger(db, spool) as ledger, asyncio.TaskGroup() as group:
        for writer in range(WRITERS):
            group.create_task(writes(ledger, writer, diary))
        await diary.holds(TURNS)
        segment = await db.fetchval("SELECT pg_walfile_name(pg_switch_wal())")
        await until(db, f"(SELECT last_archived_wal >= '{segment}' FROM pg_stat_archiver)")
        await diary.holds(len(diary.whole) + TURNS // 2)
        house.kill()
        diary.stop = True
    return diary


async def check(house: KeptHouse, diary: Diary, at: datetime, reached: datetime | None = None) -> None:
    """Compare what is there with what was acknowledged by `reached`, and what began after `at`."""
    async with open_database(house.url) as db:
        finished = """SELECT m.content FROM messages m JOIN conversations c ON c.id = m.conversation_id
                      JOIN actions a ON a.message_id = m.id
                      WHERE m.role = 'user' AND c.ended_at IS NOT NULL AND c.message_count = 2
                      AND a.status = 'success'"""
        there = {row[0] for row in await db.fetch(finished)}
        begun = {row[0] for row in await db.fetch("SELECT content FROM messages WHERE role = 'user'")}
        assert await db.fetchval(HALF_TURNS) == 0
    assert {text for text, when in diary.whole.items() if when <= (reached or at)} <= there
    assert not {text for text, when in diary.begun.items() if when > at} & begun
    assert len(begun - there) <= WRITERS


def middle(diary: Diary) -> datetime:
    """Return the moment by which two thirds of the turns were acknowledged."""
    times = sorted(diary.whole.values())
    return times[len(times) * 2 // 3]


async def test_every_turn_acknowledged_before_the_moment_is_there_and_none_half(
    house: KeptHouse, tmp_path: Path
) -> None:
    await house.copy_server()
    diary = await written_and_killed(house, tmp_path)
    at = middle(diary)
    before = set(diary.whole)
    done = await recover(house.postgres, house.continuous, at, datetime.now(UTC))
    assert done.whole
    assert done.last is not None
    assert done.last <= at
    await house.start()
    await check(house, diary, at)
    # The server as it was is kept beside, with all that was acknowledged until the kill.
    assert done.copy is not None
    await house.postgres.stop(only_if_unused=False)
    shutil.rmtree(house.postgres.cluster)
    done.copy.rename(house.postgres.cluster)
    await house.start()
    assert before <= await house.told()
    assert house.left_over() == []


async def test_a_server_too_broken_to_start_still_gives_its_last_changes(house: KeptHouse, tmp_path: Path) -> None:
    await house.copy_server()
    diary = await written_and_killed(house, tmp_path)
    (house.postgres.cluster / "global" / "pg_control").unlink()
    with pytest.raises(CannotStart, match="mordomo backup restore --at"):
        await house.start()
    at = max(diary.whole.values())
    done = await recover(house.postgres, house.continuous, at, datetime.now(UTC))
    assert done.copy is not None
    await house.start()
    await check(house, diary, at)
    # They are in no archive: until the whole server is copied anew, that is a gap.
    assert (house.postgres.home / wal.GAP).exists()
    await house.copy_server()
    assert not (house.postgres.home / wal.GAP).exists()


async def test_from_the_archive_alone_once_the_disk_is_lost(house: KeptHouse, tmp_path: Path) -> None:
    await house.copy_server()
    diary = await written_and_killed(house, tmp_path)
    (own,) = house.continuous.glob("[0-9]*")
    until = wal.newest(own)
    assert until is not None
    shutil.rmtree(house.postgres.home)
    at = min(max(diary.whole.values()), until.astimezone(UTC))
    done = await recover(house.postgres, house.continuous, at, datetime.now(UTC))
    assert done.copy is None
    # What was not archived yet went with the disk: all up to the last change that was is there.
    assert done.last is not None
    reached = min(at, done.last - timedelta(milliseconds=1))
    assert sum(1 for when in diary.whole.values() if when <= reached) > 20
    await house.start()
    await check(house, diary, at, reached)
