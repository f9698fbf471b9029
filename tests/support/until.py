"""Waiting for a server to come to a state, without guessing how long it takes."""

from db.database import OwnConnection, Queries

UNTIL = """DO $$ BEGIN
    WHILE NOT ({condition}) LOOP
        PERFORM pg_sleep(0.005);
        PERFORM pg_stat_clear_snapshot();
    END LOOP;
END $$"""


async def until(server: Queries | OwnConnection, condition: str) -> None:
    """Return once the SQL `condition` holds; the server asks itself. Fails when the statement's time is over."""
    await server.execute(UNTIL.format(condition=condition))
