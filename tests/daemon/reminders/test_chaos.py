"""Two daemons on one database, SIGKILL, restarts of the server, a wall clock that is set wrong: nothing lost or doubled.

For half a minute among the tests; for an hour with `pytest -m soak tests/daemon/reminders/test_chaos.py`. The clock is
set by less than half a lease at once: a jump of more than a lease in the very middle of a sentence makes it look as if
whoever speaks had died, and the other daemon says it too.
"""

import asyncio
import os
import random
import sys
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest
from support.folders import short_folder

from db.embedded import EmbeddedPostgres
from db.upgrade import upgrade

ROOT = Path(__file__).parents[3]
MAKE = "INSERT INTO reminders (title, scheduled_at) SELECT 'remédio', unnest($1::timestamptz[])"
WRONG_S = 4


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
        beside = self.folder / "offset.new"
        beside.write_text(str(self.chance.uniform(-WRONG_S, WRONG_S)))
        beside.replace(self.folder / "offset")
        self.jumps += 1

    async def close(self) -> None:
        for process in self.daemons.values():
            process.kill()
            await process.wait()


@asynccontextmanager
async def house(seed: int) -> AsyncIterator[House]:
    with short_folder() as folder:
        server = EmbeddedPostgres(folder / "data")
        url = await server.start()
        (folder / "offset").write_text("0")
        (folder / "journal").touch()
        lived_in = House(folder, server, url, random.Random(seed))
        try:
            await upgrade(url)
            await lived_in.begin()
            await lived_in.begin()
            yield lived_in
        finally:
            await lived_in.close()
            await server.stop(only_if_unused=False)


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
    last_of: dict[str, str] = {}
    for line in journal.read_text().splitlines():
        name, what, reminder = line.split()
        if what == "begins":
            begun[reminder].append(name)
            last_of[name] = reminder
    # Whoever was killed had one in hand: the last that they began.
    excused = {last_of[name] for name in killed if name in last_of}
    wrong = [each for each, names in begun.items() if len(names) > 1 and each not in excused]
    return {each: len(names) for each, names in begun.items()}, wrong


async def chaos(count: int, within_s: float, kills: int, restarts: int, jumps: int) -> None:
    async with house(seed=6) as lived_in:
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
        async with asyncio.timeout(within_s + 60):
            while await pending(lived_in.url) != 0:
                await asyncio.sleep(0.25)
        times, wrong = doubled(lived_in.folder / "journal", lived_in.killed)
        assert len(lived_in.killed) == kills
        assert len(times) == count, "none is lost"
        assert not wrong, f"spoken twice: {wrong}"
        assert sum(times.values()) - count <= kills


async def test_nothing_is_lost_or_doubled_for_half_a_minute() -> None:
    await chaos(1000, within_s=20, kills=5, restarts=1, jumps=4)


@pytest.mark.soak
@pytest.mark.timeout(5400)
async def test_nothing_is_lost_or_doubled_for_an_hour() -> None:
    await chaos(5000, within_s=3600, kills=400, restarts=40, jumps=200)
