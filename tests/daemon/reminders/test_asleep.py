"""A machine that slept (suspend): told as an outage is; a clock that was set right is none."""

from datetime import timedelta
from pathlib import Path

from support.clock import START, FakeClock
from support.heard_reminders import HOUR, Room, service
from support.hurried import hurried

from daemon.reminders.due import LOOK_AGAIN_S
from daemon.reminders.outage import Outage, Pulse, slept_s
from db.database import Database
from db.reminders import create


async def test_a_machine_that_slept_is_told_of_as_an_outage_is(
    db: Database, room: Room, clock: FakeClock, tmp_path: Path
) -> None:
    slept: list[float] = [0.0]
    pulse = Pulse(tmp_path / "alive", slept=lambda: slept[0])
    await create(db, "remédio", START + HOUR)
    async with hurried(service(db, room, clock, pulse=pulse)):
        await clock.asleep(LOOK_AGAIN_S)
        slept[0] = 7200.0
        clock.jump(7200)
        clock.advance(LOOK_AGAIN_S)
        assert await room.next() == "briefing: remédio"
    end = START + 2 * HOUR + timedelta(seconds=LOOK_AGAIN_S)
    assert room.outages == [Outage(START, end, power=False, asleep=True)]


async def test_a_clock_that_was_set_right_is_no_sleep(
    db: Database, room: Room, clock: FakeClock, tmp_path: Path
) -> None:
    await create(db, "remédio", START + HOUR)
    async with hurried(service(db, room, clock, pulse=Pulse(tmp_path / "alive", slept=lambda: 30.0))):
        await clock.asleep(LOOK_AGAIN_S)
        clock.jump(7200)
        clock.advance(LOOK_AGAIN_S)
        assert await room.next() == "remédio"
    assert room.outages == []


def test_this_machine_tells_how_long_it_slept() -> None:
    assert 0 <= slept_s() < 10 * 365 * 86400
