"""Alarms, commands, medicine that asks for an answer, quiet hours, late rules and outages, on a clock of the test's own."""

import asyncio
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from support.clock import START, FakeClock
from support.heard_reminders import HOUR, MINUTE, ZONE, Room, service
from support.hurried import hurried

from daemon.errors import EngineFailed
from daemon.reminders.due import LOOK_AGAIN_S
from daemon.reminders.leases import MOST_ASKED
from daemon.reminders.outage import Outage, Pulse
from db.database import Database
from db.reminder_changes import complete, snooze
from db.reminder_search import one
from db.reminder_steps import steps_of
from db.reminders import Due, create

OFF = [{"intent": "HassTurnOff", "targets": ["light.sala"], "slots": {}}]


class Hands:
    """Notes what is carried out."""

    def __init__(self, error: Exception | None = None) -> None:
        self.done: list[UUID] = []
        self.acted = asyncio.Event()
        self.error = error

    async def carry_out(self, due: Due) -> None:
        self.done.append(due.id)
        self.acted.set()
        if self.error:
            raise self.error


async def until(db: Database, reminder_id: UUID, status: str) -> Due:
    async with asyncio.timeout(10):
        while True:
            due = await one(db, reminder_id)
            if due is not None and due.status == status:
                return due


async def leased_until(db: Database, reminder_id: UUID, moment: datetime) -> None:
    """Wait for the prolonged lease: the fake clock must not run ahead of the database."""
    async with asyncio.timeout(10):
        while await db.fetchval("SELECT lease_until FROM reminders WHERE id = $1", reminder_id) < moment:
            await asyncio.sleep(0.005)


async def steps(db: Database, reminder_id: UUID) -> list[str]:
    return [each.step for each in await steps_of(db, reminder_id)]


async def test_an_alarm_rings_beside_everything_else_until_it_is_stopped(
    db: Database, room: Room, clock: FakeClock
) -> None:
    alarm = await create(db, "acordar", START, kind="alarm")
    await create(db, "remédio", START + timedelta(seconds=20))
    ringing = service(db, room, clock)
    async with hurried(ringing):
        assert await room.next() == "ring: acordar"
        await clock.asleep(20)
        clock.advance(20)
        assert await room.next() == "remédio", "it does not wait for the alarm"
        for _ in range(6):  # far beyond its first lease
            await clock.asleep(20)
            clock.advance(20)
            await leased_until(db, alarm, clock.now() + timedelta(seconds=40))
        assert ringing.stop()
        assert await room.next() == "silence: acordar"
        await until(db, alarm, "triggered")
        assert await steps(db, alarm) == ["done"]
        assert not ringing.stop()
    assert room.heard.empty()


async def test_an_alarm_that_nobody_stops_is_over_by_itself(db: Database, room: Room, clock: FakeClock) -> None:
    alarm = await create(db, "acordar", START, kind="alarm")
    async with hurried(service(db, room, clock)):
        assert await room.next() == "ring: acordar"
        room.ring_over.set()
        await until(db, alarm, "triggered")
    assert await steps(db, alarm) == ["spoken"]


@pytest.mark.parametrize("snoozed", [True, False])
async def test_an_alarm_that_is_snoozed_or_cancelled_elsewhere_falls_silent(
    db: Database, room: Room, clock: FakeClock, snoozed: bool
) -> None:
    alarm = await create(db, "acordar", START, kind="alarm")
    async with hurried(service(db, room, clock)):
        assert await room.next() == "ring: acordar"
        if snoozed:
            async with db.transaction() as connection:
                assert await snooze(connection, alarm, START + 9 * MINUTE, clock.now())
        else:
            await db.execute("UPDATE reminders SET status = 'cancelled'")
        assert await room.next() == "silence: acordar"
        if not snoozed:
            await clock.asleep(LOOK_AGAIN_S)
            return
        await clock.asleep(LOOK_AGAIN_S)
        clock.advance(9 * 60)
        assert await room.next() == "ring: acordar"


async def test_an_alarm_survives_a_restart(db: Database, room: Room, clock: FakeClock) -> None:
    await create(db, "acordar", START, kind="alarm")
    async with hurried(service(db, room, clock)):
        assert await room.next() == "ring: acordar"
    assert await room.next() == "silence: acordar"
    async with hurried(service(db, room, clock)):
        assert await room.next() == "ring: acordar"


async def test_an_alarm_that_cannot_be_heard_is_tried_again(db: Database, room: Room, clock: FakeClock) -> None:
    await create(db, "acordar", START, kind="alarm")
    room.mute = EngineFailed("speaker", "unplugged")
    async with hurried(service(db, room, clock)):
        assert await room.next() == "tone"
        room.mute = None
        await clock.asleep(15)
        clock.advance(15)
        assert await room.next() == "ring: acordar"


@pytest.mark.parametrize("error", [None, RuntimeError("bug")])
async def test_a_command_is_carried_out_once(
    db: Database, room: Room, clock: FakeClock, error: Exception | None
) -> None:
    command = await create(db, "apagar a luz", START, kind="command", plan=OFF)
    hands = Hands(error)
    async with hurried(service(db, room, clock, hands=hands)):
        await asyncio.wait_for(hands.acted.wait(), 10)
        await until(db, command, "triggered")
        await clock.asleep(LOOK_AGAIN_S)
    async with hurried(service(db, room, clock, hands=hands)):
        await clock.asleep(LOOK_AGAIN_S)
    assert hands.done == [command]
    assert await steps(db, command) == ["carried_out"]
    assert room.heard.empty()


async def test_a_command_that_is_late_is_told_and_not_done(db: Database, room: Room, clock: FakeClock) -> None:
    command = await create(db, "ligar o forno", START - HOUR, kind="command", plan=OFF)
    hands = Hands()
    async with hurried(service(db, room, clock, hands=hands)):
        assert await room.next() == "briefing: ligar o forno"
        await until(db, command, "triggered")
    assert hands.done == []
    assert await steps(db, command) == ["mentioned"]


async def test_medicine_is_repeated_until_somebody_says_it_is_taken(db: Database, room: Room, clock: FakeClock) -> None:
    pill = await create(
        db, "remédio", START, ack="required", ack_every_s=300, addressee="Ana", escalate_to="Rui", rrule="FREQ=DAILY",
        zone=ZONE,
    )  # fmt: skip
    async with hurried(service(db, room, clock)):
        for turn in range(5):
            assert await room.next() == "remédio"
            async with asyncio.timeout(10):
                while len(await steps(db, pill)) <= turn:
                    pass
            await clock.asleep(LOOK_AGAIN_S)
            if turn < 4:
                clock.advance(300)
        assert [due.addressee for due in room.dues] == ["Ana", "Ana", "Ana", "Rui", "Rui"]
        due = await one(db, pill)
        assert due is not None
        assert (due.asked_for, due.triggered_at, due.times_spoken) == (START, START, 5)
        async with db.transaction() as connection:
            assert await complete(connection, pill, clock.now(), ZONE, by="Ana")
        clock.advance(3600)
        await clock.asleep(LOOK_AGAIN_S)
    assert room.heard.empty()
    assert await steps(db, pill) == ["spoken", "repeated", "repeated", "escalated", "escalated", "done"]
    pending = await db.fetch("SELECT scheduled_at FROM reminders WHERE status = 'pending'")
    assert [row[0] for row in pending] == [START + timedelta(days=1)], "tomorrow's is there, once"


async def test_what_nobody_ever_answers_is_recorded_as_missed(db: Database, room: Room, clock: FakeClock) -> None:
    pill = await create(db, "remédio", START, ack="required", ack_every_s=60)
    await db.execute("UPDATE reminders SET times_spoken = $1", MOST_ASKED - 1)
    async with hurried(service(db, room, clock)):
        assert await room.next() == "remédio"
        await until(db, pill, "triggered")
    assert await steps(db, pill) == ["missed"]


async def test_somebody_says_para_in_the_middle(db: Database, room: Room, clock: FakeClock) -> None:
    only = await create(db, "uma longa história", START)
    room.hold.clear()
    speaking = service(db, room, clock)
    async with hurried(speaking):
        assert await room.next() == "uma longa história"
        assert speaking.stop()
        await until(db, only, "triggered")
    assert room.cut_off == 1
    assert room.heard.empty(), "it was heard, and no tone follows"


async def test_quiet_hours_put_it_off(db: Database, room: Room, clock: FakeClock) -> None:
    only = await create(db, "regar", START)
    room.quiet = START + HOUR
    async with hurried(service(db, room, clock)):
        await clock.asleep(LOOK_AGAIN_S)
        due = await one(db, only)
        assert due is not None
        assert (due.status, due.scheduled_at, due.asked_for) == ("pending", START + HOUR, START)
        room.quiet = None
        clock.jump(3600 - LOOK_AGAIN_S)
        clock.advance(LOOK_AGAIN_S)
        assert await room.next() == "regar"
    assert room.outages == []


async def test_late_ones_follow_the_rule_of_each(db: Database, room: Room, clock: FakeClock) -> None:
    spoken = await create(db, "a tempo", START - 20 * MINUTE, late="speak", late_within_s=1800)
    told = await create(db, "passou", START - 40 * MINUTE, late="speak", late_within_s=1800)
    dropped = await create(db, "bobagem", START - 30 * MINUTE, late="drop")
    mentioned = await create(db, "só dizer", START - 10 * MINUTE, late="mention")
    async with hurried(service(db, room, clock)):
        assert await room.next() == "briefing: passou, a tempo, só dizer"
        await until(db, mentioned, "triggered")
    assert (await until(db, dropped, "cancelled")).done_at is None
    assert [await steps(db, each) for each in (spoken, told, dropped, mentioned)] == [
        [], ["mentioned"], ["dropped"], ["mentioned"],
    ]  # fmt: skip


async def test_after_an_outage_one_briefing_says_so_once(
    db: Database, room: Room, clock: FakeClock, tmp_path: Path
) -> None:
    (tmp_path / "alive").write_text((START - 2 * HOUR).isoformat())
    await create(db, "remédio", START - HOUR)
    pulse = Pulse(tmp_path / "alive", booted=START - MINUTE)
    async with hurried(service(db, room, clock, pulse=pulse)):
        assert await room.next() == "briefing: remédio"
        await clock.asleep(LOOK_AGAIN_S)
        await create(db, "outro", clock.now() - HOUR)
        assert await room.next() == "outro"
    assert room.outages == [Outage(START - 2 * HOUR, START, power=True)]
    assert datetime.fromisoformat((tmp_path / "alive").read_text()) == START


@pytest.mark.parametrize(
    ("told", "booted", "outage"),
    [
        (START - 2 * HOUR, START - 3 * HOUR, Outage(START - 2 * HOUR, START, power=False)),
        (START - MINUTE, None, None),
        (START + HOUR, None, None),
        ("lixo", None, None),
        ("2026-11-20T10:00:00", None, None),
    ],
)
def test_the_pulse(tmp_path: Path, told: datetime | str, booted: datetime | None, outage: Outage | None) -> None:
    file = tmp_path / "alive"
    file.write_text(told if isinstance(told, str) else told.isoformat())
    assert Pulse(file, booted=booted).outage(START) == outage
    Pulse(file).beat(START)
    assert Pulse(file).outage(START + HOUR) == Outage(START, START + HOUR, power=False)


def test_a_pulse_without_a_place_holds_up_nothing(tmp_path: Path) -> None:
    Pulse(tmp_path / "away" / "alive").beat(START)
    assert Pulse().outage(START) is None
