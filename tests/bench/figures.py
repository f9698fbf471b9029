"""What a bench found, as a table; how far it is, for whoever waits; and databases to measure in, gone afterwards."""

import json
import statistics
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from urllib.parse import urlsplit, urlunsplit

import asyncpg
from rich.console import Console
from rich.table import Table

from db.upgrade import upgrade


@dataclass(frozen=True, slots=True)
class Figure:
    """A bar and what was measured; `good` is None where there is no bar."""

    what: str
    measured: str
    bar: str = ""
    good: bool | None = None


def show(figures: Sequence[Figure]) -> None:
    """Print a table on standard output."""
    table = Table("what", "measured", "bar", "", box=None, header_style="dim", padding=(0, 2, 0, 0))
    for each in figures:
        table.add_row(each.what, each.measured, each.bar, {True: "ok", False: "MISSED", None: ""}[each.good])
    Console(highlight=False, width=140).print(table)


def report(figures: Sequence[Figure], *, as_json: bool) -> int:
    """Print what was found, as a table or as one line of JSON; return the exit status."""
    if as_json:
        print(json.dumps([asdict(each) for each in figures], ensure_ascii=False))
    else:
        show(figures)
    return missed(figures)


def missed(figures: Sequence[Figure]) -> int:
    """Return the exit status: 1 where a bar was missed."""
    return int(any(each.good is False for each in figures))


def doing(what: str) -> None:
    """Tell on standard error what is done now: one line, which the next one takes, on a terminal; else lines."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{what}…", end="", file=sys.stderr, flush=True)
    else:
        print(f"{what}…", file=sys.stderr, flush=True)


def percentile(values: Sequence[float], percent: int) -> float:
    """Return a percentile."""
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


def in_database(url: str, name: str) -> str:
    """Return the URL of another database of the same server."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc, f"/{name}", parts.query, ""))


@asynccontextmanager
async def scratch(url: str, name: str) -> AsyncIterator[str]:
    """Make a database with the schema on the same server, yield its URL, and drop it."""
    owner = await asyncpg.connect(url)
    try:
        await owner.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        await owner.execute(f"CREATE DATABASE {name}")
        try:
            await upgrade(in_database(url, name))
            yield in_database(url, name)
        finally:
            await owner.execute(f"DROP DATABASE {name} WITH (FORCE)", timeout=120)
    finally:
        await owner.close()
