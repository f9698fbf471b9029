"""Privacy: what each person allowed to be kept (consents), and receipts of what was erased (erasures).

`erase_traces` takes a person out of what nobody else may change: the audit's old and new values, and lines of the log.
It works for an erasure that is under way, and for nothing else; `audit_is_final` lets it pass by the same rule.
"""

from alembic import op

from db.migrations.versions.r0006_roles import FUNCTIONS, grant_rights
from db.migrations.versions.r0010_retirement import DEFAULT_PARTITIONS

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

SETTINGS = "SECURITY DEFINER SET search_path = public, pg_temp"

TABLES = (
    """
    CREATE TABLE consents (
        id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        user_id UUID NOT NULL REFERENCES users(id) ON DELETE CASCADE,
        kind VARCHAR(20) NOT NULL CHECK (kind IN ('voiceprint', 'audio', 'memory')),
        given BOOLEAN NOT NULL,
        at TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,
        how VARCHAR(10) NOT NULL CHECK (how IN ('voice', 'cli', 'web')),
        message_id UUID
    )""",
    "CREATE INDEX idx_consents_newest ON consents(user_id, kind, id DESC)",
    """
    CREATE TABLE erasures (
        id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
        asked_at TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,
        asked_by VARCHAR(10) NOT NULL CHECK (asked_by IN ('self', 'other')),
        how VARCHAR(10) NOT NULL CHECK (how IN ('voice', 'cli', 'web')),
        scope VARCHAR(20) NOT NULL CHECK (scope IN ('person', 'since', 'voiceprint', 'audio', 'memory')),
        since TIMESTAMPTZ,
        holds_from TIMESTAMPTZ,
        counts JSONB NOT NULL DEFAULT '{}'::jsonb,
        digests JSONB NOT NULL DEFAULT '{}'::jsonb,
        pending JSONB,
        finished_at TIMESTAMPTZ,
        verified_at TIMESTAMPTZ,
        left_over JSONB,
        backups JSONB NOT NULL DEFAULT '{}'::jsonb
    )""",
    "CREATE INDEX idx_erasures_asked ON erasures(asked_at DESC)",
)

# A row of consents goes only with its person, by the cascade: their row is gone by then.
ONLY_ADDED = """
    CREATE FUNCTION consents_only_added() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'DELETE' AND NOT EXISTS (SELECT FROM users WHERE id = OLD.user_id) THEN
            RETURN OLD;
        END IF;
        RAISE EXCEPTION 'consents só cresce: o que a pessoa disse fica, e vale o que ela disse por último'
            USING HINT = 'Para mudar: mordomo people consent NOME TIPO yes|no';
    END
    $$"""
RECEIPT = """
    CREATE FUNCTION erasures_final() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'UPDATE' AND (OLD.finished_at IS NULL OR
            (OLD.id, OLD.asked_at, OLD.asked_by, OLD.how, OLD.scope, OLD.since, OLD.holds_from, OLD.counts,
             OLD.digests, OLD.pending, OLD.finished_at) IS NOT DISTINCT FROM
            (NEW.id, NEW.asked_at, NEW.asked_by, NEW.how, NEW.scope, NEW.since, NEW.holds_from, NEW.counts,
             NEW.digests, NEW.pending, NEW.finished_at)) THEN
            RETURN NEW;
        END IF;
        RAISE EXCEPTION 'um recibo em erasures não se muda nem se apaga';
    END
    $$"""
UNDER_WAY = (
    "EXISTS (SELECT FROM erasures WHERE id::text = current_setting('mordomo.erasing', true) AND pending IS NOT NULL)"
)
FINAL = """
    CREATE OR REPLACE FUNCTION audit_is_final() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN{passing}
        RAISE EXCEPTION 'audit_log só cresce: o que está registrado não se muda nem se apaga'
            USING HINT = 'O que é antigo sai sozinho, pela preferência retention.audit_days.';
    END
    $$"""
PASSING = f"""
        IF TG_OP = 'UPDATE' AND {UNDER_WAY} THEN
            RETURN NULL;
        END IF;"""

UUIDS = "'[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}'"
# The audit's line stays, so that it still tells that something was changed and when; what it held goes.
ERASE_TRACES = f"""
    CREATE FUNCTION erase_traces(erasure uuid, ids text[], names text[], since timestamptz) RETURNS jsonb
    LANGUAGE plpgsql {SETTINGS} AS $$
    DECLARE
        audited integer;
        logged integer;
        named text := (
            SELECT '(?<!\\w)(' || string_agg(regexp_replace(name, '([^\\w\\s])', '\\\\\\1', 'g'), '|') || ')(?!\\w)'
            FROM unnest(names) AS name WHERE btrim(name) <> '');
    BEGIN
        PERFORM set_config('mordomo.erasing', erasure::text, true);
        IF NOT {UNDER_WAY} THEN
            RAISE EXCEPTION 'a exclusão % não está em andamento', erasure;
        END IF;
        UPDATE audit_log SET old = NULL, new = NULL,
            row_id = CASE WHEN row_id = ANY (ids) THEN 'erasure ' || erasure ELSE row_id END,
            actor = CASE WHEN lower(actor) IN (SELECT lower(name) FROM unnest(names) AS name)
                THEN 'alguém que foi apagado' ELSE actor END
        WHERE (since IS NULL OR at >= since OR row_id = ANY (ids)) AND (
            row_id = ANY (ids)
            OR lower(actor) IN (SELECT lower(name) FROM unnest(names) AS name)
            OR EXISTS (
                SELECT FROM jsonb_each_text(coalesce(old, '{{}}') || coalesce(new, '{{}}')) AS held
                WHERE held.value = ANY (ids) OR lower(held.value) IN (SELECT lower(name) FROM unnest(names) AS name))
            OR EXISTS (
                SELECT FROM jsonb_each_text(coalesce(old, '{{}}')) AS held
                WHERE held.value = ANY (ids) OR lower(held.value) IN (SELECT lower(name) FROM unnest(names) AS name)));
        GET DIAGNOSTICS audited = ROW_COUNT;
        DELETE FROM system_logs
        WHERE (since IS NULL OR timestamp >= since) AND (
            message || ' ' || metadata::text ~* named
            OR EXISTS (
                SELECT FROM regexp_matches(message || ' ' || metadata::text, {UUIDS}, 'g') AS part
                WHERE part[1] = ANY (ids)));
        GET DIAGNOSTICS logged = ROW_COUNT;
        PERFORM set_config('mordomo.erasing', '', true);
        RETURN jsonb_build_object('audit_log', audited, 'system_logs', logged);
    END
    $$"""  # noqa: S608 - constants of this file

# What somebody only said in passing is remembered where the household wants that, and they allowed it.
HOUSEHOLD_WANTS = "COALESCE((SELECT value <> 'false'::jsonb FROM config WHERE key = 'memory.messages'), TRUE)"
PERSON_ALLOWS = """(person IS NULL OR COALESCE((
        SELECT given FROM consents WHERE user_id = person AND kind = 'memory' ORDER BY id DESC LIMIT 1), FALSE))"""
MAY_REMEMBER = """
    CREATE OR REPLACE FUNCTION may_remember(person uuid) RETURNS boolean LANGUAGE sql STABLE
    RETURN {condition}"""

NEW_FUNCTION = "erase_traces(uuid, text[], text[], timestamptz)"
ALLOWED = f"{FUNCTIONS}, drop_detached(text)"

UP: tuple[str, ...] = (
    *TABLES,
    ONLY_ADDED,
    RECEIPT,
    """
    CREATE TRIGGER consents_only_added BEFORE UPDATE OR DELETE ON consents
        FOR EACH ROW EXECUTE FUNCTION consents_only_added()""",
    """
    CREATE TRIGGER consents_not_emptied BEFORE TRUNCATE ON consents
        FOR EACH STATEMENT EXECUTE FUNCTION consents_only_added()""",
    """
    CREATE TRIGGER erasures_final BEFORE UPDATE OR DELETE ON erasures
        FOR EACH ROW EXECUTE FUNCTION erasures_final()""",
    """
    CREATE TRIGGER erasures_not_emptied BEFORE TRUNCATE ON erasures
        FOR EACH STATEMENT EXECUTE FUNCTION erasures_final()""",
    FINAL.format(passing=PASSING),
    ERASE_TRACES,
    MAY_REMEMBER.format(condition=f"{HOUSEHOLD_WANTS} AND {PERSON_ALLOWS}"),
    f"REVOKE EXECUTE ON FUNCTION {NEW_FUNCTION} FROM PUBLIC",
    grant_rights(DEFAULT_PARTITIONS, f"{ALLOWED}, {NEW_FUNCTION}"),
    "SELECT grant_rights()",
)
DOWN: tuple[str, ...] = (
    grant_rights(DEFAULT_PARTITIONS, ALLOWED),
    f"DROP FUNCTION {NEW_FUNCTION}",
    FINAL.format(passing=""),
    MAY_REMEMBER.format(condition=HOUSEHOLD_WANTS),
    "DROP TABLE erasures, consents",
    "DROP FUNCTION consents_only_added(), erasures_final()",
)


def upgrade() -> None:
    """Run UP."""
    for statement in UP:
        op.execute(statement)


def downgrade() -> None:
    """Run DOWN."""
    for statement in DOWN:
        op.execute(statement)
