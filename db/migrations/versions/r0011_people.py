"""Roles, permissions and approvals: what each person of the house may do, and what one asked another's leave for.

A permission is for a role or for one person. What a household starts with is seeded here, once; from then on the rows
are its own. `note` says in Portuguese what a row is for.
"""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

ROLES = "'administrator', 'adult', 'teenager', 'child', 'guest', 'device'"

TABLES = (
    f"""
    ALTER TABLE users ADD role VARCHAR(20) NOT NULL DEFAULT 'adult'
        CHECK (role IN ({ROLES}) AND role <> 'device')""",
    f"""
    CREATE TABLE permissions (
        id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
        role VARCHAR(20) CHECK (role IN ({ROLES})),
        user_id UUID REFERENCES users(id) ON DELETE CASCADE,
        intent VARCHAR(100) CHECK (btrim(intent) <> ''),
        domain VARCHAR(50) CHECK (btrim(domain) <> ''),
        area VARCHAR(100) CHECK (btrim(area) <> ''),
        here BOOLEAN NOT NULL DEFAULT FALSE,
        from_time TIME,
        until_time TIME,
        weekdays SMALLINT[] CHECK (cardinality(weekdays) > 0 AND weekdays <@ '{{1,2,3,4,5,6,7}}'::smallint[]),
        effect VARCHAR(10) NOT NULL CHECK (effect IN ('allow', 'ask', 'deny')),
        enabled BOOLEAN NOT NULL DEFAULT TRUE,
        note TEXT,
        created_by VARCHAR(100) DEFAULT CURRENT_USER,
        created_at TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,
        updated_at TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,
        CONSTRAINT permissions_whose_check CHECK (num_nonnulls(role, user_id) = 1),
        CONSTRAINT permissions_place_check CHECK (NOT (here AND area IS NOT NULL)),
        CONSTRAINT permissions_hours_check CHECK (
            num_nonnulls(from_time, until_time) <> 1 AND from_time IS DISTINCT FROM coalesce(until_time, '24:00')
            AND greatest(from_time, until_time) < '24:00')
    )""",
    "CREATE INDEX idx_permissions_user ON permissions(user_id) WHERE user_id IS NOT NULL",
    f"""
    CREATE TABLE approvals (
        id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
        user_id UUID REFERENCES users(id) ON DELETE CASCADE,
        asked_by VARCHAR(100) NOT NULL,
        role VARCHAR(20) NOT NULL CHECK (role IN ({ROLES})),
        source VARCHAR(50) NOT NULL,
        area VARCHAR(100),
        words TEXT NOT NULL,
        doing TEXT NOT NULL,
        intents JSONB NOT NULL CHECK (jsonb_typeof(intents) = 'array'),
        status VARCHAR(20) NOT NULL DEFAULT 'pending'
            CHECK (status IN ('pending', 'granted', 'executing', 'done', 'failed', 'refused', 'expired')),
        asked_at TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,
        expires_at TIMESTAMPTZ NOT NULL,
        announced_at TIMESTAMPTZ,
        decided_by VARCHAR(100),
        decided_user UUID REFERENCES users(id) ON DELETE SET NULL,
        decided_role VARCHAR(20) CHECK (decided_role IN ({ROLES})),
        decided_via VARCHAR(10) CHECK (decided_via IN ('voice', 'web', 'mqtt', 'cli')),
        decided_at TIMESTAMPTZ,
        ended_at TIMESTAMPTZ,
        outcome TEXT,
        CONSTRAINT approvals_decided_check CHECK (
            (status IN ('pending', 'expired')) OR num_nulls(decided_by, decided_via, decided_role, decided_at) = 0)
    )""",
    "CREATE INDEX idx_approvals_open ON approvals(expires_at) WHERE status IN ('pending', 'granted', 'executing')",
    "CREATE INDEX idx_approvals_asked ON approvals(asked_at DESC)",
    "CREATE INDEX idx_approvals_user ON approvals(user_id) WHERE user_id IS NOT NULL",
    "CREATE INDEX idx_approvals_decided_user ON approvals(decided_user) WHERE decided_user IS NOT NULL",
)

FUNCTIONS = (
    """
    CREATE FUNCTION notify_people() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM pg_notify('mordomo_people', '');
        RETURN NULL;
    END
    $$""",
    """
    CREATE FUNCTION forget_decider() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        NEW.decided_by := 'alguém que saiu';
        RETURN NEW;
    END
    $$""",
    """
    CREATE FUNCTION notify_approvals() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM pg_notify('mordomo_approvals', '');
        RETURN NULL;
    END
    $$""",
)

# What was asked for in whose words is in the row itself, which goes with its person; the audit outlives both.
LEFT_OUT = {
    "permissions": "'id', 'created_at', 'updated_at'",
    "approvals": "'id', 'words', 'doing', 'intents', 'announced_at', 'asked_at', 'expires_at', 'outcome'",
}
CHANGED = "OLD.* IS DISTINCT FROM NEW.*"
AS_THEY_WERE = "id, name, email, voice_enrolled, speaker_embedding_id, created_at, is_active, metadata"
USERS_WATCHED = f"{AS_THEY_WERE}, role"
USERS_AUDIT = """
    CREATE TRIGGER users_audit_update AFTER UPDATE OF {columns} ON users
        FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*)
        EXECUTE FUNCTION audit('id', 'updated_at', 'last_interaction_at')"""


def watched(table: str) -> tuple[str, ...]:
    """Return the triggers that have `audit()` watch a table."""
    run = f"EXECUTE FUNCTION audit({LEFT_OUT[table]})"
    return (
        f"CREATE TRIGGER {table}_audit_insert AFTER INSERT ON {table} FOR EACH ROW {run}",
        f"CREATE TRIGGER {table}_audit_update AFTER UPDATE ON {table} FOR EACH ROW WHEN ({CHANGED}) {run}",
        f"CREATE TRIGGER {table}_audit_delete AFTER DELETE ON {table} FOR EACH ROW {run}",
        f"CREATE TRIGGER {table}_audit_truncate AFTER TRUNCATE ON {table} FOR EACH STATEMENT {run}",
    )


TRIGGERS = (
    """
    CREATE TRIGGER permissions_touch BEFORE UPDATE ON permissions
        FOR EACH ROW WHEN (NEW.* IS DISTINCT FROM OLD.*) EXECUTE FUNCTION touch_updated_at()""",
    """
    CREATE TRIGGER permissions_notify AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON permissions
        FOR EACH STATEMENT EXECUTE FUNCTION notify_people()""",
    """
    CREATE TRIGGER users_notify AFTER INSERT OR DELETE OR TRUNCATE OR UPDATE OF name, role, is_active, voice_enrolled
        ON users FOR EACH STATEMENT EXECUTE FUNCTION notify_people()""",
    """
    CREATE TRIGGER approvals_notify AFTER INSERT OR UPDATE OF status ON approvals
        FOR EACH ROW EXECUTE FUNCTION notify_approvals()""",  # who looks for what to change must not wake themselves
    """
    CREATE TRIGGER approvals_forget BEFORE UPDATE OF decided_user ON approvals
        FOR EACH ROW WHEN (OLD.decided_user IS NOT NULL AND NEW.decided_user IS NULL)
        EXECUTE FUNCTION forget_decider()""",
    "DROP TRIGGER users_audit_update ON users",
    USERS_AUDIT.format(columns=USERS_WATCHED),
)

Row = tuple[str, str | None, str | None, str, str]
"""role, intent, domain, effect, note"""


def _for(role: str, effect: str, note: str, *domains: str) -> tuple[Row, ...]:
    return tuple((role, None, domain, effect, note) for domain in domains)


HARMLESS = ("clock", "weather", "talk", "timers", "undo")
"""What anybody may ask for; what is undone must be allowed by itself as well."""
SEEDED: tuple[Row, ...] = (
    ("administrator", None, None, "allow", "Quem administra a casa pode tudo"),
    ("adult", None, None, "allow", "Adultos podem tudo, menos o que muda quem pode o quê"),
    *_for("adult", "deny", "Quem pode o quê é com quem administra a casa", "permissions"),
    ("teenager", None, None, "allow", "Adolescentes usam a casa toda"),
    *_for("teenager", "ask", "Portões, trancas e alarmes se abrem com a permissão de um adulto", "risky"),
    *_for("teenager", "deny", "Isso é com os adultos", "permissions", "people", "approvals", "others", "guarding",
          "water_heater"),
    *_for("child", "allow", "Crianças podem com o que não faz mal", *HARMLESS, "light", "fan", "cover", "media_player",
          "media", "switch", "climate", "states", "reminders", "lists", "broadcast", "routines", "memory", "privacy",
          "vacuum", "locking"),
    *_for("child", "ask", "Portões e trancas só com a permissão de um adulto", "risky", "lock", "gate", "people"),
    *_for("child", "ask", "Muito quente ou muito frio só com a permissão de um adulto", "extremes"),
    *_for("child", "deny", "Alarmes, nomes de aparelhos e o que é dos outros não são com crianças",
          "alarm_control_panel", "others", "naming", "teaching"),
    *_for("guest", "allow", "Visitas perguntam as horas, o tempo e como vão as coisas", *HARMLESS),
    *_for("guest", "ask", "Visita que quer entrar pede licença a quem mora aqui", "risky", "people"),
    *_for("guest", "ask", "Muito quente ou muito frio só com a permissão de quem mora aqui", "extremes"),
    *_for("guest", "deny", "O alarme é de quem mora aqui", "alarm_control_panel"),
    *_for("device", "allow", "Programas no broker podem com o que não abre a casa", *HARMLESS, "light", "fan", "cover",
          "media_player", "media", "switch", "climate", "states", "reminders", "lists", "broadcast", "routines",
          "ledger", "vacuum", "lawn_mower", "scene", "script", "humidifier", "others", "locking"),
    *_for("device", "deny", "Programas no broker não abrem a casa", "risky", "gate", "lock", "extremes"),
)  # fmt: skip
"""Who has no row for what they want may not have it, but for administrators."""
OF_THE_ROOM = ("light", "media_player", "media", "climate", "fan", "states")
"""What a guest may have in the room where they are."""


def _insert(columns: str, values: str) -> str:
    return f"INSERT INTO permissions ({columns}, created_by) VALUES ({values}, 'mordomo')"  # noqa: S608 - constants


def _text(value: str | None) -> str:
    return "NULL" if value is None else "'" + value.replace("'", "''") + "'"


SEED = (
    *(_insert("role, intent, domain, effect, note", ", ".join(map(_text, row))) for row in SEEDED),
    *(
        _insert("role, domain, here, effect, note", f"'guest', '{domain}', TRUE, 'allow', 'Visitas, no cômodo delas'")
        for domain in OF_THE_ROOM
    ),
    _insert(
        "role, domain, from_time, until_time, effect, enabled, note",
        "'child', 'tv', '21:00', '06:00', 'deny', FALSE, 'Um exemplo, desligado: criança não liga a TV depois das 21h'",
    ),
)

# A house that grows up keeps what it has: who was there before there were roles goes on as before, as an adult.
UP: tuple[str, ...] = (
    *TABLES,
    *FUNCTIONS,
    *TRIGGERS,
    *SEED,
    *watched("permissions"),
    *watched("approvals"),
    "SELECT grant_rights()",
)
DOWN: tuple[str, ...] = (
    "DROP TABLE approvals, permissions",
    "DROP TRIGGER users_notify ON users",
    "DROP FUNCTION notify_people(), notify_approvals(), forget_decider()",
    "DROP TRIGGER users_audit_update ON users",
    USERS_AUDIT.format(columns=AS_THEY_WERE),
    "ALTER TABLE users DROP role",
)


def upgrade() -> None:
    """Run UP."""
    for statement in UP:
        op.execute(statement)


def downgrade() -> None:
    """Run DOWN."""
    for statement in DOWN:
        op.execute(statement)
