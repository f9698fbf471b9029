"""Roles: `mordomo_app`, which the daemon works with, and `mordomo_reader`, for dashboards (docs/decisions/roles.md).

`grant_rights()` makes them where it may and gives them what they need. Every upgrade ends with it, so that tables of
later revisions are covered; it returns false where the roles are not there and the migrating role may not make them.
"""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# A way to call the house by, not what was said in it: no content, no titles, no parameters, no e-mail, no old values.
READABLE = {
    "users": "id, name, voice_enrolled, created_at, updated_at, last_interaction_at, is_active",
    "conversations": "id, user_id, started_at, ended_at, duration_seconds, message_count, satisfaction_score",
    "messages": "id, conversation_id, role, timestamp, latency_ms, intent, confidence, audio_duration_ms,"
    " transcription_model, metadata",
    "actions": "id, message_id, conversation_id, action_type, action_name, status, executed_at, error_message,"
    " created_at",
    "reminders": "id, user_id, scheduled_at, created_at, triggered_at, status",
    "system_logs": "id, timestamp, level, source, message",
    "audit_log": "id, at, table_name, action, actor, channel",
    "config": "key, value, description, updated_at, updated_by",
    "alembic_version": "version_num",
}
DEFAULT_PARTITIONS = "system_logs_default, audit_log_default"
FUNCTIONS = "create_partitions(text, timestamptz, timestamptz), drop_partitions(text, timestamptz, integer)"
READER = "\n".join(
    f"        GRANT SELECT ({columns}) ON {table} TO mordomo_reader;" for table, columns in READABLE.items()
)


def grant_rights(default_partitions: str, functions: str = FUNCTIONS) -> str:
    """Return the function that gives the roles their rights, the daemon's that of calling `functions`.

    Only what the migrating role owns is given: an extension's tables and another program's are none of ours. Partitions
    are reached through their tables; the default ones are also emptied of what is old.
    """
    return f"""
    CREATE OR REPLACE FUNCTION grant_rights() RETURNS boolean LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
    DECLARE
        role text;
        thing record;
        allowed text;
    BEGIN
        FOREACH role IN ARRAY ARRAY['mordomo_app', 'mordomo_reader'] LOOP
            CONTINUE WHEN EXISTS (SELECT FROM pg_roles WHERE rolname = role);
            BEGIN
                -- No password, so that nobody can come with one until the operator sets it.
                EXECUTE format('CREATE ROLE %I LOGIN', role);
            EXCEPTION
                WHEN duplicate_object OR unique_violation THEN
                    NULL; -- another database of this server was quicker
                WHEN insufficient_privilege THEN
                    RETURN false;
            END;
        END LOOP;
        REVOKE ALL ON SCHEMA public FROM PUBLIC;
        GRANT USAGE ON SCHEMA public TO mordomo_app, mordomo_reader;
        FOR thing IN
            SELECT oid::regclass AS name, relname, relkind FROM pg_class
            WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'S') AND NOT relispartition
                AND pg_has_role(relowner, 'USAGE')
        LOOP
            allowed := CASE
                WHEN thing.relkind = 'S' THEN 'USAGE'
                WHEN thing.relkind = 'v' OR thing.relname IN ('alembic_version', 'audit_log') THEN 'SELECT'
                WHEN thing.relname = 'system_logs' THEN 'SELECT, INSERT'
                ELSE 'SELECT, INSERT, UPDATE, DELETE' END;
            EXECUTE format('GRANT %s ON %s TO mordomo_app', allowed, thing.name);
            IF thing.relkind = 'v' AND starts_with(thing.relname, 'report_') THEN
                EXECUTE format('GRANT SELECT ON %s TO mordomo_reader', thing.name);
            END IF;
        END LOOP;
        GRANT SELECT, DELETE ON {default_partitions} TO mordomo_app;
        GRANT EXECUTE ON FUNCTION {functions} TO mordomo_app;
{READER}
        RETURN true;
    END
    $$"""  # noqa: S608 - constants of this file


# Roles are the whole server's: another database of it may use them, and their passwords are the operator's work.
TAKE_RIGHTS = """
    DO $$
    DECLARE
        role text;
        thing record;
    BEGIN
        FOR role IN SELECT rolname FROM pg_roles WHERE rolname IN ('mordomo_app', 'mordomo_reader') LOOP
            FOR thing IN
                SELECT oid::regclass AS name, relkind FROM pg_class
                WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'S')
                    AND pg_has_role(relowner, 'USAGE')
            LOOP
                EXECUTE format(
                    'REVOKE ALL ON %s %s FROM %I',
                    CASE thing.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, thing.name, role
                );
            END LOOP;
            EXECUTE format(
                'REVOKE ALL ON FUNCTION create_partitions(text, timestamptz, timestamptz),'
                ' drop_partitions(text, timestamptz, integer) FROM %I', role
            );
            EXECUTE format('REVOKE ALL ON SCHEMA public FROM %I', role);
        END LOOP;
        GRANT USAGE ON SCHEMA public TO PUBLIC;
    END
    $$"""

UP = (
    grant_rights(DEFAULT_PARTITIONS),
    "REVOKE EXECUTE ON FUNCTION grant_rights() FROM PUBLIC",
    "SELECT grant_rights()",
)
DOWN = ("DROP FUNCTION grant_rights()", TAKE_RIGHTS)


def upgrade() -> None:
    """Run UP."""
    for statement in UP:
        op.execute(statement)


def downgrade() -> None:
    """Run DOWN."""
    for statement in DOWN:
        op.execute(statement)
