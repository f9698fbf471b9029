"""When the lease of somebody else is taken over: after it was over, and the same, for half of its length."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from support.clock import FakeClock

from daemon.reminders.takeover import Takeover

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
ONE, OTHER = uuid4(), uuid4()


async def test_one_that_stays_over_was_left_by_the_dead() -> None:
    clock = FakeClock(NOW)
    takeover = Takeover(clock, lambda: 60.0)
    assert takeover.look({ONE: NOW}) == 30.0
    assert takeover.left() == []
    clock.advance(29.0)
    assert takeover.look({ONE: NOW, OTHER: NOW}) == 1.0
    clock.advance(1.0)
    assert takeover.left() == [ONE], "the other was seen a second ago"


async def test_one_that_was_prolonged_meanwhile_is_somebodys() -> None:
    clock = FakeClock(NOW)
    takeover = Takeover(clock, lambda: 60.0)
    takeover.look({ONE: NOW})
    clock.advance(20.0)
    takeover.look({})  # its owner prolonged it
    takeover.look({ONE: NOW + timedelta(hours=1)})  # and the clock was set forward again
    clock.advance(29.0)
    assert takeover.left() == []


def test_without_any_there_is_nothing_to_wait_for() -> None:
    assert Takeover(FakeClock(NOW), lambda: 60.0).look({}) is None
