"""The reports of the house as views, for any SQL client or dashboard; `mordomo stats` reads the functions beneath.

Each view is its function with the usual number of days, so that both count alike. Rights are those of whoever asks: a
role that may read the tables may read the reports.
"""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

FUNCTIONS = (
    # Whoever was not recognised is one row, without a name: their turns are the house's too.
    """
    CREATE FUNCTION active_people(since timestamptz)
    RETURNS TABLE (person text, conversations bigint, messages bigint, last_at timestamptz)
    LANGUAGE sql STABLE PARALLEL SAFE
    BEGIN ATOMIC
        SELECT u.name, count(DISTINCT c.id), count(*), max(m.timestamp)
        FROM messages AS m JOIN conversations AS c ON c.id = m.conversation_id LEFT JOIN users AS u ON u.id = c.user_id
        WHERE m.timestamp >= since
        GROUP BY u.id, u.name ORDER BY count(*) DESC, u.name;
    END""",
    # One sentence may ask for several things, as "HassTurnOn+CreateReminder".
    """
    CREATE FUNCTION common_intents(since timestamptz)
    RETURNS TABLE (intent text, times bigint, average_confidence float8, last_at timestamptz)
    LANGUAGE sql STABLE PARALLEL SAFE
    BEGIN ATOMIC
        SELECT one.name, count(*), avg(m.confidence), max(m.timestamp)
        FROM messages AS m, string_to_table(m.intent, '+') AS one(name)
        WHERE m.role = 'user' AND m.intent IS NOT NULL AND m.timestamp >= since
        GROUP BY one.name ORDER BY count(*) DESC, one.name;
    END""",
    """
    CREATE FUNCTION latency_of_steps(since timestamptz)
    RETURNS TABLE (step text, turns bigint, average_ms float8, median_ms float8, p95_ms float8, most_ms float8)
    LANGUAGE sql STABLE PARALLEL SAFE
    BEGIN ATOMIC
        SELECT step, count(*), avg(ms), percentile_cont(0.5) WITHIN GROUP (ORDER BY ms),
               percentile_cont(0.95) WITHIN GROUP (ORDER BY ms), max(ms) FROM (
            SELECT one.step, one.ms::text::float8 AS ms FROM messages AS m, jsonb_each(
                CASE jsonb_typeof(m.metadata -> 'steps') WHEN 'object' THEN m.metadata -> 'steps' ELSE '{}' END
            ) AS one(step, ms)
            WHERE m.role = 'assistant' AND m.timestamp >= since AND jsonb_typeof(one.ms) = 'number'
            UNION ALL
            SELECT 'latency', latency_ms FROM messages
            WHERE role = 'assistant' AND timestamp >= since AND latency_ms IS NOT NULL
        ) AS taken GROUP BY step ORDER BY avg(ms) DESC;
    END""",
    # The room is told by what the person said: the last message of theirs before the answer.
    """
    CREATE FUNCTION latency_of_rooms(since timestamptz)
    RETURNS TABLE (room text, source text, turns bigint, average_ms float8, median_ms float8, p95_ms float8,
                   most_ms float8)
    LANGUAGE sql STABLE PARALLEL SAFE
    BEGIN ATOMIC
        SELECT room, source, count(*), avg(ms), percentile_cont(0.5) WITHIN GROUP (ORDER BY ms),
               percentile_cont(0.95) WITHIN GROUP (ORDER BY ms), max(ms) FROM (
            SELECT asked.room, m.metadata ->> 'source' AS source, m.latency_ms::float8 AS ms
            FROM messages AS m LEFT JOIN LATERAL (
                SELECT q.metadata ->> 'area' AS room FROM messages AS q
                WHERE q.conversation_id = m.conversation_id AND q.timestamp <= m.timestamp AND q.role = 'user'
                ORDER BY q.timestamp DESC LIMIT 1
            ) AS asked ON TRUE
            WHERE m.role = 'assistant' AND m.timestamp >= since AND m.latency_ms IS NOT NULL
        ) AS taken GROUP BY room, source ORDER BY avg(ms) DESC;
    END""",
    """
    CREATE FUNCTION failures(since timestamptz)
    RETURNS TABLE (kind text, name text, error text, times bigint, last_at timestamptz)
    LANGUAGE sql STABLE PARALLEL SAFE
    BEGIN ATOMIC
        SELECT kind, name, error, count(*), max(at) FROM (
            SELECT 'action' AS kind, action_name::text AS name, error_message AS error, created_at AS at
            FROM actions WHERE status = 'failed' AND created_at >= since
            UNION ALL
            SELECT 'answer', metadata ->> 'outcome', NULL, timestamp
            FROM messages WHERE role = 'assistant' AND timestamp >= since
            AND metadata ->> 'outcome' IN ('failed', 'unspoken', 'model_failed')
        ) AS failed GROUP BY kind, name, error ORDER BY count(*) DESC, max(at) DESC;
    END""",
    # Hours and days are the household's; a week or a month is called by its first day.
    """
    CREATE FUNCTION turns_over_time(since timestamptz, unit text, zone text)
    RETURNS TABLE (day date, turns bigint, failed bigint, median_ms float8)
    LANGUAGE sql STABLE PARALLEL SAFE
    BEGIN ATOMIC
        SELECT date_trunc(unit, timestamp AT TIME ZONE zone)::date, count(*),
               count(*) FILTER (WHERE metadata ->> 'outcome' IN ('failed', 'unspoken', 'model_failed')),
               percentile_cont(0.5) WITHIN GROUP (ORDER BY latency_ms)
        FROM messages WHERE role = 'assistant' AND timestamp >= since
        GROUP BY 1 ORDER BY 1;
    END""",
)

VIEWS = (
    "CREATE VIEW report_active_people AS SELECT * FROM active_people(now() - INTERVAL '7 days') LIMIT 10",
    "CREATE VIEW report_intents AS SELECT * FROM common_intents(now() - INTERVAL '30 days')",
    "CREATE VIEW report_latency AS SELECT * FROM latency_of_steps(now() - INTERVAL '30 days')",
    "CREATE VIEW report_latency_by_room AS SELECT * FROM latency_of_rooms(now() - INTERVAL '30 days')",
    "CREATE VIEW report_failures AS SELECT * FROM failures(now() - INTERVAL '30 days')",
    """
    CREATE VIEW report_turns AS SELECT * FROM turns_over_time(
        now() - INTERVAL '30 days', 'day',
        COALESCE((SELECT value #>> '{}' FROM config WHERE key = 'house.timezone'), 'America/Sao_Paulo'))""",
    # A partitioned table is one table, with all of its partitions.
    """
    CREATE VIEW report_table_sizes AS
        SELECT COALESCE(pg_partition_root(c.oid), c.oid)::regclass::text AS table_name,
               count(*) FILTER (WHERE c.relispartition) AS partitions,
               sum(GREATEST(c.reltuples, 0)) FILTER (WHERE c.relkind = 'r')::bigint AS estimated_rows,
               sum(pg_table_size(c.oid))::bigint AS table_bytes,
               sum(pg_indexes_size(c.oid))::bigint AS index_bytes,
               sum(pg_total_relation_size(c.oid))::bigint AS total_bytes
        FROM pg_class AS c
        WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace
        GROUP BY 1 ORDER BY total_bytes DESC, 1""",
    # Not those that keep values unique: they work without ever being read.
    """
    CREATE VIEW report_unused_indexes AS
        SELECT COALESCE(pg_partition_root(i.indrelid), i.indrelid)::regclass::text AS table_name,
               COALESCE(pg_partition_root(i.indexrelid), i.indexrelid)::regclass::text AS index_name,
               sum(pg_relation_size(i.indexrelid))::bigint AS bytes,
               (SELECT stats_reset FROM pg_stat_database WHERE datname = current_database()) AS counted_since
        FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid
        WHERE c.relnamespace = 'public'::regnamespace AND NOT i.indisunique
        GROUP BY 1, 2 HAVING sum(COALESCE(pg_stat_get_numscans(i.indexrelid), 0)) = 0
        ORDER BY bytes DESC, 2""",
)

UP = (*FUNCTIONS, *VIEWS)
DOWN = (
    "DROP VIEW report_unused_indexes, report_table_sizes, report_turns, report_failures",
    "DROP VIEW report_latency_by_room, report_latency, report_intents, report_active_people",
    "DROP FUNCTION turns_over_time(timestamptz, text, text), failures(timestamptz)",
    "DROP FUNCTION latency_of_rooms(timestamptz), latency_of_steps(timestamptz)",
    "DROP FUNCTION common_intents(timestamptz), active_people(timestamptz)",
)


def upgrade() -> None:
    """Run UP."""
    for statement in UP:
        op.execute(statement)


def downgrade() -> None:
    """Run DOWN."""
    for statement in DOWN:
        op.execute(statement)
