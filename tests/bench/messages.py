"""Do monthly partitions of messages pay for a household? One table against 121 partitions of ten years.

    python -m tests.bench.messages [--rows 1000000]

Both hold the same messages, evenly over ten years, on the embedded server with its durable settings, with the indexes of
the schema. The partitioned one needs `timestamp` in its primary key. `docs/decisions/messages-partitions.md` has what came
of it.
"""

import argparse
import asyncio
import statistics
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import asyncpg

from db.embedded import EmbeddedPostgres

MESSAGES = """
CREATE TABLE {name} (
    id UUID NOT NULL, conversation_id UUID NOT NULL, role VARCHAR(20) NOT NULL, content TEXT NOT NULL,
    timestamp TIMESTAMPTZ NOT NULL, latency_ms INTEGER, intent VARCHAR(100), confidence FLOAT,
    metadata JSONB NOT NULL DEFAULT '{{}}'::jsonb) {partitioned};
"""
INDEXES = """
ALTER TABLE {name} ADD PRIMARY KEY ({key});
CREATE INDEX ON {name}(conversation_id, timestamp); CREATE INDEX ON {name}(role);
CREATE INDEX ON {name}(intent); CREATE INDEX ON {name}(timestamp DESC);
"""
# Ids as the ledger makes them (UUID version 7: they begin with the millisecond), the same in both tables.
IDS = """
CREATE FUNCTION moment(n bigint) RETURNS timestamptz IMMUTABLE LANGUAGE sql AS $$
    SELECT to_timestamp((1480550400000 + n * {step_ms}) / 1000.0) $$;
CREATE FUNCTION id7(n bigint, salt text) RETURNS uuid IMMUTABLE LANGUAGE sql AS $$
    SELECT (lpad(to_hex(1480550400000 + n * {step_ms}), 12, '0') || '7' || substr(md5(salt || n), 1, 19))::uuid $$;
"""
# Conversations of ten messages, evenly over ten years.
FILL = """
INSERT INTO {name} (id, conversation_id, role, content, timestamp, latency_ms, intent, confidence)
SELECT id7(n, 'm'), id7(n / 10 * 10, 'c'), CASE n % 2 WHEN 0 THEN 'user' ELSE 'assistant' END,
    'acende a luz da sala, por favor, e lembra do remédio ' || n, moment(n), n % 900, 'HassTurn' || n % 40, 0.9
FROM generate_series(0::bigint, {rows} - 1) AS n
"""
TEN_YEARS_MS = 3652 * 86_400_000
QUERIES = {
    "history of a conversation": "SELECT * FROM {name} WHERE conversation_id = id7($1 * 10, 'c')"
    " ORDER BY timestamp DESC LIMIT 20",
    "history, its month known": "SELECT * FROM {name} WHERE conversation_id = id7($1 * 10, 'c')"
    " AND timestamp BETWEEN moment($1 * 10) - interval '1 h' AND moment($1 * 10) + interval '7 days'"
    " ORDER BY timestamp DESC LIMIT 20",
    "newest 50 messages": "SELECT * FROM {name} WHERE $1::bigint >= 0 ORDER BY timestamp DESC LIMIT 50",
    "one message by id": "SELECT * FROM {name} WHERE id = id7($1, 'm')",
    "insert": "INSERT INTO {name} (id, conversation_id, role, content, timestamp)"
    " VALUES (id7({rows} + $1, 'new'), id7({rows}, 'c'), 'user', 'acende a luz', '2026-11-30Z')",
}


async def messages(url: str, rows: int) -> None:
    """Compare one table of messages with monthly partitions of it."""
    db = await asyncpg.connect(url, command_timeout=1800)
    await db.execute(IDS.format(step_ms=TEN_YEARS_MS // rows))
    await db.execute("SET maintenance_work_mem = '512MB'")
    variants = {"one_table": ("id", ""), "by_month": ("id, timestamp", "PARTITION BY RANGE (timestamp)")}
    for name, (key, partitioned) in variants.items():
        await db.execute(MESSAGES.format(name=name, partitioned=partitioned))
        if partitioned:
            await db.execute(f"CREATE TABLE {name}_default PARTITION OF {name} DEFAULT")
            for month in range(121):
                await db.execute(
                    f"CREATE TABLE {name}_{month} PARTITION OF {name} FOR VALUES FROM"
                    f" ('{2016 + (11 + month) // 12}-{(11 + month) % 12 + 1:02}-01Z')"
                    f" TO ('{2016 + (12 + month) // 12}-{(12 + month) % 12 + 1:02}-01Z')"
                )
        began = time.perf_counter()
        first = FILL.format(name=name, rows=rows)
        await db.execute(f"INSERT INTO {name} SELECT * FROM one_table" if partitioned else first)
        await db.execute(INDEXES.format(name=name, key=key))
        await db.execute(f"ANALYZE {name}")
        print(f"messages, {name:10} filled {rows:,} rows in {time.perf_counter() - began:.0f} s")
    await db.execute("CHECKPOINT")
    for question, sql in QUERIES.items():
        statements = {name: await db.prepare(sql.format(name=name, rows=rows)) for name in variants}
        ms: dict[str, list[float]] = {name: [] for name in variants}
        for number in range(320):
            for name, statement in statements.items():
                start = time.perf_counter()
                await statement.fetch(number * 7919 % (rows // 10))
                ms[name].append((time.perf_counter() - start) * 1000)
        figures = [
            f"{name} p50 {percentile(each[20:], 50):7.2f} p99 {percentile(each[20:], 99):7.2f} ms"
            for name, each in ms.items()
        ]
        print(f"messages, {question:26} {'   '.join(figures)}")
    start = time.perf_counter()
    gone = await db.execute("DELETE FROM one_table WHERE timestamp < '2017-01-01Z'")
    print(f"messages, a month forgotten: one_table {gone} in {(time.perf_counter() - start) * 1000:.0f} ms", end="   ")
    start = time.perf_counter()
    await db.execute("DROP TABLE by_month_0")
    print(f"by_month dropped in {(time.perf_counter() - start) * 1000:.0f} ms")
    await db.execute("DROP TABLE one_table")
    await db.execute("DROP TABLE by_month_default")
    for month in range(1, 121):
        await db.execute(f"DROP TABLE by_month_{month}")
    await db.close()


async def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rows", type=int, default=1_000_000)
    given = options.parse_args()
    with TemporaryDirectory(prefix="mordomo-", dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o711)
        postgres = EmbeddedPostgres(folder / "data")
        url = await postgres.start()
        try:
            await messages(url, given.rows)
        finally:
            await postgres.stop(only_if_unused=False)


def percentile(values: list[float], percent: int) -> float:
    """Return a percentile."""
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


if __name__ == "__main__":
    asyncio.run(main())
