"""Spoken codes: a second proof for whose voice is only likely theirs. Nobody reads them but the daemon.

Changes notify `mordomo_people`, as whatever else is known of who lives here.
"""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

UP: tuple[str, ...] = (
    """
    CREATE TABLE spoken_codes (
        user_id UUID PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
        salt BYTEA NOT NULL,
        hash BYTEA NOT NULL,
        n INTEGER NOT NULL,
        r INTEGER NOT NULL,
        p INTEGER NOT NULL,
        set_at TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,
        wrong INTEGER NOT NULL DEFAULT 0 CHECK (wrong >= 0),
        locked_until TIMESTAMPTZ
    )""",
    """
    CREATE FUNCTION tell_spoken_codes() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
    BEGIN
        PERFORM pg_notify('mordomo_people', '');
        RETURN NULL;
    END
    $$""",
    """
    CREATE TRIGGER spoken_codes_tell AFTER INSERT OR UPDATE OF hash, locked_until OR DELETE ON spoken_codes
    FOR EACH STATEMENT EXECUTE FUNCTION tell_spoken_codes()""",
)
DOWN: tuple[str, ...] = ("DROP TABLE spoken_codes", "DROP FUNCTION tell_spoken_codes()")


def upgrade() -> None:
    """Run UP."""
    for statement in UP:
        op.execute(statement)


def downgrade() -> None:
    """Run DOWN."""
    for statement in DOWN:
        op.execute(statement)
