"""The database's bench in its short form: that it measures what it says; its bars are for `make bench-db`."""

from argparse import Namespace

from bench.db import measure as measure_all
from bench.db import reminders_among, turns
from bench.pool import measure

NOTHING = dict.fromkeys(("turns", "rows", "rounds", "overdue", "messages", "questions", "lines", "flooded", "logs"), 0)


async def test_what_is_due_and_the_drain(empty_database_url: str) -> None:
    plan, *others = await reminders_among(empty_database_url, rows=20_000, rounds=5, overdue=500)
    assert plan.good, plan.measured
    assert len(others) == 5


async def test_turns(empty_database_url: str, database_url: str) -> None:
    assert len(await turns(empty_database_url, 3)) == 2
    found = await measure(database_url, size=2, at_once=4, turns=8)
    assert 0 < found.p50_ms <= found.p99_ms
    assert found.per_s > 0


async def test_search(empty_database_url: str) -> None:
    size, *kinds = await measure_all(empty_database_url, Namespace(**{**NOTHING, "messages": 2000, "questions": 3}))
    assert size.what == "2,000 messages"
    assert "in quotes (" in kinds[3].what
    assert all(kind.bar for kind in kinds)
