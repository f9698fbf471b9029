import asyncio
from contextlib import suppress

import pytest
from support.clock import FakeClock

from daemon.errors import LinkDown
from daemon.supervise import LONGEST_PAUSE_S, supervise


class Service:
    """Does on each run what the script says: an error to raise, or None to return."""

    name = "service"

    def __init__(self, *script: Exception | None) -> None:
        self.script = list(script)
        self.runs = 0

    async def run(self) -> None:
        self.runs += 1
        step = self.script.pop(0)
        if step is not None:
            raise step


async def _pass(clock: FakeClock, task: "asyncio.Task[None]") -> None:
    """Let time pass, a second at a time, until the task is done."""
    for _ in range(10_000):
        if task.done():
            return
        clock.advance(1.0)
        for _ in range(5):
            await asyncio.sleep(0)
    raise AssertionError("still running")


async def test_runs_again_while_the_link_is_down() -> None:
    clock = FakeClock()
    service = Service(LinkDown("x"), LinkDown("x"), LinkDown("x"), None)
    task = asyncio.create_task(supervise(service, clock))
    await _pass(clock, task)
    assert service.runs == 4


async def test_pauses_grow_but_not_for_ever() -> None:
    clock = FakeClock()
    service = Service(*[LinkDown("x")] * 100)
    task = asyncio.create_task(supervise(service, clock))
    longest = 0.0
    for _ in range(3000):
        await asyncio.sleep(0)
        longest = max([longest, *clock.pending()])
        clock.advance(1.0)
    task.cancel()
    with suppress(asyncio.CancelledError, IndexError):
        await task
    assert LONGEST_PAUSE_S * 0.5 <= longest <= LONGEST_PAUSE_S * 1.5


async def test_anything_else_is_a_bug_and_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        await supervise(Service(ZeroDivisionError()), FakeClock())
