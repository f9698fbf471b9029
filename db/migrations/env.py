"""What alembic runs for every command: on the connection that `db/upgrade.py` opened, or offline, as text.

A migration that waits for a lock gives up soon, since everybody else's statements queue behind it: the connection comes
with `lock_timeout` set, and the text begins with it.
"""

from typing import Any

from alembic import context
from sqlalchemy import Connection

from models.schema import Table


def compared(name: str | None, kind: str, parents: Any) -> bool:  # noqa: ARG001 - alembic's signature
    """Leave out what no model tells: partitions, which come and go with the days, and pgvector's own table."""
    varying = ("system_logs_", "audit_log_", "entity_states_", "vectors_indexed")
    return not (kind == "table" and name is not None and name.startswith(varying))


def migrate() -> None:
    """Run the migrations, each in a transaction of its own."""
    connection: Connection | None = context.config.attributes.get("connection")
    context.configure(
        connection=connection,
        dialect_name=None if connection else "postgresql",
        dialect_opts={"paramstyle": "named"},  # so that text keeps its percent signs as they are
        target_metadata=Table.metadata,
        include_name=compared,
        compare_type=True,
        compare_server_default=True,
        transaction_per_migration=True,
    )
    if connection is None:
        context.execute(context.config.attributes["lock_timeout"])
    with context.begin_transaction():
        context.run_migrations()


migrate()
