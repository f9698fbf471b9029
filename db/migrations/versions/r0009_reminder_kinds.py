"""Kinds of reminders, how each is delivered, and lists.

What the code kept in `metadata` (rrule, dtstart, series, area) moves into columns of its own, and back on the way down.
"""

import importlib

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

AUDITED = "id, user_id, title, description, scheduled_at, created_at, triggered_at, status, metadata"

COLUMNS = """
    ALTER TABLE reminders
        ADD kind VARCHAR(20) NOT NULL DEFAULT 'reminder' CHECK (kind IN ('reminder', 'alarm', 'timer', 'command')),
        ADD rrule TEXT,
        ADD dtstart TIMESTAMP,
        ADD series_id UUID,
        ADD except_dates DATE[] NOT NULL DEFAULT '{}',
        ADD on_holiday VARCHAR(10) CHECK (on_holiday IN ('skip', 'next', 'previous')),
        ADD lead_s INTEGER,
        ADD area VARCHAR(100),
        ADD created_by VARCHAR(100),
        ADD addressee VARCHAR(255),
        ADD ack VARCHAR(10) NOT NULL DEFAULT 'none' CHECK (ack IN ('none', 'required')),
        ADD ack_every_s INTEGER,
        ADD escalate_to VARCHAR(255),
        ADD late VARCHAR(10) NOT NULL DEFAULT 'speak' CHECK (late IN ('speak', 'mention', 'drop')),
        ADD late_within_s INTEGER,
        ADD duration_s INTEGER,
        ADD paused_left_s INTEGER,
        ADD urgent BOOLEAN NOT NULL DEFAULT FALSE,
        ADD done_at TIMESTAMPTZ,
        ADD plan JSONB,
        ADD planned_at TIMESTAMPTZ,
        ADD times_spoken INTEGER NOT NULL DEFAULT 0"""
NEW_COLUMNS = tuple(line.split()[1] for line in COLUMNS.splitlines() if line.strip().startswith("ADD "))
NOT_WATCHED = ("planned_at", "times_spoken")

# Row by row: what somebody wrote in SQL may not be a moment or an id, and then it is left where it is.
INTO_COLUMNS = """
    DO $$
    DECLARE
        one record;
    BEGIN
        FOR one IN SELECT id, metadata AS m FROM reminders WHERE metadata ?| ARRAY['rrule', 'area'] LOOP
            BEGIN
                UPDATE reminders SET rrule = one.m ->> 'rrule', dtstart = (one.m ->> 'dtstart')::timestamp,
                    series_id = coalesce((one.m ->> 'series')::uuid, CASE WHEN one.m ? 'rrule' THEN id END),
                    area = left(one.m ->> 'area', 100), metadata = one.m - '{rrule,dtstart,series,area}'::text[]
                WHERE id = one.id;
            EXCEPTION WHEN data_exception THEN
                UPDATE reminders SET rrule = one.m ->> 'rrule', area = left(one.m ->> 'area', 100) WHERE id = one.id;
            END;
        END LOOP;
    END
    $$"""
INTO_METADATA = """
    UPDATE reminders SET metadata = metadata || jsonb_strip_nulls(jsonb_build_object(
        'rrule', rrule, 'dtstart', dtstart, 'series', nullif(series_id, id), 'area', area))
    WHERE rrule IS NOT NULL OR area IS NOT NULL"""
# To the code of before a paused timer would be due at no moment that it can reckon with.
NO_INFINITY = "UPDATE reminders SET status = 'cancelled', scheduled_at = created_at WHERE scheduled_at = 'infinity'"

INDEXES = (
    "CREATE INDEX idx_reminders_series ON reminders(series_id) WHERE status = 'pending' AND series_id IS NOT NULL",
    "CREATE INDEX idx_reminders_triggered ON reminders(triggered_at) WHERE status = 'triggered'",
)

TABLES = (
    """
    CREATE TABLE reminder_steps (
        id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        reminder_id UUID NOT NULL REFERENCES reminders(id) ON DELETE CASCADE,
        at TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,
        step VARCHAR(20) NOT NULL CHECK (step IN ('spoken', 'repeated', 'escalated', 'snoozed', 'done', 'missed',
            'mentioned', 'dropped', 'pushed', 'carried_out')),
        detail JSONB NOT NULL DEFAULT '{}'::jsonb
    )""",
    "CREATE INDEX idx_reminder_steps_reminder ON reminder_steps(reminder_id)",
    """
    CREATE TABLE lists (
        id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
        name VARCHAR(100) NOT NULL CHECK (btrim(name) <> ''),
        user_id UUID REFERENCES users(id) ON DELETE CASCADE,
        created_at TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP
    )""",
    "CREATE UNIQUE INDEX idx_lists_name ON lists(lower(name), user_id) NULLS NOT DISTINCT",
    """
    CREATE TABLE list_items (
        id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
        list_id UUID NOT NULL REFERENCES lists(id) ON DELETE CASCADE,
        text VARCHAR(255) NOT NULL CHECK (btrim(text) <> ''),
        quantity VARCHAR(50),
        added_by VARCHAR(100),
        added_at TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,
        ticked_at TIMESTAMPTZ,
        removed_at TIMESTAMPTZ
    )""",
    "CREATE INDEX idx_list_items_list ON list_items(list_id) WHERE removed_at IS NULL",
)

BY_ITSELF = "current_setting('application_name') = 'mordomo'"
# Speaking it, also again and again until somebody answers, is Mordomo's own work; what people ask of it is told.
SPOKEN = (
    "(NEW.status = 'triggered' AND OLD.status = 'pending' OR NEW.times_spoken > OLD.times_spoken)"
    " AND (NEW.id, NEW.title, NEW.done_at) IS NOT DISTINCT FROM (OLD.id, OLD.title, OLD.done_at)"
    " AND (NEW.scheduled_at = OLD.scheduled_at OR NEW.times_spoken > OLD.times_spoken)"
)
ARGUMENTS = "'id', 'lease_until', 'leased_by', " + ", ".join(f"'{name}'" for name in NOT_WATCHED)
WATCHED = ", ".join((AUDITED, *(name for name in NEW_COLUMNS if name not in NOT_WATCHED)))
FORGET = tuple(
    f"DROP TRIGGER reminders_audit_{event} ON reminders" for event in ("insert", "update", "delete", "truncate")
)
RUN = f"EXECUTE FUNCTION audit({ARGUMENTS})"
CHANGED = f"NOT ({BY_ITSELF} AND {SPOKEN}) AND OLD.* IS DISTINCT FROM NEW.*"
AUDIT = tuple(
    f"CREATE TRIGGER reminders_audit_{event} AFTER {when} {RUN}"
    for event, when in {
        "insert": "INSERT ON reminders FOR EACH ROW",
        "update": f"UPDATE OF {WATCHED} ON reminders FOR EACH ROW WHEN ({CHANGED})",
        "delete": "DELETE ON reminders FOR EACH ROW",
        "truncate": "TRUNCATE ON reminders FOR EACH STATEMENT",
    }.items()
)
AUDIT_AS_IT_WAS: tuple[str, ...] = importlib.import_module("db.migrations.versions.r0003_audit").triggers("reminders")

# What is moved about here is nobody's edit.
QUIETLY = "ALTER TABLE reminders DISABLE TRIGGER reminders_audit_update"

UP: tuple[str, ...] = (
    COLUMNS,
    QUIETLY,
    INTO_COLUMNS,
    *FORGET,
    *AUDIT,
    *INDEXES,
    *TABLES,
    "SELECT grant_rights()",
)
DOWN: tuple[str, ...] = (
    "DROP TABLE list_items, lists, reminder_steps",
    QUIETLY,
    INTO_METADATA,
    NO_INFINITY,
    *FORGET,
    "DROP INDEX idx_reminders_series, idx_reminders_triggered",
    "ALTER TABLE reminders " + ", ".join(f"DROP {name}" for name in NEW_COLUMNS),
    *AUDIT_AS_IT_WAS,
)


def upgrade() -> None:
    """Run UP."""
    for statement in UP:
        op.execute(statement)


def downgrade() -> None:
    """Run DOWN."""
    for statement in DOWN:
        op.execute(statement)
