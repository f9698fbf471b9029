"""Old partitions leave in two steps: detached, all in one short transaction; then dropped, one in a transaction.

The first is all that readers and writers ever wait for, and takes as long whatever the partitions held. The second is
the file system's work, which grows with what they held: nobody can reach these tables any more, so nobody waits for it.
"""

from alembic import op

from db.migrations.versions import r0002_partitions as before
from db.migrations.versions.r0002_partitions import SETTINGS
from db.migrations.versions.r0006_roles import FUNCTIONS, grant_rights
from db.migrations.versions.r0008_devices import WITH_STATES

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

DEFAULT_PARTITIONS = ", ".join(f"{table}_default" for table in WITH_STATES)
KNOWN = ", ".join(f"'{table}'" for table in WITH_STATES)
NO_PARTITIONS = f"""
        IF parent NOT IN ({KNOWN}) THEN
            RAISE EXCEPTION '% has no partitions', parent;
        END IF;"""
OLD = """
            SELECT relname, oid FROM (
                SELECT relname, c.oid,
                    substring(pg_get_expr(relpartbound, c.oid) FROM $re$TO \\('([^']+)'\\)$re$)::timestamptz AS past
                FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid WHERE inhparent = parent::regclass
                ORDER BY past LIMIT most
            ) AS oldest WHERE past <= before"""

# Another daemon may detach them while this one waits for the table, so they are looked for again once it is held. What
# leaves gets a name that no partition ever has: by it alone `drop_detached` knows what is its to drop. Nobody waits for
# the disk while the table is held: a server that crashes right now has them attached again, and retention comes again;
# once the first of them was dropped, the disk has it all.
DROP_PARTITIONS = f"""
    CREATE OR REPLACE FUNCTION drop_partitions(parent text, before timestamptz, most integer DEFAULT 31) RETURNS integer
    LANGUAGE plpgsql {SETTINGS} AS $$
    DECLARE
        old record;
        gone integer := 0;
    BEGIN{NO_PARTITIONS}
        IF EXISTS ({OLD}
        ) THEN
            PERFORM set_config('synchronous_commit', 'off', true);
            EXECUTE format('LOCK TABLE ONLY %I IN ACCESS EXCLUSIVE MODE', parent);
        END IF;
        FOR old IN{OLD}
        LOOP
            EXECUTE format('ALTER TABLE %I DETACH PARTITION %I', parent, old.relname);
            EXECUTE format('ALTER TABLE %I RENAME TO %I', old.relname, parent || '_gone_' || old.oid);
            gone := gone + 1;
        END LOOP;
        RETURN gone;
    END
    $$"""

DROP_DETACHED = f"""
    CREATE FUNCTION drop_detached(parent text) RETURNS boolean LANGUAGE plpgsql {SETTINGS} AS $$
    DECLARE
        gone text;
    BEGIN{NO_PARTITIONS}
        SELECT relname INTO gone FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND NOT relispartition
            AND relname ~ ('^' || parent || '_gone_[0-9]+$')
        ORDER BY oid LIMIT 1;
        IF gone IS NULL THEN
            RETURN false;
        END IF;
        EXECUTE format('DROP TABLE IF EXISTS %I', gone);
        RETURN true;
    END
    $$"""  # noqa: S608 - constants of this file

CLEANUP_OLD_LOGS = before.CLEANUP_OLD_LOGS.replace(
    "        DELETE FROM",
    """        WHILE drop_detached('system_logs') LOOP
        END LOOP;
        DELETE FROM""",
)

UP: tuple[str, ...] = (
    DROP_PARTITIONS,
    DROP_DETACHED,
    "REVOKE EXECUTE ON FUNCTION drop_detached(text) FROM PUBLIC",
    CLEANUP_OLD_LOGS,
    grant_rights(DEFAULT_PARTITIONS, f"{FUNCTIONS}, drop_detached(text)"),
    "SELECT grant_rights()",
)
DOWN: tuple[str, ...] = (
    grant_rights(DEFAULT_PARTITIONS),
    before.CLEANUP_OLD_LOGS,
    before.drop_partitions(WITH_STATES),
    # Nothing would know them any more.
    f"""
    DO $$
    DECLARE
        parent text;
    BEGIN
        FOREACH parent IN ARRAY ARRAY[{KNOWN}] LOOP
            WHILE drop_detached(parent) LOOP
            END LOOP;
        END LOOP;
    END
    $$""",
    "DROP FUNCTION drop_detached(text)",
)


def upgrade() -> None:
    """Run UP."""
    for statement in UP:
        op.execute(statement)


def downgrade() -> None:
    """Run DOWN."""
    for statement in DOWN:
        op.execute(statement)
