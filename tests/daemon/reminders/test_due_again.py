"""The due loop after something went wrong: daemons killed, voices that fail, a database that goes away."""

import asyncio
import sys
from datetime import UTC, datetime, timedelta

from support.clock import START, FakeClock
from support.heard_reminders import MINUTE, ZONE, Room, recorded, service
from support.hurried import hurried
from support.wire import wire_to

from daemon.errors import EngineFailed
from daemon.reminders.due import LOOK_AGAIN_S, DueReminders
from db.database import Database, open_database
from db.listen import notifications
from db.reminder_leases import claim_due
from db.reminders import Due, create


async def settled(db: Database) -> int:
    """Return how many are triggered once that has not changed for a while (of real time)."""
    done, quiet = -1, 0
    while quiet < 20:
        before, done = done, await db.fetchval("SELECT count(*) FROM reminders WHERE status = 'triggered'")
        quiet = quiet + 1 if done == before else 0
        await asyncio.sleep(0.01)
    return done


async def test_a_daemon_that_died_while_speaking_is_taken_over(db: Database, room: Room, clock: FakeClock) -> None:
    """Killed between claim and record, it leaves its lease behind, and nothing else."""
    only = await create(db, "remédio", START)
    [claimed] = await claim_due(db, clock.now(), 1, 60, "the daemon that was killed", zone=ZONE)
    assert claimed.id == only
    async with hurried(service(db, room, clock)):
        await clock.asleep(30)
        clock.advance(30)
        await clock.asleep(30)
        assert room.heard.empty()
        clock.advance(30)
        await clock.asleep(30)  # the lease is over now, and watched for half of its length
        assert room.heard.empty()
        clock.advance(30)
        assert await room.next() == "remédio"
        await recorded(db, 1)
    assert room.ids == [only]


async def test_a_clock_set_forward_does_not_make_a_living_daemon_dead(
    db: Database, database_url: str, room: Room, clock: FakeClock
) -> None:
    """In mid-speech, by an hour: the other daemon watches the lease, and sees that it is prolonged."""
    await create(db, "uma longa história", START)
    room.hold.clear()
    other = Room()
    async with hurried(service(db, room, clock)):
        assert await room.next() == "uma longa história"
        async with open_database(database_url) as theirs, hurried(service(theirs, other, clock)):
            await clock.asleep(LOOK_AGAIN_S)
            clock.jump(3600)
            await create(db, "amanhã", START + timedelta(days=1))  # it looks at once
            await clock.asleep(30)
            for _ in range(8):
                clock.advance(20)
                await clock.asleep(20)
            room.hold.set()
            await recorded(db, 1)
    assert other.heard.empty()


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
    async with hurried(service(db, room, clock)):
        await clock.asleep(LOOK_AGAIN_S)
        assert room.heard.empty()
        clock.advance(120)
        await clock.asleep(30)
        clock.advance(30)
        assert await room.next() == "remédio"
        await recorded(db, 1)
    assert room.ids == [only]


async def test_long_speech_keeps_its_lease(db: Database, database_url: str, room: Room, clock: FakeClock) -> None:
    await create(db, "uma longa história", START)
    room.hold.clear()
    other = Room()
    async with hurried(service(db, room, clock)):
        assert await room.next() == "uma longa história"
        async with open_database(database_url) as theirs, hurried(service(theirs, other, clock)):
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
    async with open_database(database_url) as theirs, hurried(*map(service, (db, theirs), rooms, (clock, clock))):
        for second in range(10):
            await recorded(db, 4 * (second + 1))
            clock.advance(1)
    spoken = rooms[0].ids + rooms[1].ids
    assert len(spoken) == len(set(spoken)) == 40


async def test_a_mute_voice_sounds_a_tone_and_tries_again_later(db: Database, room: Room, clock: FakeClock) -> None:
    only = await create(db, "remédio", START)
    room.mute = EngineFailed("piper", "out of memory")
    async with hurried(service(db, room, clock)):
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
    async with hurried(service(db, broken, clock)):
        assert [await broken.next(), await broken.next()] == ["tone", "bom"]
        await recorded(db, 1)


async def test_speech_that_never_ends_is_cut_off(db: Database, room: Room, clock: FakeClock) -> None:
    await create(db, "sem fim", START)
    room.hold.clear()
    async with hurried(service(db, room, clock)):
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
    async with hurried(service(db, room, clock)):
        assert await room.next() == "remédio"
    assert room.cut_off == 1
    room.hold.set()
    async with hurried(service(db, room, clock)):
        assert await room.next() == "remédio"
        await recorded(db, 1)
    assert room.ids == [only, only]


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
        async with hurried(through):
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
        hurried(service(one, room, clock), service(two, other, clock)),
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
