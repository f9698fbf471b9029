"""How many connections pay: turns stored a second, and how long one takes, by the pool's size and by how many at once.

Run: `python -m tests.bench.pool`. The figures are in docs/decisions/pool-size.md.
"""

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from db.database import open_database
from db.ledger import open_ledger
from db.roles import APP, as_role
from db.upgrade import upgrade

from .ledger import percentile, server, through_ledger

SIZES = (1, 2, 3, 5, 8, 10)
AT_ONCE = (1, 4, 16)


@dataclass(frozen=True, slots=True)
class Measured:
    """A pool of `size` under `at_once` turns."""

    size: int
    at_once: int
    per_s: float
    p50_ms: float
    p99_ms: float


async def measure(url: str, size: int, at_once: int, turns: int) -> Measured:
    """Store `turns` turns, `at_once` of them at any moment."""
    left = iter(range(turns))
    spent: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        async with open_database(url, size=size) as db, open_ledger(db, Path(folder)) as ledger:

            async def talk() -> None:
                for _ in left:
                    began = time.perf_counter()
                    await through_ledger(ledger, datetime.now(UTC))
                    spent.append((time.perf_counter() - began) * 1000)

            await asyncio.gather(*(through_ledger(ledger, datetime.now(UTC)) for _ in range(size)))
            began = time.perf_counter()
            await asyncio.gather(*(talk() for _ in range(at_once)))
            taken_s = time.perf_counter() - began
            assert ledger.waiting == 0
    return Measured(size, at_once, turns / taken_s, statistics.median(spent), percentile(spent, 99))


async def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--url", help="a scratch database on a scratch server; it is migrated and filled")
    options.add_argument("--turns", type=int, default=200)
    options.add_argument("--rounds", type=int, default=3, help="the best of so many counts")
    options.add_argument("--json", action="store_true")
    given = options.parse_args()
    best: dict[tuple[int, int], Measured] = {}
    async with server(given.url) as owner:
        await upgrade(owner)
        url = as_role(owner, APP)
        for _ in range(given.rounds):
            # Every size in each round: what else the machine does then hits them alike.
            for at_once in AT_ONCE:
                for size in SIZES:
                    found = await measure(url, size, at_once, given.turns)
                    known = best.setdefault((size, at_once), found)
                    best[size, at_once] = max(known, found, key=lambda each: each.per_s)
    if given.json:
        print(json.dumps([asdict(each) for each in best.values()]))
        return
    table = Table("connections", *(f"{at_once} at once" for at_once in AT_ONCE), box=None, padding=(0, 2, 0, 0))
    for size in SIZES:
        cells = [best[size, at_once] for at_once in AT_ONCE]
        table.add_row(
            str(size), *(f"{one.per_s:.0f}/s, p50 {one.p50_ms:.1f} ms, p99 {one.p99_ms:.1f} ms" for one in cells)
        )
    Console(highlight=False, width=140).print(table)


if __name__ == "__main__":
    asyncio.run(main())
