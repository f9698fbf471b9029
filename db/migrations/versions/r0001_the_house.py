"""The house: users, conversations, messages, actions, reminders, system_logs, config, and their triggers.

Written as SQL because it is read by whoever keeps the database. The check of config's values is not here: it comes from
the declarations in `config/preferences.py` and is installed anew by every start (`db/preference_check.py`).
"""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = (
    """
    CREATE TABLE users (
        id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
        name VARCHAR(255) NOT NULL,
        email VARCHAR(255) UNIQUE,
        voice_enrolled BOOLEAN NOT NULL DEFAULT FALSE,
        speaker_embedding_id VARCHAR(255),
        created_at TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,
        updated_at TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,
        last_interaction_at TIMESTAMPTZ,
        is_active BOOLEAN NOT NULL DEFAULT TRUE,
        metadata JSONB NOT NULL DEFAULT '{}'::jsonb
    )""",
    """
    CREATE TABLE conversations (
        id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
        user_id UUID REFERENCES users(id) ON DELETE CASCADE,
        started_at TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,
        ended_at TIMESTAMPTZ,
        duration_seconds INTEGER,
        message_count INTEGER NOT NULL DEFAULT 0,
        satisfaction_score FLOAT CHECK (satisfaction_score BETWEEN 0 AND 1),
        metadata JSONB NOT NULL DEFAULT '{}'::jsonb
    )""",
    """
    CREATE TABLE messages (
        id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
        conversation_id UUID NOT NULL REFERENCES conversations(id) ON DELETE CASCADE,
        role VARCHAR(20) NOT NULL CHECK (role IN ('user', 'assistant', 'system')),
        content TEXT NOT NULL,
        timestamp TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,
        latency_ms INTEGER,
        intent VARCHAR(100),
        confidence FLOAT,
        rag_context JSONB,
        audio_duration_ms INTEGER,
        transcription_model VARCHAR(50),
        metadata JSONB NOT NULL DEFAULT '{}'::jsonb
    )""",
    """
    CREATE TABLE actions (
        id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
        message_id UUID REFERENCES messages(id) ON DELETE CASCADE,
        conversation_id UUID REFERENCES conversations(id) ON DELETE CASCADE,
        action_type VARCHAR(100) NOT NULL,
        action_name VARCHAR(255) NOT NULL,
        parameters JSONB NOT NULL,
        status VARCHAR(20) NOT NULL DEFAULT 'pending'
            CHECK (status IN ('pending', 'executing', 'success', 'failed')),
        result JSONB,
        executed_at TIMESTAMPTZ,
        error_message TEXT,
        created_at TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP
    )""",
    # Room in each page for the lease, so that taking it touches no index (a fifth of a drain's work).
    """
    CREATE TABLE reminders (
        id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
        user_id UUID REFERENCES users(id) ON DELETE CASCADE,
        title VARCHAR(255) NOT NULL,
        description TEXT,
        scheduled_at TIMESTAMPTZ NOT NULL,
        created_at TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,
        triggered_at TIMESTAMPTZ,
        status VARCHAR(20) NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'triggered', 'cancelled')),
        metadata JSONB NOT NULL DEFAULT '{}'::jsonb,
        lease_until TIMESTAMPTZ,
        leased_by TEXT
    ) WITH (fillfactor = 50)""",
    """
    CREATE TABLE system_logs (
        id BIGSERIAL,
        timestamp TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,
        level VARCHAR(10) NOT NULL CHECK (level IN ('DEBUG', 'INFO', 'WARN', 'ERROR')),
        source VARCHAR(100) NOT NULL,
        message TEXT NOT NULL,
        metadata JSONB NOT NULL DEFAULT '{}'::jsonb,
        PRIMARY KEY (id, timestamp)
    ) PARTITION BY RANGE (timestamp)""",
    "CREATE TABLE system_logs_default PARTITION OF system_logs DEFAULT",
    """
    CREATE TABLE config (
        key VARCHAR(255) PRIMARY KEY,
        value JSONB NOT NULL,
        description TEXT,
        updated_at TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,
        updated_by VARCHAR(100)
    )""",
)

INDEXES = (
    "CREATE INDEX idx_users_email ON users(email)",
    "CREATE INDEX idx_users_voice ON users(voice_enrolled) WHERE voice_enrolled = TRUE",
    "CREATE INDEX idx_users_metadata ON users USING GIN(metadata)",
    "CREATE INDEX idx_conversations_user ON conversations(user_id)",
    "CREATE INDEX idx_conversations_started ON conversations(started_at DESC)",
    "CREATE INDEX idx_conversations_metadata ON conversations USING GIN(metadata)",
    "CREATE INDEX idx_messages_conversation ON messages(conversation_id, timestamp)",
    "CREATE INDEX idx_messages_role ON messages(role)",
    "CREATE INDEX idx_messages_intent ON messages(intent)",
    "CREATE INDEX idx_messages_timestamp ON messages(timestamp DESC)",
    "CREATE INDEX idx_actions_conversation ON actions(conversation_id)",
    "CREATE INDEX idx_actions_type ON actions(action_type)",
    "CREATE INDEX idx_actions_status ON actions(status)",
    "CREATE INDEX idx_reminders_user ON reminders(user_id)",
    "CREATE INDEX idx_reminders_scheduled ON reminders(scheduled_at) WHERE status = 'pending'",
    "CREATE INDEX idx_reminders_status ON reminders(status)",
    "CREATE INDEX idx_logs_timestamp ON system_logs(timestamp DESC)",
    "CREATE INDEX idx_logs_level ON system_logs(level)",
    "CREATE INDEX idx_logs_source ON system_logs(source)",
)

FUNCTIONS = (
    """
    CREATE FUNCTION cleanup_old_logs() RETURNS void LANGUAGE sql AS $$
        DELETE FROM system_logs WHERE timestamp < now() - INTERVAL '30 days';
    $$""",
    """
    CREATE FUNCTION touch_updated_at() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        NEW.updated_at := CURRENT_TIMESTAMP;
        RETURN NEW;
    END
    $$""",
    # Somebody who edits with a plain SQL client rarely fills updated_by in: then it is who they are to the server.
    """
    CREATE FUNCTION sign_config() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        NEW.updated_at := CURRENT_TIMESTAMP;
        IF NEW.updated_by IS NOT DISTINCT FROM OLD.updated_by AND current_setting('application_name') <> 'mordomo' THEN
            NEW.updated_by := left(session_user, 100);
        END IF;
        RETURN NEW;
    END
    $$""",
    """
    CREATE FUNCTION notify_config() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'TRUNCATE' THEN
            PERFORM pg_notify('mordomo_config', '');
            RETURN NULL;
        END IF;
        IF TG_OP <> 'INSERT' THEN
            IF TG_OP = 'UPDATE' AND (NEW.key, NEW.value) IS NOT DISTINCT FROM (OLD.key, OLD.value) THEN
                RETURN NULL;
            END IF;
            PERFORM pg_notify('mordomo_config', OLD.key);
        END IF;
        IF TG_OP <> 'DELETE' THEN
            PERFORM pg_notify('mordomo_config', NEW.key);
        END IF;
        RETURN NULL;
    END
    $$""",
    """
    CREATE FUNCTION notify_reminders() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM pg_notify('mordomo_reminders', '');
        RETURN NULL;
    END
    $$""",
)

TRIGGERS = (
    """
    CREATE TRIGGER users_touch BEFORE UPDATE ON users
        FOR EACH ROW WHEN (NEW.* IS DISTINCT FROM OLD.*) EXECUTE FUNCTION touch_updated_at()""",
    """
    CREATE TRIGGER config_sign BEFORE UPDATE OF key, value, updated_by ON config
        FOR EACH ROW WHEN (NEW.* IS DISTINCT FROM OLD.*) EXECUTE FUNCTION sign_config()""",
    """
    CREATE TRIGGER config_notify AFTER INSERT OR UPDATE OR DELETE ON config
        FOR EACH ROW EXECUTE FUNCTION notify_config()""",
    """
    CREATE TRIGGER config_notify_all AFTER TRUNCATE ON config
        FOR EACH STATEMENT EXECUTE FUNCTION notify_config()""",
    """
    CREATE TRIGGER reminders_notify AFTER INSERT OR UPDATE OF scheduled_at, status ON reminders
        FOR EACH STATEMENT EXECUTE FUNCTION notify_reminders()""",
)


def upgrade() -> None:
    """Bring the schema from nothing to 0001."""
    for statement in (*TABLES, *INDEXES, *FUNCTIONS, *TRIGGERS):
        op.execute(statement)


def downgrade() -> None:
    """Take the schema from 0001 back to nothing. Everything that the house remembers goes with it."""
    op.execute("DROP TABLE config, system_logs, reminders, actions, messages, conversations, users")
    op.execute("DROP FUNCTION IF EXISTS check_config()")
    op.execute("DROP FUNCTION notify_reminders(), notify_config(), sign_config(), touch_updated_at()")
    op.execute("DROP FUNCTION cleanup_old_logs()")
