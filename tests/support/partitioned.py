"""Partitioned tables in tests: what is written, where it lies, which parts there are."""

from datetime import UTC, datetime

from db.database import Database

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
WRITE = "INSERT INTO system_logs (timestamp, level, source, message) VALUES ($1, 'INFO', 'teste', $2)"
WHERE_IT_IS = "SELECT tableoid::regclass::text FROM system_logs WHERE message = $1"
PARTS = "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = $1::regclass ORDER BY 1"


async def parts(db: Database, table: str = "system_logs") -> list[str]:
    """Return the names of a table's partitions."""
    rows = await db.fetch(PARTS.replace("$1", f"'{table}'"))
    return [row[0] for row in rows]


async def left_behind(db: Database) -> list[str]:
    """Return the tables of log lines that there are, attached or not."""
    rows = await db.fetch("SELECT relname FROM pg_class WHERE relkind = 'r' AND relname ~ '_logs_(gone|y)' ORDER BY 1")
    return [row[0] for row in rows]
