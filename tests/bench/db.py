"""The database's bars. Run: `make bench-db`, with ARGS="--rows 10000000" for ten years of a busy house.

Reminders among many rows against the same among 10,000; a mountain of overdue ones drained; a turn stored by the ledger
against the same statements through bare asyncpg; history searched; logs stored and dropped. Without a URL it starts an
embedded PostgreSQL with its usual settings (fsync on). Rows are made by the server, with triggers off; the index is the
migration's. Nothing stays: every database is dropped once it was measured, the server's folder at the end.
"""

import argparse
import asyncio
import statistics
import sys
import time
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import asyncpg

from db.database import Database, open_database
from db.reminder_leases import CLAIM_DUE, LONGEST_LEASE, claim_due, next_due, release, triggered_all

from .figures import Figure, doing, percentile, report, scratch
from .ledger import server, time_turns
from .logs import log_figures
from .retention import retention
from .search import search_figures

FEW = 10_000
DUE = 100
"""Reminders that are due among the others, and as many as one claim takes."""
CLAIM = 100
WORKER = "bench"
ZONE = ZoneInfo("America/Sao_Paulo")
INDEX = "idx_reminders_scheduled"
DRAINS = 3

# As a house that kept every reminder of years: 8 of 10 were spoken, 1 was cancelled, 1 is yet to come.
FILL = """
INSERT INTO reminders (id, title, scheduled_at, created_at, triggered_at, status)
SELECT lpad(to_hex(i), 32, '0')::uuid, 'tomar o remédio ' || i, at, at - interval '1 day',
       CASE WHEN status = 'triggered' THEN at END, status
FROM (
    SELECT i, CASE i % 10 WHEN 0 THEN 'pending' WHEN 1 THEN 'cancelled' ELSE 'triggered' END AS status,
           CASE i % 10 WHEN 0 THEN now() + interval '1 day' + (i % 157680000) * interval '1 second'
           ELSE now() - interval '1 day' - (i % 315360000) * interval '1 second' END AS at
    FROM generate_series($1::bigint, $2::bigint) AS i
) AS made
"""
# Ids as `new_id` makes them: they begin with the moment, so that one reminder's neighbours share its page of the index.
OVERDUE = """
INSERT INTO reminders (id, title, scheduled_at)
SELECT (lpad(to_hex((extract(epoch FROM now()) * 1000)::bigint + i), 12, '0') || '7' || left(md5(i::text), 3)
        || '8' || left(md5(i::text || 'r'), 15))::uuid,
       'atrasado ' || i, now() - interval '1 hour' - i * interval '1 second'
FROM generate_series(1, $1::int) AS i
"""
STEP = 500_000


async def fill(url: str, rows: int) -> None:
    """Give the database so many reminders, of which DUE are due now."""
    owner = await asyncpg.connect(url)
    try:
        await owner.execute("SET session_replication_role = replica; SET maintenance_work_mem = '512MB'")
        secondary = await owner.fetch(
            "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index"
            " WHERE indrelid = 'reminders'::regclass AND NOT indisunique"
        )
        for name, _ in secondary:
            await owner.execute(f"DROP INDEX {name}")
        for first in range(1, rows + 1, STEP):
            await owner.execute(FILL, first, min(first + STEP - 1, rows), timeout=600)
            doing(f"{min(first + STEP - 1, rows):,} of {rows:,} reminders made")
        for name, definition in secondary:
            doing(f"{name} is built over {rows:,} reminders")
            await owner.execute(definition, timeout=1800)
        doing(f"{rows:,} reminders are put in order")
        await owner.execute(OVERDUE, DUE)
        await owner.execute("VACUUM (ANALYZE) reminders", timeout=1800)
        await owner.execute("CHECKPOINT", timeout=600)
    finally:
        await owner.close()


async def plan_of_claim(db: Database) -> str:
    """Return the plan that the claim runs by, rolled back."""
    now = datetime.now(UTC)
    arguments = (now, now, now + LONGEST_LEASE, CLAIM, now + timedelta(minutes=1), WORKER, None)
    async with db.transaction() as connection:
        # As the daemon's own statement after a while: planned without knowing its arguments.
        await connection.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        lines = await connection.fetch(f"EXPLAIN {CLAIM_DUE}", *arguments)
    return "\n".join(row[0] for row in lines)


async def time_due(many: Database, few: Database, rounds: int) -> dict[str, dict[str, list[float]]]:
    """Look and claim in both databases by turns, so that what else the machine does hits both; milliseconds."""
    spent: dict[str, dict[str, list[float]]] = {what: {"few": [], "many": []} for what in ("next_due", "claim_due")}
    for number in range(rounds + 50):
        for name, db in (("few", few), ("many", many)):
            now = datetime.now(UTC)
            began = time.perf_counter()
            await next_due(db, now)
            looked = time.perf_counter()
            claimed = await claim_due(db, now, CLAIM, 60, WORKER, zone=ZONE)
            done = time.perf_counter()
            assert len(claimed) == DUE
            await release(db, [due.id for due in claimed], WORKER)
            if number >= 50:
                spent["next_due"][name].append((looked - began) * 1000)
                spent["claim_due"][name].append((done - looked) * 1000)
    return spent


async def drain(db: Database, overdue: int) -> float:
    """Claim and record so many overdue reminders, CLAIM at a time, one after the other; return how many a second."""
    await db.execute(OVERDUE, overdue, timeout=120)
    await db.execute("VACUUM (ANALYZE) reminders", timeout=600)  # what an earlier drain left, as autovacuum does
    there: int = await db.fetchval("SELECT count(*) FROM reminders WHERE status = 'pending' AND scheduled_at <= now()")
    total, began = 0, time.perf_counter()
    while claimed := await claim_due(db, datetime.now(UTC), CLAIM, 60, WORKER, zone=ZONE):
        recorded = await triggered_all(db, [due.id for due in claimed], datetime.now(UTC), WORKER)
        total += len(recorded)
    taken_s = time.perf_counter() - began
    assert total == there >= overdue, total
    return total / taken_s


async def reminders_among(url: str, rows: int, rounds: int, overdue: int) -> list[Figure]:
    """Measure what is due among `rows` against FEW, then the drain."""
    async with scratch(url, "many") as many_url, scratch(url, "few") as few_url:
        for each, count in ((few_url, FEW), (many_url, rows)):
            await fill(each, count)
        async with open_database(many_url, size=1) as many, open_database(few_url, size=1) as few:
            plan = await plan_of_claim(many)
            doing("due reminders are looked for and claimed")
            figures = [
                Figure(f"plan of the claim among {rows:,}", INDEX if INDEX in plan else plan, INDEX, INDEX in plan),
                *against(await time_due(many, few, rounds), rows),
            ]
            rates = []
            for number in range(DRAINS):
                doing(f"{overdue:,} overdue reminders are drained, {number + 1} of {DRAINS}")
                rates.append(await drain(many, overdue))
    rate = statistics.median(rates)
    measured = f"{rate:,.0f}/s ({min(rates):,.0f} to {max(rates):,.0f} of {DRAINS})"
    return [*figures, Figure(f"{overdue:,} overdue drained, {CLAIM} a claim", measured, "30,000/s", rate >= 30_000)]


def against(spent: dict[str, dict[str, list[float]]], rows: int) -> list[Figure]:
    """Return the figures of what took so long among many and among few."""
    figures = []
    for what, ms in spent.items():
        for percent in (50, 99):
            small, large = percentile(ms["few"], percent), percentile(ms["many"], percent)
            ratio = large / small
            figures.append(
                Figure(
                    f"{what}, p{percent}, among {rows:,} against {FEW:,}",
                    f"{large:.2f} ms / {small:.2f} ms = {ratio:.2f}x",
                    *(("2x", ratio <= 2) if percent == 99 else ()),
                )
            )
    return figures


async def turns(url: str, count: int) -> list[Figure]:
    """Measure a whole turn stored."""
    doing(f"{count:,} turns are stored, in three ways")
    async with scratch(url, "turns") as own_url:
        spent = await time_turns(own_url, count)
    own = spent.pop("ledger")
    figures = []
    for name, ms in spent.items():
        ratio = statistics.median(own) / statistics.median(ms)
        figures.append(
            Figure(
                f"turn by the ledger against {name}",
                f"{statistics.median(own):.2f} ms / {statistics.median(ms):.2f} ms = {ratio:.2f}x",
                "1.5x",
                ratio <= 1.5,
            )
        )
    return figures


async def measure(url: str, given: argparse.Namespace) -> list[Figure]:
    """Measure everything; a size of 0 leaves its part out."""
    figures = await turns(url, given.turns) if given.turns else []
    if given.rows:
        figures += await reminders_among(url, given.rows, given.rounds, given.overdue)
    if given.messages:
        async with scratch(url, "search") as own:
            figures += await search_figures(own, given.messages, given.questions)
    if given.lines:
        async with scratch(url, "logs") as own:
            figures += await log_figures(own, given.lines, given.flooded)
    if given.logs:
        async with scratch(url, "retention") as own:
            figures += await retention(own, given.logs, 10)
    return figures


async def main() -> int:
    """Measure, print, and return 1 where a bar was missed."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--url", help="a scratch server; databases are made on it and dropped")
    options.add_argument("--rows", type=int, default=100_000, help="reminders")
    options.add_argument("--rounds", type=int, default=300, help="how often what is due is claimed")
    options.add_argument("--overdue", type=int, default=100_000)
    options.add_argument("--turns", type=int, default=300)
    options.add_argument("--messages", type=int, default=1_000_000, help="messages to search")
    options.add_argument("--questions", type=int, default=100, help="searches of each kind")
    options.add_argument("--lines", type=int, default=100_000, help="log lines to store")
    options.add_argument("--flooded", type=int, default=1_000, help="turns stored beside a flood of logs")
    options.add_argument("--logs", type=int, default=1_000_000, help="log lines of the month that is dropped")
    options.add_argument("--json", action="store_true")
    given = options.parse_args()
    async with server(given.url) as url:
        figures = await measure(url, given)
        doing("all is dropped")
    return report(figures, as_json=given.json)


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
