"""A clock that a test moves: what sleeps on it wakes when the test says so."""

import asyncio
import heapq
from datetime import UTC, datetime, timedelta
from itertools import count

START = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


class FakeClock:
    """Time stands still but for `advance`; `jump` moves the wall clock alone, as a person or NTP would."""

    def __init__(self, start: datetime = START) -> None:
        self._wall = start
        self._monotonic = 0.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._order = count()
        self._changed = asyncio.Event()

    def now(self) -> datetime:
        return self._wall

    def monotonic(self) -> float:
        return self._monotonic

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._monotonic + seconds, next(self._order), woken))
        self._changed.set()
        await woken

    def jump(self, seconds: float) -> None:
        """Set the wall clock forward, or back; nobody who sleeps notices."""
        self._wall += timedelta(seconds=seconds)

    def advance(self, seconds: float) -> None:
        """Let time pass and wake whoever slept until then. They run once the test awaits something."""
        self._monotonic += seconds
        self._wall += timedelta(seconds=seconds)
        while self._sleepers and self._sleepers[0][0] <= self._monotonic:
            woken = heapq.heappop(self._sleepers)[2]
            if not woken.done():
                woken.set_result(None)

    def pending(self) -> list[float]:
        """Return how many seconds each of those who sleep has left, the shortest first."""
        return sorted(until - self._monotonic for until, _, woken in self._sleepers if not woken.done())

    async def asleep(self, seconds: float, within_s: float = 5.0) -> None:
        """Wait (in real time, `within_s` at most) until somebody sleeps with `seconds` left, to the millisecond."""
        async with asyncio.timeout(within_s):
            while not any(abs(left - seconds) < 0.001 for left in self.pending()):
                self._changed.clear()
                await self._changed.wait()
