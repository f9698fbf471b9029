"""The household's own sentences: ways of saying things that only this house knows, read live.

A row that cannot be used says why in `fault`; the daemon writes it there when it reads the row.
"""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

UP: tuple[str, ...] = (
    """
    CREATE TABLE sentences (
        id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
        pattern VARCHAR(300) NOT NULL CHECK (btrim(pattern) <> ''),
        intent VARCHAR(100) NOT NULL CHECK (btrim(intent) <> ''),
        slots JSONB NOT NULL DEFAULT '{}'::jsonb CHECK (jsonb_typeof(slots) = 'object'),
        enabled BOOLEAN NOT NULL DEFAULT TRUE,
        fault TEXT,
        created_at TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,
        updated_by VARCHAR(100) DEFAULT CURRENT_USER
    )""",
    """
    CREATE FUNCTION notify_sentences() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM pg_notify('mordomo_sentences', '');
        RETURN NULL;
    END
    $$""",
    # A fault written back is no news: else the daemon would wake itself.
    """
    CREATE TRIGGER sentences_notify AFTER INSERT OR DELETE OR TRUNCATE OR UPDATE OF pattern, intent, slots, enabled
        ON sentences FOR EACH STATEMENT EXECUTE FUNCTION notify_sentences()""",
    "SELECT grant_rights()",
)
DOWN: tuple[str, ...] = ("DROP TABLE sentences", "DROP FUNCTION notify_sentences()")


def upgrade() -> None:
    """Run UP."""
    for statement in UP:
        op.execute(statement)


def downgrade() -> None:
    """Run DOWN."""
    for statement in DOWN:
        op.execute(statement)
