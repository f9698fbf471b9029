"""Who changed what: audit_log, and the triggers that fill it whatever program the change comes from.

`audit(key, left_out…)` serves any table: `key` names the column that tells its rows apart, the others are bookkeeping
that nobody needs to answer for. What Mordomo does by itself all the time (leases, seeding of defaults, marking a
reminder as spoken) is kept out by each trigger's columns and condition, so that it does not cost anything either.
"""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TABLE = (
    """
    CREATE TABLE audit_log (
        id BIGINT GENERATED ALWAYS AS IDENTITY,
        at TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,
        table_name TEXT NOT NULL,
        row_id TEXT NOT NULL,
        action TEXT NOT NULL CHECK (action IN ('INSERT', 'UPDATE', 'DELETE', 'TRUNCATE')),
        old JSONB,
        new JSONB,
        actor TEXT NOT NULL,
        channel TEXT NOT NULL CHECK (channel IN ('voice', 'web', 'mqtt', 'cli', 'daemon', 'sql')),
        PRIMARY KEY (id, at)
    ) PARTITION BY RANGE (at)""",
    "CREATE TABLE audit_log_default PARTITION OF audit_log DEFAULT",
    "CREATE INDEX idx_audit_at ON audit_log(at DESC)",
    "CREATE INDEX idx_audit_row ON audit_log(table_name, row_id, at DESC)",
)

# Mordomo says with SET LOCAL for whom it acts; any other client is who they are to the server.
ACTOR = """
    CREATE FUNCTION acting_actor() RETURNS text STABLE LANGUAGE sql AS $$
        SELECT CASE WHEN current_setting('application_name') = 'mordomo'
            THEN nullif(current_setting('mordomo.actor', true), '') ELSE session_user::text END
    $$"""
CHANNEL = """
    CREATE FUNCTION acting_channel() RETURNS text STABLE LANGUAGE sql AS $$
        SELECT CASE WHEN current_setting('application_name') <> 'mordomo' THEN 'sql'
            WHEN current_setting('mordomo.channel', true) IN ('voice', 'web', 'mqtt', 'cli')
            THEN current_setting('mordomo.channel', true) ELSE 'daemon' END
    $$"""

AUDIT = """
    CREATE FUNCTION audit() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    DECLARE
        was jsonb;
        becomes jsonb;
        row_key text := '*';
        signed text;
    BEGIN
        IF TG_OP IN ('UPDATE', 'DELETE') THEN
            was := to_jsonb(OLD);
        END IF;
        IF TG_OP IN ('INSERT', 'UPDATE') THEN
            becomes := to_jsonb(NEW);
        END IF;
        IF TG_LEVEL = 'ROW' THEN
            row_key := coalesce(was, becomes) ->> TG_ARGV[0];
            signed := becomes ->> 'updated_by';
            was := was - TG_ARGV[1:];
            becomes := becomes - TG_ARGV[1:];
        END IF;
        IF TG_OP = 'UPDATE' THEN
            SELECT jsonb_object_agg(key, o.value), jsonb_object_agg(key, n.value) INTO was, becomes
            FROM jsonb_each(was) AS o JOIN jsonb_each(becomes) AS n USING (key) WHERE o.value <> n.value;
            IF was IS NULL THEN
                RETURN NULL;
            END IF;
        END IF;
        INSERT INTO audit_log (table_name, row_id, action, old, new, actor, channel)
        VALUES (TG_TABLE_NAME, row_key, TG_OP, was, becomes, coalesce(acting_actor(), signed, 'mordomo'),
                acting_channel());
        RETURN NULL;
    END
    $$"""

FINAL = """
    CREATE FUNCTION audit_is_final() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'audit_log só cresce: o que está registrado não se muda nem se apaga'
            USING HINT = 'O que é antigo sai sozinho, pela preferência retention.audit_days.';
    END
    $$"""

SIGN_CONFIG = """
    CREATE OR REPLACE FUNCTION sign_config() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        NEW.updated_at := CURRENT_TIMESTAMP;
        IF NEW.updated_by IS NOT DISTINCT FROM OLD.updated_by OR current_setting('application_name') = 'mordomo' THEN
            NEW.updated_by := left(coalesce(acting_actor(), NEW.updated_by), 100);
        END IF;
        RETURN NEW;
    END
    $$"""

SIGN_CONFIG_AS_IT_WAS = """
    CREATE OR REPLACE FUNCTION sign_config() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        NEW.updated_at := CURRENT_TIMESTAMP;
        IF NEW.updated_by IS NOT DISTINCT FROM OLD.updated_by AND current_setting('application_name') <> 'mordomo' THEN
            NEW.updated_by := left(session_user, 100);
        END IF;
        RETURN NEW;
    END
    $$"""

ARGUMENTS = {
    "config": "'key', 'description', 'updated_at', 'updated_by'",
    "users": "'id', 'updated_at', 'last_interaction_at'",
    "reminders": "'id', 'lease_until', 'leased_by'",
}
COLUMNS = {
    "config": "key, value",
    "users": "id, name, email, voice_enrolled, speaker_embedding_id, created_at, is_active, metadata",
    "reminders": "id, user_id, title, description, scheduled_at, created_at, triggered_at, status, metadata",
}
BY_ITSELF = "current_setting('application_name') = 'mordomo'"
INSERTED = {"config": f"NOT ({BY_ITSELF} AND NEW.updated_by = 'mordomo')"}
UPDATED = {
    "reminders": f"NOT ({BY_ITSELF} AND NEW.status = 'triggered' AND OLD.status = 'pending'"
    " AND (NEW.id, NEW.title, NEW.scheduled_at) = (OLD.id, OLD.title, OLD.scheduled_at))"
}


def triggers(table: str) -> tuple[str, ...]:
    """Return the statements that have `audit()` watch a table."""
    create = f"CREATE TRIGGER {table}_audit"
    changed = f"{UPDATED.get(table, 'true')} AND OLD.* IS DISTINCT FROM NEW.*"
    run = f"EXECUTE FUNCTION audit({ARGUMENTS[table]})"
    return (
        f"{create}_insert AFTER INSERT ON {table} FOR EACH ROW WHEN ({INSERTED.get(table, 'true')}) {run}",
        f"{create}_update AFTER UPDATE OF {COLUMNS[table]} ON {table} FOR EACH ROW WHEN ({changed}) {run}",
        f"{create}_delete AFTER DELETE ON {table} FOR EACH ROW {run}",
        f"{create}_truncate AFTER TRUNCATE ON {table} FOR EACH STATEMENT {run}",
    )


UP: tuple[str, ...] = (
    *TABLE,
    ACTOR,
    CHANNEL,
    AUDIT,
    FINAL,
    SIGN_CONFIG,
    *(statement for table in ARGUMENTS for statement in triggers(table)),
    """
    CREATE TRIGGER audit_log_final BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log
        FOR EACH STATEMENT EXECUTE FUNCTION audit_is_final()""",
)
# What was audited is lost with the table.
DOWN: tuple[str, ...] = (
    *(
        f"DROP TRIGGER {table}_audit_{event} ON {table}"
        for table in ARGUMENTS
        for event in ("insert", "update", "delete", "truncate")
    ),
    SIGN_CONFIG_AS_IT_WAS,
    "DROP TABLE audit_log",
    "DROP FUNCTION audit(), audit_is_final(), acting_actor(), acting_channel()",
)


def upgrade() -> None:
    """Run UP."""
    for statement in UP:
        op.execute(statement)


def downgrade() -> None:
    """Run DOWN."""
    for statement in DOWN:
        op.execute(statement)
