"""${message}."""

from alembic import op

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema from ${down_revision or "nothing"} to ${up_revision}."""
    ${upgrades if upgrades else "op.execute()"}


def downgrade() -> None:
    """Take the schema from ${up_revision} back to ${down_revision or "nothing"}."""
    ${downgrades if downgrades else "op.execute()"}
