"""Two daemons on one database, SIGKILL, restarts of the server, a wall clock that is set wrong: nothing lost or doubled.

For seconds among the tests, for two minutes with `make test-long`, for an hour with `make soak`. The clock is
set wrong by seconds and by an hour, forward and back: no jump makes whoever speaks look dead.
"""

import asyncio
import os
import random
import sys
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest
from support.kept_house import kept_house

from db.embedded import EmbeddedPostgres

ROOT = Path(__file__).parents[3]
MAKE = "INSERT INTO reminders (title, scheduled_at) SELECT 'remédio', unnest($1::timestamptz[])"
WRONG_S = (4.0, 4.0, 3600.0)
"""By so many seconds at most the wall clock is set wrong: mostly a little."""


@dataclass
class House:
    """Two daemons and their server, and what hits them."""

    folder: Path
    server: EmbeddedPostgres
    url: str
    chance: random.Random
    daemons: dict[str, asyncio.subprocess.Process] = field(default_factory=dict)
    killed: set[str] = field(default_factory=set)
    restarts: int = 0
    jumps: int = 0
    _number: int = 0

    async def begin(self) -> None:
        self._number += 1
        name = f"d{self._number}"
        self.daemons[name] = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "support.reminding", self.url, str(self.folder / "journal"),
            str(self.folder / "offset"), name, cwd=ROOT, stderr=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL, env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}"},
        )  # fmt: skip

    async def kill(self) -> None:
        name = self.chance.choice(sorted(self.daemons))
        process = self.daemons.pop(name)
        process.kill()
        await process.wait()
        self.killed.add(name)
        await self.begin()

    async def restart(self) -> None:
        await self.server.stop(only_if_unused=False)
        await self.server.start()
        self.restarts += 1

    async def jump(self) -> None:
        most_s = self.chance.choice(WRONG_S)
        self.set_wrong(self.chance.uniform(-most_s, most_s))
        self.jumps += 1

    def set_wrong(self, by_s: float) -> None:
        beside = self.folder / "offset.new"
        beside.write_text(str(by_s))
        beside.replace(self.folder / "offset")

    async def close(self) -> None:
        for process in self.daemons.values():
            process.kill()
            await process.wait()


@asynccontextmanager
async def house(made: Path, seed: int) -> AsyncIterator[House]:
    async with kept_house(made) as kept:
        (kept.path / "offset").write_text("0")
        (kept.path / "journal").touch()
        lived_in = House(kept.path, kept.postgres, kept.url, random.Random(seed))
        try:
            await lived_in.begin()
            await lived_in.begin()
            yield lived_in
        finally:
            await lived_in.close()


async def pending(url: str) -> int:
    """Return how many are not recorded as spoken; all the same while the server is away."""
    try:
        connection = await asyncpg.connect(url, timeout=5)
    except (OSError, asyncpg.PostgresError, TimeoutError):
        return -1
    left: int = await connection.fetchval("SELECT count(*) FROM reminders WHERE status <> 'triggered'")
    await connection.close()
    return left


def doubled(journal: Path, killed: set[str]) -> tuple[dict[str, int], list[str]]:
    """Return how often each was begun, and those begun again though nobody was killed while at it."""
    begun: dict[str, list[str]] = defaultdict(list)
    last_of: dict[str, list[str]] = {}
    for line in journal.read_text().splitlines():
        name, what, reminders = line.split()
        if what == "begins":
            last_of[name] = reminders.split(",")
            for reminder in last_of[name]:
                begun[reminder].append(name)
    # Whoever was killed had one in hand, or one breath of several: the last that they began.
    excused = Counter(reminder for name in killed for reminder in last_of.get(name, ()))
    wrong = [each for each, names in begun.items() if len(names) - 1 > excused[each]]
    return {each: len(names) for each, names in begun.items()}, wrong


async def chaos(made: Path, count: int, within_s: float, kills: int, restarts: int, jumps: int) -> None:
    async with house(made, seed=6) as lived_in:
        connection = await asyncpg.connect(lived_in.url)
        soon = datetime.now(UTC) + timedelta(seconds=2)
        moments = [soon + timedelta(seconds=lived_in.chance.uniform(0, within_s)) for _ in range(count)]
        await connection.execute(MAKE, moments)
        await connection.close()
        blows = [lived_in.kill] * kills + [lived_in.restart] * restarts + [lived_in.jump] * jumps
        lived_in.chance.shuffle(blows)
        at = sorted(lived_in.chance.uniform(1, within_s) for _ in blows)
        loop, began = asyncio.get_running_loop(), asyncio.get_running_loop().time()
        for blow, moment in zip(blows, at, strict=True):
            await asyncio.sleep(max(0.0, began + moment - loop.time()))
            await blow()
        lived_in.set_wrong(0.0)
        async with asyncio.timeout(within_s + 60):
            while await pending(lived_in.url) != 0:
                await asyncio.sleep(0.25)
        times, wrong = doubled(lived_in.folder / "journal", lived_in.killed)
        assert len(lived_in.killed) == kills
        assert len(times) == count, "none is lost"
        assert not wrong, f"spoken twice: {wrong[:5]} and {len(wrong)} in all"


async def test_nothing_is_lost_or_doubled_for_seconds(made: Path) -> None:
    await chaos(made, 500, within_s=10, kills=4, restarts=1, jumps=3)


@pytest.mark.long
@pytest.mark.timeout(400)
async def test_nothing_is_lost_or_doubled_for_two_minutes(made: Path) -> None:
    await chaos(made, 5000, within_s=110, kills=30, restarts=4, jumps=25)


@pytest.mark.soak
@pytest.mark.timeout(5400)
async def test_nothing_is_lost_or_doubled_for_an_hour(made: Path) -> None:
    await chaos(made, 5000, within_s=3600, kills=400, restarts=40, jumps=200)
