"""The house's devices: areas, devices, entities, their states by day, and routines.

What a person set by hand (names, areas, marks, declared entities) has columns of its own, which discovery never writes:
only those are audited, and only those notify `mordomo_devices`.
"""

from alembic import op

from db.migrations.versions.r0002_partitions import TABLES as PARTITIONED
from db.migrations.versions.r0002_partitions import create_partitions, drop_partitions
from db.migrations.versions.r0006_roles import DEFAULT_PARTITIONS, grant_rights

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

TABLES = (
    """
    CREATE TABLE areas (
        id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
        name VARCHAR(100) NOT NULL CHECK (btrim(name) <> ''),
        aliases TEXT[] NOT NULL DEFAULT '{}'::text[],
        floor VARCHAR(100),
        created_at TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,
        updated_at TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP
    )""",
    """
    CREATE TABLE devices (
        id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
        identifier VARCHAR(512) NOT NULL UNIQUE,
        name TEXT,
        maker TEXT,
        model TEXT,
        origin TEXT,
        suggested_area TEXT,
        area_id UUID REFERENCES areas(id) ON DELETE SET NULL,
        first_seen_at TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,
        last_seen_at TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,
        removed_at TIMESTAMPTZ,
        metadata JSONB NOT NULL DEFAULT '{}'::jsonb
    )""",
    """
    CREATE TABLE entities (
        id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
        entity_id VARCHAR(255) NOT NULL UNIQUE CHECK (entity_id ~ '^[^.]+[.][^.]+$'),
        source TEXT NOT NULL UNIQUE,
        device_id UUID REFERENCES devices(id) ON DELETE CASCADE,
        component TEXT NOT NULL,
        name TEXT,
        device_class TEXT,
        unit TEXT,
        category TEXT,
        given_name VARCHAR(100) CHECK (btrim(given_name) <> ''),
        aliases TEXT[] NOT NULL DEFAULT '{}'::text[],
        area_id UUID REFERENCES areas(id) ON DELETE SET NULL,
        hidden BOOLEAN NOT NULL DEFAULT FALSE,
        favourite BOOLEAN NOT NULL DEFAULT FALSE,
        guarded BOOLEAN,
        declared JSONB CHECK (jsonb_typeof(declared) = 'object'),
        fault TEXT,
        state TEXT,
        attributes JSONB NOT NULL DEFAULT '{}'::jsonb,
        available BOOLEAN,
        changed_at TIMESTAMPTZ,
        cause TEXT CHECK (cause IN ('mordomo', 'house', 'unknown')),
        action_id UUID,
        first_seen_at TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,
        last_seen_at TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,
        removed_at TIMESTAMPTZ
    ) WITH (fillfactor = 50)""",
    """
    CREATE TABLE entity_states (
        id BIGINT GENERATED ALWAYS AS IDENTITY,
        at TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,
        entity_id VARCHAR(255) NOT NULL,
        state TEXT,
        attributes JSONB NOT NULL DEFAULT '{}'::jsonb,
        cause TEXT NOT NULL CHECK (cause IN ('mordomo', 'house', 'unknown')),
        action_id UUID,
        PRIMARY KEY (id, at)
    ) PARTITION BY RANGE (at)""",
    "CREATE TABLE entity_states_default PARTITION OF entity_states DEFAULT",
    """
    CREATE TABLE routines (
        id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
        name VARCHAR(100) NOT NULL CHECK (btrim(name) <> ''),
        phrases TEXT[] NOT NULL DEFAULT '{}'::text[],
        steps JSONB NOT NULL CHECK (jsonb_typeof(steps) = 'array'),
        guarded BOOLEAN NOT NULL DEFAULT FALSE,
        enabled BOOLEAN NOT NULL DEFAULT TRUE,
        created_by VARCHAR(100),
        created_at TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,
        updated_at TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP
    )""",
)

INDEXES = (
    "CREATE UNIQUE INDEX idx_areas_name ON areas (lower(name))",
    "CREATE UNIQUE INDEX idx_routines_name ON routines (lower(name))",
    "CREATE INDEX idx_entities_device ON entities(device_id)",
    "CREATE INDEX idx_states_entity ON entity_states(entity_id, at DESC)",
    "CREATE INDEX idx_states_at ON entity_states(at DESC)",
    # What Mordomo did today, by a house that asks; also what it did that nobody had asked for aloud.
    "CREATE INDEX idx_actions_created ON actions(created_at DESC)",
)

FUNCTIONS = (
    # Devices go on suggesting a room by the name that it had.
    """
    CREATE FUNCTION keep_area_name() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF lower(NEW.name) <> lower(OLD.name) AND NOT OLD.name = ANY (NEW.aliases) THEN
            NEW.aliases := array_append(NEW.aliases, OLD.name::text);
        END IF;
        RETURN NEW;
    END
    $$""",
    # So that INSERT INTO entities (entity_id, declared) is all that a person needs to write.
    """
    CREATE FUNCTION complete_declared() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        NEW.source := coalesce(NEW.source, 'hand:' || NEW.entity_id);
        NEW.component := coalesce(NEW.component, split_part(NEW.entity_id, '.', 1));
        RETURN NEW;
    END
    $$""",
    """
    CREATE FUNCTION notify_devices() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM pg_notify('mordomo_devices', TG_TABLE_NAME);
        RETURN NULL;
    END
    $$""",
)

BY_ITSELF = "current_setting('application_name') = 'mordomo'"
BY_HAND = {
    "areas": "name, aliases, floor",
    "devices": "area_id",
    "entities": "entity_id, given_name, aliases, area_id, hidden, favourite, guarded, declared",
    "routines": "name, phrases, steps, guarded, enabled",
}
"""The columns that people set; all others are discovery's, or bookkeeping."""
MARKED = (
    "{row}.declared IS NOT NULL OR {row}.given_name IS NOT NULL OR {row}.area_id IS NOT NULL OR {row}.hidden"
    " OR {row}.favourite OR {row}.guarded IS NOT NULL OR {row}.aliases <> '{{}}'"
)
INSERTED = {"entities": MARKED.format(row="NEW"), "devices": "NEW.area_id IS NOT NULL"}
"""Which new rows are a person's: what is announced enters by itself, all the time."""
DELETED = {"entities": f"{MARKED.format(row='OLD')} OR NOT {BY_ITSELF}", "devices": f"NOT {BY_ITSELF}"}
KEY = {"areas": "id", "devices": "identifier", "entities": "entity_id", "routines": "id"}
LEFT_OUT = {
    "areas": ("created_at", "updated_at"),
    "devices": ("first_seen_at", "last_seen_at", "removed_at", "metadata"),
    "entities": (
        "device_class", "unit", "category", "fault", "state", "attributes", "available", "changed_at", "cause",
        "action_id", "first_seen_at", "last_seen_at", "removed_at",
    ),
    "routines": ("created_at", "updated_at"),
}  # fmt: skip


def watched(table: str) -> tuple[str, ...]:
    """Return the triggers that have changes by hand audited and told."""
    arguments = ", ".join(f"'{column}'" for column in (KEY[table], *LEFT_OUT[table]))
    rows = {
        "insert": f"AFTER INSERT ON {table} FOR EACH ROW WHEN ({INSERTED.get(table, 'true')})",
        "update": f"AFTER UPDATE OF {BY_HAND[table]} ON {table} FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*)",
        "delete": f"AFTER DELETE ON {table} FOR EACH ROW WHEN ({DELETED.get(table, 'true')})",
        "truncate": f"AFTER TRUNCATE ON {table} FOR EACH STATEMENT",
    }
    return tuple(
        f"CREATE TRIGGER {table}_{deed}_{event} {when} EXECUTE FUNCTION {function}"
        for event, when in rows.items()
        for deed, function in (("audit", f"audit({arguments})"), ("notify", "notify_devices()"))
    )


TRIGGERS = (
    *(
        f"""
    CREATE TRIGGER {table}_touch BEFORE UPDATE ON {table}
        FOR EACH ROW WHEN (NEW.* IS DISTINCT FROM OLD.*) EXECUTE FUNCTION touch_updated_at()"""
        for table in ("areas", "routines")
    ),
    """
    CREATE TRIGGER areas_keep_name BEFORE UPDATE OF name ON areas
        FOR EACH ROW EXECUTE FUNCTION keep_area_name()""",
    """
    CREATE TRIGGER entities_complete BEFORE INSERT ON entities
        FOR EACH ROW WHEN (NEW.declared IS NOT NULL) EXECUTE FUNCTION complete_declared()""",
    *(statement for table in BY_HAND for statement in watched(table)),
)

WITH_STATES = PARTITIONED | {"entity_states": ("day", "at")}
UP: tuple[str, ...] = (
    *TABLES,
    *INDEXES,
    *FUNCTIONS,
    *TRIGGERS,
    create_partitions(WITH_STATES),
    drop_partitions(WITH_STATES),
    grant_rights(f"{DEFAULT_PARTITIONS}, entity_states_default"),
    "SELECT grant_rights()",
)
DOWN: tuple[str, ...] = (
    grant_rights(DEFAULT_PARTITIONS),
    drop_partitions(PARTITIONED),
    create_partitions(PARTITIONED),
    "DROP INDEX idx_actions_created",
    "DROP TABLE routines, entity_states, entities, devices, areas",
    "DROP FUNCTION keep_area_name(), complete_declared(), notify_devices()",
)


def upgrade() -> None:
    """Run UP."""
    for statement in UP:
        op.execute(statement)


def downgrade() -> None:
    """Run DOWN."""
    for statement in DOWN:
        op.execute(statement)
