"""The database's bench in its short form: that it measures what it says; its bars are for `make bench-db`."""

from support.postgres import Databases

from bench.db import reminders_among, turns
from bench.pool import measure


async def test_what_is_due_and_the_drain(postgres: Databases, database_url: str) -> None:
    plan, *others = await reminders_among(database_url, rows=20_000, rounds=5, overdue=500)
    postgres.drop(postgres.named("few"))
    assert plan.good, plan.measured
    assert len(others) == 5


async def test_turns(postgres: Databases, database_url: str) -> None:
    figures = await turns(database_url, 3)
    postgres.drop(postgres.named("turns"))
    assert len(figures) == 2
    found = await measure(database_url, size=2, at_once=4, turns=8)
    assert 0 < found.p50_ms <= found.p99_ms
    assert found.per_s > 0
