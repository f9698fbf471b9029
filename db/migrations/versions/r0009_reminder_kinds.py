"""Kinds of reminders, how each is delivered, and lists."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

UP: tuple[str, ...] = ("SELECT grant_rights()",)
DOWN: tuple[str, ...] = ()


def upgrade() -> None:
    """Run UP."""
    for statement in UP:
        op.execute(statement)


def downgrade() -> None:
    """Run DOWN."""
    for statement in DOWN:
        op.execute(statement)
