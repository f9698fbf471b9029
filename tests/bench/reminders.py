"""How late a reminder is, and what ten thousand overdue ones cost the house. Run: `make bench-reminders`.

    python -m tests.bench.reminders [--reminders 1000] [--within-s 60] [--rows 10000000] [--overdue 10000] [--json]

Reminders at random milliseconds of a minute, among so many rows of the table: late is the moment at which the service
begins to speak one, less the moment it was for; speaking takes no time here. Then so many overdue ones at a start: until
the one briefing begins, what memory it takes at most, and what a typed turn takes meanwhile against the same in quiet.
Without a URL it starts an embedded PostgreSQL with its usual settings (fsync on).
"""

import argparse
import asyncio
import random
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import psutil

from daemon.acting import Acting
from daemon.answer import Answers
from daemon.butler import Butler, Place
from daemon.clock import SystemClock
from daemon.conversation import Conversations
from daemon.engines.plug import Plug
from daemon.language.language import Language
from daemon.language.replies import Replies
from daemon.reminders.due import DueReminders
from daemon.reminders.outage import Outage
from daemon.skills.clock import clock_skills
from db.database import Database, open_database
from db.ledger import open_ledger
from db.reminders import Due
from db.upgrade import upgrade

from .db import fill
from .figures import Figure, report
from .ledger import percentile, server
from .turn import HOUSE

ZONE = ZoneInfo("America/Sao_Paulo")
LEAD_S = 3.0
MOST_MEMORY_MB = 64
MOST_TURN_MS = 20
"""What a turn of our own may take at worst at any time (`make bench`)."""
MAKE = "INSERT INTO reminders (title, scheduled_at) SELECT 'remédio', unnest($1::timestamptz[])"
UNSETTLED = "SELECT EXISTS (SELECT FROM reminders WHERE status = 'pending' AND scheduled_at < now())"
OVERDUE = """
INSERT INTO reminders (title, scheduled_at)
SELECT 'atrasado ' || n, now() - interval '1 hour' - n * interval '1 second' FROM generate_series(1, $1::int) AS n
"""


class Stopwatch:
    """Hears reminders, and notes when each began."""

    def __init__(self, expected: int) -> None:
        self.late_ms: dict[UUID, float] = {}
        self.briefings: list[int] = []
        self.all = asyncio.Event()
        self._expected = expected

    async def speak(self, due: Due) -> None:
        assert due.id not in self.late_ms, "spoken twice"
        self.late_ms[due.id] = (datetime.now(UTC) - due.scheduled_at).total_seconds() * 1000
        self._count(1)

    async def brief(self, dues: Sequence[Due], outage: Outage | None = None) -> None:
        self.briefings.append(len(dues))
        self._count(len(dues))

    async def ring(self, due: Due) -> None:
        raise AssertionError("nothing rings here")

    async def tone(self) -> None:
        raise AssertionError("a delivery failed")

    def quiet_until(self, due: Due, now: datetime) -> datetime | None:
        return None

    def _count(self, some: int) -> None:
        self._expected -= some
        if self._expected <= 0:
            self.all.set()


@asynccontextmanager
async def reminding(db: Database, heard: Stopwatch) -> AsyncIterator[None]:
    """Run the service meanwhile."""
    task = asyncio.create_task(DueReminders(db, heard, SystemClock(), lambda: 60.0, zone=lambda: ZONE).run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})


async def lateness(url: str, reminders: int, within_s: float, seed: int = 1) -> list[float]:
    """Return how late each was, in milliseconds."""
    chance = random.Random(seed)
    heard = Stopwatch(reminders)
    async with open_database(url) as db:
        await db.execute("DELETE FROM reminders WHERE status = 'pending' AND scheduled_at < now()")
        soon = datetime.now(UTC) + timedelta(seconds=LEAD_S)
        offsets = [timedelta(milliseconds=chance.randrange(int(within_s * 1000))) for _ in range(reminders)]
        async with reminding(db, heard):
            await db.execute(MAKE, [soon + offset for offset in offsets])
            async with asyncio.timeout(LEAD_S + within_s + 30):
                await heard.all.wait()
                while await db.fetchval(UNSETTLED):
                    await asyncio.sleep(0.01)
    assert len(heard.late_ms) == reminders
    return list(heard.late_ms.values())


async def typed_turn_ms(butler: Butler) -> float:
    began = time.perf_counter()
    turn = await butler.ask("que horas são", Place("text", "sala", None))
    assert turn.reply
    return (time.perf_counter() - began) * 1000


def butler_on(db: Database, ledger: Any) -> Butler:
    """Return a butler with the real language, ledger and skill; a typed question needs no engine."""
    clock, replies = SystemClock(), Replies.load("pt_br")
    none: Plug[Any] = Plug("none", lambda: None)
    answers = Answers(Acting(clock_skills(replies), ledger, replies, clock))
    conversations = Conversations(ledger, clock, lambda: 60)
    return Butler(none, Language(), lambda: HOUSE, answers, replies, ledger, conversations, clock)


async def overdue_at_start(url: str, overdue: int) -> dict[str, float]:
    """Return what so many overdue ones cost: seconds to the briefing, megabytes at most, and turns' milliseconds."""
    heard = Stopwatch(overdue)
    with tempfile.TemporaryDirectory() as folder:
        async with open_database(url) as db, open_ledger(db, Path(folder)) as ledger:
            await db.execute(OVERDUE, overdue, timeout=60)
            butler = butler_on(db, ledger)
            quiet = [await typed_turn_ms(butler) for _ in range(60)][10:]
            process, began, meanwhile = psutil.Process(), time.perf_counter(), []
            before = most = process.memory_info().rss
            async with reminding(db, heard):
                while not heard.all.is_set():
                    meanwhile.append(await typed_turn_ms(butler))
                    most = max(most, process.memory_info().rss)
                briefed_s = time.perf_counter() - began
                while await db.fetchval(UNSETTLED):
                    meanwhile.append(await typed_turn_ms(butler))
                    most = max(most, process.memory_info().rss)
    assert sum(heard.briefings) + len(heard.late_ms) == overdue
    return {
        "briefings": len(heard.briefings), "spoken one by one": len(heard.late_ms), "until the briefing, s": briefed_s,
        "memory, MB": (most - before) / 2**20, "turn in quiet, p50 ms": statistics.median(quiet),
        "turn meanwhile, p50 ms": statistics.median(meanwhile), "turn meanwhile, most ms": max(meanwhile),
        "turns meanwhile": len(meanwhile),
    }  # fmt: skip


def figures_of(late_ms: list[float], rows: int, start: dict[str, float]) -> list[Figure]:
    """Return the figures with their bars."""
    middle, high = statistics.median(late_ms), percentile(late_ms, 99)
    count = f"{len(late_ms):,} reminders among {rows:,} rows"
    found = [
        Figure(f"lateness of {count}, p50", f"{middle:.1f} ms", "5 ms", middle <= 5),
        Figure(f"lateness of {count}, p99", f"{high:.1f} ms", "25 ms", high <= 25),
        Figure(f"lateness of {count}, most", f"{max(late_ms):.1f} ms", "", None),
    ]
    bars: dict[str, tuple[str, bool]] = {
        "briefings": ("1", start["briefings"] == 1),
        "memory, MB": (f"{MOST_MEMORY_MB}", start["memory, MB"] <= MOST_MEMORY_MB),
        "turn meanwhile, p50 ms": (f"{MOST_TURN_MS}", start["turn meanwhile, p50 ms"] <= MOST_TURN_MS),
    }
    for what, value in start.items():
        bar, good = bars.get(what, ("", None))
        found.append(Figure(f"overdue at the start: {what}", f"{value:,.2f}".rstrip("0").rstrip("."), bar, good))
    return found


async def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--url", help="a scratch database of its own; it is migrated and filled")
    options.add_argument("--reminders", type=int, default=1000)
    options.add_argument("--within-s", type=float, default=60.0)
    options.add_argument("--rows", type=int, default=100_000)
    options.add_argument("--overdue", type=int, default=10_000)
    options.add_argument("--json", action="store_true")
    given = options.parse_args()
    async with server(given.url) as url:
        await upgrade(url)
        await fill(url, given.rows)
        late_ms = await lateness(url, given.reminders, given.within_s)
        figures = figures_of(late_ms, given.rows, await overdue_at_start(url, given.overdue))
    return report(figures, as_json=given.json)


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
