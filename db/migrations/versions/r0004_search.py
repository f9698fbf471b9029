"""Full-text search over messages."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

UP: tuple[str, ...] = ()
DOWN: tuple[str, ...] = ()


def upgrade() -> None:
    """Run UP."""
    for statement in UP:
        op.execute(statement)


def downgrade() -> None:
    """Run DOWN."""
    for statement in DOWN:
        op.execute(statement)
