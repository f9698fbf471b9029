"""The database's roles: the owner migrates and makes backups, APP does the daemon's work, READER serves dashboards.

Their rights are given by the database's own function `grant_rights()` (`db/migrations/versions/r0006_roles.py`).
"""

from typing import Any, Protocol
from urllib.parse import quote, urlsplit, urlunsplit

import structlog

log = structlog.get_logger(__name__)

APP = "mordomo_app"
READER = "mordomo_reader"

# One right of each role tells: they are given together, and a restored copy comes without any.
LACKING = """
SELECT count(*) < 2 OR NOT bool_and(CASE rolname
    WHEN 'mordomo_app' THEN has_table_privilege(oid, 'messages', 'INSERT')
    ELSE has_column_privilege(oid, 'messages', 'latency_ms', 'SELECT') END)
FROM pg_roles WHERE rolname IN ('mordomo_app', 'mordomo_reader')
"""
CREATE = """
DO $$
BEGIN
    CREATE ROLE {role} LOGIN;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL;
END
$$
"""


class Runs(Protocol):
    """The part of a connection that this needs."""

    async def fetchval(self, sql: str, /, *args: Any) -> Any:
        """Return the first value of the first row."""
        ...

    async def execute(self, sql: str, /) -> str:
        """Run one statement."""
        ...


async def ensure_rights(connection: Runs, *, migrated: bool) -> bool:
    """Give the roles their rights where they lack, or where there may be new tables; False where they cannot be made.

    For the owner's connection, on a schema of the newest revision.
    """
    if not migrated and not await connection.fetchval(LACKING):
        return True
    given: bool = await connection.fetchval("SELECT grant_rights()")
    if not given:
        log.warning("roles_not_made", roles=(APP, READER), mend="CREATE ROLE … LOGIN, as an administrator")
    return given


async def create_roles(connection: Runs) -> None:
    """Make the roles, without any right, where they are not. For a superuser of our own server."""
    for role in (APP, READER):
        await connection.execute(CREATE.format(role=role))


def as_role(url: str, role: str) -> str:
    """Return a libpq URL with another role, and without a password."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, f"{quote(role, safe='')}@{host}", parts.path, parts.query, ""))
