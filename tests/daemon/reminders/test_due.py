"""The due loop on a real server and a clock of the test's own; crashes, takeovers, jumps and mute voices."""

import asyncio
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from support.clock import START, FakeClock
from support.heard_reminders import Room, running
from support.wire import wire_to

from daemon.errors import EngineFailed
from daemon.reminders.due import LOOK_AGAIN_S, DueReminders
from db.database import Database, open_database
from db.listen import notifications
from db.reminder_search import upcoming
from db.reminders import Due, claim_due, create

ZONE = ZoneInfo("America/Sao_Paulo")
MINUTE = timedelta(minutes=1)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def room() -> Room:
    return Room()


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    async with open_database(database_url) as database:
        yield database


def service(db: Database, room: Room, clock: FakeClock) -> DueReminders:
    return DueReminders(db, room, clock, lambda: 60.0, zone=lambda: ZONE)


async def recorded(db: Database, how_many: int, status: str = "triggered") -> None:
    """Wait until so many reminders have this status."""
    async with asyncio.timeout(10):
        while await db.fetchval("SELECT count(*) FROM reminders WHERE status = $1", status) != how_many:
            pass


async def settled(db: Database) -> int:
    """Return how many are triggered once that has not changed for a while (of real time)."""
    done, quiet = -1, 0
    while quiet < 20:
        before, done = done, await db.fetchval("SELECT count(*) FROM reminders WHERE status = 'triggered'")
        quiet = quiet + 1 if done == before else 0
        await asyncio.sleep(0.01)
    return done


async def test_it_sleeps_until_due_speaks_once_and_records_when(db: Database, room: Room, clock: FakeClock) -> None:
    await create(db, "remédio", START + timedelta(seconds=12))
    async with running(service(db, room, clock)):
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
    async with running(service(db, room, clock)):
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

    async with running(DueReminders(db, room, clock, lambda: 60.0, zone=lambda: ZONE, listen=deaf)):
        await clock.asleep(LOOK_AGAIN_S)
        await create(db, "chá", START)
        clock.advance(LOOK_AGAIN_S)
        assert await room.next() == "chá"


@pytest.mark.parametrize("hours", [1, -1])
async def test_the_wall_clock_jumps(db: Database, room: Room, clock: FakeClock, hours: int) -> None:
    """Forward: what is due by the new clock is spoken within LOOK_AGAIN_S. Back: nothing is spoken again."""
    await create(db, "antes", START)
    await create(db, "depois", START + timedelta(minutes=40))
    async with running(service(db, room, clock)):
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
    async with running(service(db, room, clock)):
        assert await room.next() == "a"
        assert room.heard.empty(), "the next one waits for the end of the first"
        room.hold.set()
        assert [await room.next() for _ in "bcd"] == ["b", "c", "d"]
        await recorded(db, 4)


async def test_three_late_ones_are_spoken_and_more_are_briefed(db: Database, room: Room, clock: FakeClock) -> None:
    for hour in range(3):
        await create(db, f"perdido {hour}", START - timedelta(hours=5 - hour))
    async with running(service(db, room, clock)):
        assert [await room.next() for _ in range(3)] == ["perdido 0", "perdido 1", "perdido 2"]
        await recorded(db, 3)
    for hour in range(5):
        await create(db, f"perdido {hour}", START - timedelta(hours=5 - hour))
    await create(db, "agora", START)
    async with running(service(db, room, clock)):
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
    async with running(service(db, room, clock)):
        assert (await room.next()).startswith("briefing: ")
        await recorded(db, 1000)
    assert room.heard.empty()
    assert len(room.ids) == len(set(room.ids)) == 1000


async def test_a_daemon_that_died_while_speaking_is_taken_over(db: Database, room: Room, clock: FakeClock) -> None:
    """Killed between claim and record, it leaves its lease behind, and nothing else."""
    only = await create(db, "remédio", START)
    [claimed] = await claim_due(db, clock.now(), 1, 60, "the daemon that was killed", zone=ZONE)
    assert claimed.id == only
    async with running(service(db, room, clock)):
        await clock.asleep(30)
        clock.advance(30)
        await clock.asleep(30)
        assert room.heard.empty()
        clock.advance(30)
        assert await room.next() == "remédio"
        await recorded(db, 1)
    assert room.ids == [only]


SPEAKS_FOR_EVER = """
import asyncio, sys
from zoneinfo import ZoneInfo
from daemon.clock import SystemClock
from daemon.reminders.due import DueReminders
from db.database import open_database

class Voice:
    def quiet_until(self, due, now):
        return None

    async def speak(self, due):
        print(due.id, flush=True)
        await asyncio.Event().wait()

async def main():
    async with open_database(sys.argv[1]) as db:
        await DueReminders(db, Voice(), SystemClock(), lambda: 60.0, zone=lambda: ZoneInfo("UTC")).run()

asyncio.run(main())
"""


async def test_killed_in_mid_speech_another_daemon_speaks_it_again(db: Database, database_url: str, room: Room) -> None:
    """A real process, a real SIGKILL."""
    clock = FakeClock(datetime.now(UTC))
    only = await create(db, "remédio", clock.now())
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SPEAKS_FOR_EVER, database_url, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    assert (await asyncio.wait_for(process.stdout.readline(), 30)).decode().strip() == str(only)
    process.kill()
    await process.wait()
    async with running(service(db, room, clock)):
        await clock.asleep(LOOK_AGAIN_S)
        assert room.heard.empty()
        clock.advance(120)
        assert await room.next() == "remédio"
        await recorded(db, 1)
    assert room.ids == [only]


async def test_long_speech_keeps_its_lease(db: Database, database_url: str, room: Room, clock: FakeClock) -> None:
    await create(db, "uma longa história", START)
    room.hold.clear()
    other = Room()
    async with running(service(db, room, clock)):
        assert await room.next() == "uma longa história"
        async with open_database(database_url) as theirs, running(service(theirs, other, clock)):
            for _ in range(8):
                await clock.asleep(20)
                clock.advance(20)
            await clock.asleep(20)
            room.hold.set()
            await recorded(db, 1)
    assert other.heard.empty()


async def test_two_daemons_speak_each_occurrence_once(db: Database, database_url: str, clock: FakeClock) -> None:
    rooms = [Room(), Room()]
    for second in range(40):
        await create(db, f"número {second}", START + timedelta(seconds=second // 4))
    async with open_database(database_url) as theirs, running(*map(service, (db, theirs), rooms, (clock, clock))):
        for second in range(10):
            await recorded(db, 4 * (second + 1))
            clock.advance(1)
    spoken = rooms[0].ids + rooms[1].ids
    assert len(spoken) == len(set(spoken)) == 40


async def test_a_mute_voice_sounds_a_tone_and_tries_again_later(db: Database, room: Room, clock: FakeClock) -> None:
    only = await create(db, "remédio", START)
    room.mute = EngineFailed("piper", "out of memory")
    async with running(service(db, room, clock)):
        assert await room.next() == "tone"
        for pause_s in (15, 30):
            await clock.asleep(pause_s)
            clock.advance(pause_s)
            assert await room.next() == "tone"
        assert await db.fetchval("SELECT status FROM reminders") == "pending"
        room.mute = None
        await clock.asleep(30)
        clock.advance(30)
        await clock.asleep(30)
        clock.advance(30)
        assert await room.next() == "remédio"
        await recorded(db, 1)
    assert room.ids == [only]


async def test_a_mistake_in_one_delivery_does_not_silence_the_others(
    db: Database, room: Room, clock: FakeClock
) -> None:
    await create(db, "ruim", START - MINUTE)
    await create(db, "bom", START)

    class Broken(Room):
        async def speak(self, due: Due) -> None:
            if due.title == "ruim":
                raise KeyError(due.title)
            await super().speak(due)

    broken = Broken()
    async with running(service(db, broken, clock)):
        assert [await broken.next(), await broken.next()] == ["tone", "bom"]
        await recorded(db, 1)


async def test_speech_that_never_ends_is_cut_off(db: Database, room: Room, clock: FakeClock) -> None:
    await create(db, "sem fim", START)
    room.hold.clear()
    async with running(service(db, room, clock)):
        assert await room.next() == "sem fim"
        for _ in range(15):
            await clock.asleep(20)
            clock.advance(20)
        assert await room.next() == "tone"
    assert room.cut_off == 1


async def test_stopped_in_mid_speech_it_leaves_the_reminder_open_at_once(
    db: Database, room: Room, clock: FakeClock
) -> None:
    only = await create(db, "remédio", START)
    room.hold.clear()
    async with running(service(db, room, clock)):
        assert await room.next() == "remédio"
    assert room.cut_off == 1
    room.hold.set()
    async with running(service(db, room, clock)):
        assert await room.next() == "remédio"
        await recorded(db, 1)
    assert room.ids == [only, only]


async def test_a_reminder_cancelled_while_spoken_stays_cancelled(db: Database, room: Room, clock: FakeClock) -> None:
    await create(db, "remédio", START)
    room.hold.clear()
    async with running(service(db, room, clock)):
        assert await room.next() == "remédio"
        await db.execute("UPDATE reminders SET status = 'cancelled'")
        room.hold.set()
        await clock.asleep(LOOK_AGAIN_S)
    assert await db.fetchval("SELECT status FROM reminders") == "cancelled"


async def test_a_series_fires_each_day_once(db: Database, room: Room, clock: FakeClock) -> None:
    await create(db, "remédio", START, rrule="FREQ=DAILY;COUNT=3", zone=ZONE)
    async with running(service(db, room, clock)):
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


async def test_the_database_going_away_loses_nothing_and_repeats_nothing(
    db: Database, database_url: str, room: Room, clock: FakeClock
) -> None:
    await create(db, "durante", START)
    await create(db, "depois", START + MINUTE)
    room.hold.clear()
    async with wire_to(database_url) as wire, open_database(wire.url) as wired:
        through = DueReminders(
            wired,
            room,
            clock,
            lambda: 60.0,
            zone=lambda: ZONE,
            listen=lambda: notifications(wire.url, ["mordomo_reminders"]),
        )
        async with running(through):
            assert await room.next() == "durante"
            await wire.down()
            room.hold.set()
            assert await db.fetchval("SELECT count(*) FROM reminders WHERE status = 'triggered'") == 0
            await wire.start(wire.port)
            await recorded(db, 1)
            await clock.asleep(LOOK_AGAIN_S)
            clock.advance(LOOK_AGAIN_S)
            await clock.asleep(LOOK_AGAIN_S)
            wire.cut()
            clock.advance(LOOK_AGAIN_S)
            assert await room.next() == "depois"
            await recorded(db, 2)
    assert len(room.ids) == 2


async def test_chaos_on_the_link(db: Database, database_url: str, room: Room, clock: FakeClock) -> None:
    """Cut again and again while two speak: each is spoken once and recorded."""
    other = Room()
    for number in range(60):
        await create(db, f"número {number}", START + timedelta(milliseconds=100 * number))
    async with (
        wire_to(database_url) as wire,
        open_database(wire.url) as one,
        open_database(wire.url) as two,
        running(service(one, room, clock), service(two, other, clock)),
    ):
        for step in range(60):
            clock.advance(0.1)
            if step % 4 == 0:
                wire.cut()
            await asyncio.sleep(0.01)
        # A claim whose commit was cut off is leased to nobody who knows: its lease runs out.
        async with asyncio.timeout(30):
            done = 0
            while done < 60:
                before, done = done, await settled(db)
                if done == before:
                    clock.advance(31)
    spoken = room.ids + other.ids
    assert len(spoken) == len(set(spoken)) == 60
