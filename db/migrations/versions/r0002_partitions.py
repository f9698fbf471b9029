"""Partitions that come and go with the days: system_logs by day, audit_log (a later revision) by month.

Days and months are UTC's, so that a house that moves to another zone has no day twice and none missing. A partition is
made beside its table and then attached, because that lets reading go on; while it happens writers wait, since a row on
its way to the default partition would otherwise find that it belongs there no more, and fail.
"""

from collections.abc import Iterable, Mapping

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TABLES = {"system_logs": ("day", "timestamp"), "audit_log": ("month", "at")}
# lock_timeout is below the server's deadlock_timeout (1 s): it is always this side that gives way, and tries again.
SETTINGS = "SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' SET lock_timeout = '500ms'"


def create_partitions(tables: Mapping[str, tuple[str, str]]) -> str:
    """Return the function that makes partitions; `tables` tells each one's unit (day, month) and moment's column."""
    units, moments = (
        " ".join(f"WHEN '{table}' THEN '{both[index]}'" for table, both in tables.items()) for index in (0, 1)
    )
    return f"""
    CREATE OR REPLACE FUNCTION create_partitions(parent text, since timestamptz, until timestamptz) RETURNS integer
    LANGUAGE plpgsql {SETTINGS} AS $$
    DECLARE
        unit text := CASE parent {units} END;
        moment text := CASE parent {moments} END;
        pattern text := CASE unit WHEN 'day' THEN '"_y"YYYY"m"MM"d"DD' ELSE '"_y"YYYY"m"MM' END;
        first timestamptz;
        past timestamptz;
        part text;
        made integer := 0;
        is_locked boolean := false;
    BEGIN
        IF unit IS NULL THEN
            RAISE EXCEPTION '% has no partitions', parent;
        END IF;
        FOR first IN SELECT generate_series(date_trunc(unit, since), until, ('1 ' || unit)::interval) LOOP
            part := parent || to_char(first, pattern);
            CONTINUE WHEN to_regclass(part) IS NOT NULL;
            IF NOT is_locked THEN
                EXECUTE format('LOCK TABLE %I IN SHARE ROW EXCLUSIVE MODE', parent);
                is_locked := true;
                -- Another daemon may have made it while this one waited.
                CONTINUE WHEN to_regclass(part) IS NOT NULL;
            END IF;
            past := first + ('1 ' || unit)::interval;
            EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL EXCLUDING IDENTITY)', part, parent);
            EXECUTE format(
                'WITH moved AS (DELETE FROM %I WHERE %I >= $1 AND %I < $2 RETURNING *)'
                ' INSERT INTO %I SELECT * FROM moved',
                parent || '_default', moment, moment, part
            ) USING first, past;
            EXECUTE format(
                'ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', parent, part, first, past
            );
            made := made + 1;
        END LOOP;
        RETURN made;
    END
    $$"""  # noqa: S608 - constants of this file


def drop_partitions(tables: Iterable[str]) -> str:
    """Return the function that drops partitions of these tables."""
    known = ", ".join(f"'{table}'" for table in tables)
    return f"""
    CREATE OR REPLACE FUNCTION drop_partitions(parent text, before timestamptz, most integer DEFAULT 31) RETURNS integer
    LANGUAGE plpgsql {SETTINGS} AS $$
    DECLARE
        old text[];
    BEGIN
        IF parent NOT IN ({known}) THEN
            RAISE EXCEPTION '% has no partitions', parent;
        END IF;
        SELECT array_agg(format('%I', relname)) INTO old FROM (
            SELECT relname,
                substring(pg_get_expr(relpartbound, c.oid) FROM $re$TO \\('([^']+)'\\)$re$)::timestamptz AS past
            FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid WHERE inhparent = parent::regclass
            ORDER BY past LIMIT most
        ) AS oldest WHERE past <= before;
        IF old IS NOT NULL THEN
            EXECUTE 'DROP TABLE ' || array_to_string(old, ', ');
        END IF;
        RETURN coalesce(cardinality(old), 0);
    END
    $$"""  # noqa: S608 - constants of this file


CLEANUP_OLD_LOGS = f"""
    CREATE OR REPLACE FUNCTION cleanup_old_logs() RETURNS void LANGUAGE plpgsql {SETTINGS} AS $$
    DECLARE
        days integer := (SELECT (value #>> '{{}}')::numeric FROM config WHERE key = 'retention.system_logs_days');
        before timestamptz := now() - make_interval(days => coalesce(days, 30));
    BEGIN
        WHILE drop_partitions('system_logs', before) > 0 LOOP
        END LOOP;
        DELETE FROM system_logs WHERE timestamp < before;
    END
    $$"""  # noqa: S608 - constants of this file

CLEANUP_AS_IT_WAS = """
    CREATE OR REPLACE FUNCTION cleanup_old_logs() RETURNS void LANGUAGE sql AS $$
        DELETE FROM system_logs WHERE timestamp < now() - INTERVAL '30 days';
    $$"""

FUNCTIONS = (
    "create_partitions(text, timestamptz, timestamptz)",
    "drop_partitions(text, timestamptz, integer)",
    "cleanup_old_logs()",
)

UP: tuple[str, ...] = (
    create_partitions(TABLES),
    drop_partitions(TABLES),
    CLEANUP_OLD_LOGS,
    # They act with their owner's rights, so they are for whom the owner names.
    *(f"REVOKE EXECUTE ON FUNCTION {function} FROM PUBLIC" for function in FUNCTIONS),
    # Forgetting a conversation deletes its messages, and each would read the whole table for its actions.
    "CREATE INDEX idx_actions_message ON actions(message_id)",
)
# Partitions that there are stay, with what they hold: the table is as good with them, and goes with them.
DOWN: tuple[str, ...] = (
    "DROP INDEX idx_actions_message",
    CLEANUP_AS_IT_WAS,
    "GRANT EXECUTE ON FUNCTION cleanup_old_logs() TO PUBLIC",
    f"DROP FUNCTION {FUNCTIONS[0]}, {FUNCTIONS[1]}",
)


def upgrade() -> None:
    """Run UP."""
    for statement in UP:
        op.execute(statement)


def downgrade() -> None:
    """Run DOWN."""
    for statement in DOWN:
        op.execute(statement)
