"""How fast logs reach the table, and what they cost a turn. Run: `python -m tests.bench.logs [--url URL]`.

Everything is real: the embedded server with its durable settings, structlog as the daemon configures it (its console goes
nowhere), the sink, and for turns the ledger: a turn is what it writes (a conversation, two messages, an action with its
states). Turns are stored in blocks of BLOCK, under each load by turns, so that whatever else the machine does meets all
loads alike: with a sink that has nothing to do, beside a sink that writes 20,000 lines a second, and with nothing again (how
far the two differ is the measurement's own error).
"""

import argparse
import asyncio
import statistics
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import structlog

from daemon import logs
from daemon.log_sink import Backlog, LogSink, line_of
from db.database import open_database
from db.ledger import HeardMessage, Ledger, NewAction, SaidMessage, new_id, open_ledger

from .figures import Figure, doing, percentile, scratch, show
from .ledger import server

BLOCK = 25
"""Turns stored under one load before the next load has its turn."""
UNMOVED = 1.15
"""Two halves of the same quiet turns differ by as much."""
QUIET, FLOODED, AGAIN = "nothing to log", "20,000 lines/s", "nothing to log, again"
BAR_LINES = 20_000
EVENT = {
    "event": "turn_done",
    "level": "info",
    "logger": "daemon.butler",
    "turn": "0193e1a2",
    "area": "sala",
    "ms": 412.5,
}


@asynccontextmanager
async def sinking(backlog: Backlog, url: str) -> AsyncIterator[LogSink]:
    """Run a sink."""
    sink = LogSink(backlog, url)
    task = asyncio.create_task(sink.run())
    try:
        yield sink
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def sink_rate(url: str, lines: int) -> list[Figure]:
    """Measure lines a second from the backlog into the table, and from the log call into the table."""
    doing(f"{lines:,} log lines are written, twice")
    ready = [line_of(EVENT, datetime.now(UTC))] * 1000
    backlog = Backlog(most=lines, most_characters=10**9)
    for _ in range(lines // 1000):
        for line in ready:
            backlog.put(line)
    began = time.perf_counter()
    async with sinking(backlog, url) as sink:
        while sink.written + sink.dropped < lines:
            await asyncio.sleep(0.005)
    sunk = lines / (time.perf_counter() - began)

    backlog = Backlog()
    logs.configure("console", "ERROR", backlog)
    log = structlog.get_logger("daemon.butler")
    began = time.perf_counter()
    async with sinking(backlog, url) as sink:
        for number in range(lines):
            log.info("turn_done", turn="0193e1a2", area="sala", ms=412.5)
            if number % 100 == 0:
                await asyncio.sleep(0)
            while len(backlog) > 8000:
                await asyncio.sleep(0.001)
        while sink.written + sink.dropped < lines:
            await asyncio.sleep(0.005)
    logged = lines / (time.perf_counter() - began)

    began = time.perf_counter()
    for _ in range(lines):
        log.info("turn_done", turn="0193e1a2", area="sala", ms=412.5)
    cost_us = (time.perf_counter() - began) / lines * 1e6
    return [
        Figure("log sink, backlog to committed row", f"{sunk:,.0f} lines/s", f"{BAR_LINES:,}/s", sunk >= BAR_LINES),
        Figure(f"log call to committed row, one thread, {sink.dropped} lost", f"{logged:,.0f} lines/s"),
        Figure("cost of a log call to its caller", f"{cost_us:.1f} µs"),
    ]


async def turn(ledger: Ledger) -> float:
    """Store one turn; return the milliseconds."""
    conversation, message, action, at = new_id(), new_id(), new_id(), datetime.now(UTC)
    began = time.perf_counter()
    actions = (NewAction(action, "iot_control", "turn_on", {"entity": "light.sala"}),)
    heard = HeardMessage(conversation, message, "acende a luz da sala", at, None, "HassTurnOn", 0.93, actions=actions)
    await ledger.heard(heard)
    await ledger.executing([action], at)
    await ledger.finished(action, status="success", result={"state": "on"}, at=at)
    await ledger.said(SaidMessage(conversation, new_id(), "Acendi a luz da sala.", at, 420))
    return (time.perf_counter() - began) * 1000


async def ready_lines(rate: float, backlog: Backlog) -> None:
    """Put lines that are made already into the backlog: what is measured is the sink, not whoever logs so much."""
    line = line_of(EVENT, datetime.now(UTC))
    began, done = time.perf_counter(), 0
    while True:
        due = int((time.perf_counter() - began) * rate)
        for _ in range(due - done):
            backlog.put(line)
        done = due
        await asyncio.sleep(0.005)


LOADS = {QUIET: 0, FLOODED: 20_000, AGAIN: 0}
"""Lines a second."""


async def turns_beside(url: str, turns: int) -> list[Figure]:
    """Measure `turns` turns under each load."""
    spent: dict[str, list[float]] = {name: [] for name in LOADS}
    written: dict[str, list[float]] = {name: [] for name in LOADS}
    blocks = max(turns // BLOCK, 1)
    with TemporaryDirectory() as folder:
        async with open_database(url) as db, open_ledger(db, Path(folder)) as ledger:
            for number in range(-1, blocks):
                doing(f"turns beside logs, {max(number, 0) * BLOCK:,} of {turns:,} under each load")
                for name, load in LOADS.items():
                    ms, rate = await block(url, ledger, load)
                    if number >= 0:
                        spent[name] += ms
                        written[name].append(rate)
    return told(spent, {name: statistics.fmean(rates) for name, rates in written.items()})


async def block(url: str, ledger: Ledger, load: int) -> tuple[list[float], float]:
    """Store BLOCK turns beside so many lines a second; return the milliseconds of each, and the lines written a second."""
    backlog = Backlog()
    logs.configure("console", "ERROR", backlog)
    async with sinking(backlog, url) as sink:
        task = asyncio.create_task(ready_lines(load, backlog))
        await asyncio.sleep(0.1)
        before, began = sink.written, time.perf_counter()
        ms = [await spaced(ledger) for _ in range(BLOCK)]
        rate = (sink.written - before) / (time.perf_counter() - began)
        task.cancel()
    await asyncio.sleep(0.3)  # the server writes what the load left in its log of changes, every 0.2 s
    return ms, rate


def told(spent: Mapping[str, list[float]], rates: Mapping[str, float]) -> list[Figure]:
    """Return the figures of turns: the flooded ones against those that nothing was beside, and all."""
    quiet = percentile([*spent[QUIET], *spent[AGAIN]], 99)
    ratio = percentile(spent[FLOODED], 99) / quiet
    first, second = percentile(spent[QUIET], 99), percentile(spent[AGAIN], 99)
    error = max(first, second) / min(first, second)
    figures = [
        Figure(
            f"turn stored, {name}",
            f"p50 {percentile(ms, 50):.2f} ms, p95 {percentile(ms, 95):.2f} ms, p99 {percentile(ms, 99):.2f} ms"
            f" ({rates[name]:,.0f} lines/s)",
        )
        for name, ms in spent.items()
    ]
    return [
        *figures,
        Figure(
            f"turn's p99 beside 20,000 lines/s against none, {len(spent[FLOODED]):,} turns",
            f"{ratio:.2f}x (the quiet halves differ by {error:.2f}x)",
            f"{UNMOVED:g}x",
            ratio <= UNMOVED,
        ),
    ]


async def spaced(ledger: Ledger) -> float:
    """Store a turn after a little pause, so that it meets the sink in whatever it is doing."""
    await asyncio.sleep(0.01)
    return await turn(ledger)


async def log_figures(url: str, lines: int, turns: int) -> list[Figure]:
    """Measure the sink and what it costs turns."""
    return [*await sink_rate(url, lines), *await turns_beside(url, turns)]


async def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--url", help="a scratch server; a database is made on it and dropped")
    options.add_argument("--lines", type=int, default=100_000)
    options.add_argument("--turns", type=int, default=2000)
    given = options.parse_args()
    async with server(given.url) as url, scratch(url, "logs") as own:
        show(await log_figures(own, given.lines, given.turns))


if __name__ == "__main__":
    asyncio.run(main())
