"""The due loop on a real server and a clock of the test's own: what is due is spoken, once, in its order."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from support.clock import START, FakeClock
from support.heard_reminders import MINUTE, ZONE, Room, recorded, service
from support.hurried import hurried

from daemon.reminders.due import LOOK_AGAIN_S, DueReminders
from db.database import Database
from db.reminder_search import upcoming
from db.reminders import create


async def test_it_sleeps_until_due_speaks_once_and_records_when(db: Database, room: Room, clock: FakeClock) -> None:
    await create(db, "remédio", START + timedelta(seconds=12))
    async with hurried(service(db, room, clock)):
        await clock.asleep(12)
        assert room.heard.empty()
        clock.advance(12)
        assert await room.next() == "remédio"
        await recorded(db, 1)
        await clock.asleep(LOOK_AGAIN_S)
        clock.advance(LOOK_AGAIN_S)
        await clock.asleep(LOOK_AGAIN_S)
    assert room.heard.empty()
    assert await db.fetchval("SELECT triggered_at FROM reminders") == START + timedelta(seconds=12)


async def test_a_new_or_changed_reminder_wakes_it(db: Database, room: Room, clock: FakeClock) -> None:
    async with hurried(service(db, room, clock)):
        await clock.asleep(LOOK_AGAIN_S)
        only = await create(db, "chá", START + timedelta(seconds=7))
        await clock.asleep(7)
        await db.execute("UPDATE reminders SET scheduled_at = $2 WHERE id = $1", only, START + timedelta(seconds=3))
        await clock.asleep(3)
        clock.advance(3)
        assert await room.next() == "chá"
        await recorded(db, 1)


async def test_without_any_notification_it_looks_again(db: Database, room: Room, clock: FakeClock) -> None:
    async def deaf() -> AsyncIterator[object]:
        await asyncio.Event().wait()
        yield None

    async with hurried(DueReminders(db, room, clock, lambda: 60.0, zone=lambda: ZONE, listen=deaf)):
        await clock.asleep(LOOK_AGAIN_S)
        await create(db, "chá", START)
        clock.advance(LOOK_AGAIN_S)
        assert await room.next() == "chá"


@pytest.mark.parametrize("hours", [1, -1])
async def test_the_wall_clock_jumps(db: Database, room: Room, clock: FakeClock, hours: int) -> None:
    """Forward: what is due by the new clock is spoken within LOOK_AGAIN_S. Back: nothing is spoken again."""
    await create(db, "antes", START)
    await create(db, "depois", START + timedelta(minutes=40))
    async with hurried(service(db, room, clock)):
        assert await room.next() == "antes"
        await clock.asleep(LOOK_AGAIN_S)
        clock.jump(hours * 3600)
        clock.advance(LOOK_AGAIN_S)
        if hours > 0:
            assert await room.next() == "depois"
        else:
            await clock.asleep(LOOK_AGAIN_S)
            left_s = 100 * 60 - LOOK_AGAIN_S
            while left_s > LOOK_AGAIN_S:
                await clock.asleep(LOOK_AGAIN_S)
                clock.advance(LOOK_AGAIN_S)
                left_s -= LOOK_AGAIN_S
            assert room.heard.empty()
            await clock.asleep(left_s)
            clock.advance(left_s)
            assert await room.next() == "depois"
        await recorded(db, 2)
    assert room.heard.empty()


async def test_several_due_at_once_come_one_after_the_other(db: Database, room: Room, clock: FakeClock) -> None:
    for minutes, title in ((3, "b"), (4, "a"), (1, "d"), (2, "c")):
        await create(db, title, START - minutes * MINUTE)
    room.hold.clear()
    async with hurried(service(db, room, clock)):
        assert await room.next() == "a"
        assert room.heard.empty(), "the next one waits for the end of the first"
        room.hold.set()
        assert [await room.next() for _ in "bcd"] == ["b", "c", "d"]
        await recorded(db, 4)


async def test_three_late_ones_are_spoken_and_more_are_briefed(db: Database, room: Room, clock: FakeClock) -> None:
    for hour in range(3):
        await create(db, f"perdido {hour}", START - timedelta(hours=5 - hour))
    async with hurried(service(db, room, clock)):
        assert [await room.next() for _ in range(3)] == ["perdido 0", "perdido 1", "perdido 2"]
        await recorded(db, 3)
    for hour in range(5):
        await create(db, f"perdido {hour}", START - timedelta(hours=5 - hour))
    await create(db, "agora", START)
    async with hurried(service(db, room, clock)):
        assert await room.next() == "briefing: perdido 0, perdido 1, perdido 2, perdido 3, perdido 4"
        assert await room.next() == "agora"
        await recorded(db, 9)
    assert room.heard.empty()


async def test_a_thousand_overdue_become_one_briefing(db: Database, room: Room, clock: FakeClock) -> None:
    await db.execute(
        "INSERT INTO reminders (title, scheduled_at) SELECT 'r', $1::timestamptz - n * interval '1 hour'"
        " FROM generate_series(1, 1000) AS n",
        START,
    )
    async with hurried(service(db, room, clock)):
        assert (await room.next()).startswith("briefing: ")
        await recorded(db, 1000)
    assert room.heard.empty()
    assert len(room.ids) == len(set(room.ids)) == 1000


async def test_a_reminder_cancelled_while_spoken_stays_cancelled(db: Database, room: Room, clock: FakeClock) -> None:
    await create(db, "remédio", START)
    room.hold.clear()
    async with hurried(service(db, room, clock)):
        assert await room.next() == "remédio"
        await db.execute("UPDATE reminders SET status = 'cancelled'")
        room.hold.set()
        await clock.asleep(LOOK_AGAIN_S)
    assert await db.fetchval("SELECT status FROM reminders") == "cancelled"


async def test_a_series_fires_each_day_once(db: Database, room: Room, clock: FakeClock) -> None:
    await create(db, "remédio", START, rrule="FREQ=DAILY;COUNT=3", zone=ZONE)
    async with hurried(service(db, room, clock)):
        for day in range(3):
            assert await room.next() == "remédio"
            await recorded(db, day + 1)
            await clock.asleep(LOOK_AGAIN_S)
            clock.jump(86_400 - LOOK_AGAIN_S)
            clock.advance(LOOK_AGAIN_S)
        await clock.asleep(LOOK_AGAIN_S)
    assert room.heard.empty()
    assert len(set(room.ids)) == 3
    assert await upcoming(db, START, START + timedelta(days=30)) == []
