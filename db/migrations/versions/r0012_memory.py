"""Memories: told facts and remembered messages, the outbox that has them embedded, and where vectors are kept.

`vectors` holds them on any server, `vectors_indexed` where the server has the extension `vector` (pgvector) and lets
the owner take it into use. `ensure_vectors()` is asked at every upgrade: a server may get the extension later.

The outbox is filled by triggers, so that whatever changes a memory, also a cascade from an erased person or from old
messages that are dropped, reaches the store of vectors. It refers to no row: a removal outlives what it removes.
"""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

INDEXED_LENGTHS = (256, 384, 512, 768, 1024)
"""Lengths of vectors with an index of their own: the usual models'. Others are compared one by one."""

ASKS = (
    r"\?\s*$|^\W*(mordomo\W+)?(e |mas )?(o que|que|qual|quais|quem|quando|onde|aonde|como|"
    r"por que|porque|quanto|quanta|cad[eê]|ser[aá] que|voc[eê] (sabe|pode|consegue|acha)|"
    r"me (diz|diga|conta|conte|explica|explique|fala|fale)|(diz|conta|explica|fala|escreve|inventa|traduz|resume) )"
)
"""What only asks, as a regular expression."""

TABLES = (
    """
    CREATE TABLE memories (
        id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
        kind VARCHAR(20) NOT NULL CHECK (kind IN ('fact', 'message')),
        text TEXT NOT NULL CHECK (btrim(text) <> ''),
        user_id UUID REFERENCES users(id) ON DELETE CASCADE,
        told_by UUID REFERENCES users(id) ON DELETE SET NULL,
        area VARCHAR(100),
        importance REAL NOT NULL DEFAULT 0.5 CHECK (importance BETWEEN 0 AND 1),
        secret BOOLEAN NOT NULL DEFAULT FALSE,
        message_id UUID UNIQUE REFERENCES messages(id) ON DELETE CASCADE,
        told_in UUID REFERENCES messages(id) ON DELETE SET NULL,
        created_at TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,
        embedded_by VARCHAR(200),
        search TSVECTOR NOT NULL GENERATED ALWAYS AS
            (to_tsvector('pg_catalog.portuguese', search_form(left(text, 100000)))) STORED,
        CONSTRAINT memories_message_check CHECK ((kind = 'message') = (message_id IS NOT NULL))
    )""",
    "CREATE INDEX idx_memories_search ON memories USING GIN(search) WITH (fastupdate = off)",
    "CREATE INDEX idx_memories_user ON memories(user_id)",
    "CREATE INDEX idx_memories_told_by ON memories(told_by) WHERE told_by IS NOT NULL",
    "CREATE INDEX idx_memories_created ON memories(created_at DESC)",
    "CREATE INDEX idx_memories_told_in ON memories(told_in) WHERE told_in IS NOT NULL",
    """
    CREATE TABLE memory_outbox (
        memory_id UUID PRIMARY KEY,
        what VARCHAR(10) NOT NULL CHECK (what IN ('put', 'remove')),
        due_at TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,
        lease_until TIMESTAMPTZ,
        leased_by TEXT,
        tries INTEGER NOT NULL DEFAULT 0,
        fault TEXT
    )""",
    "CREATE INDEX idx_memory_outbox_due ON memory_outbox(due_at)",
    """
    CREATE TABLE vectors (
        collection VARCHAR(20) NOT NULL,
        id UUID NOT NULL,
        owner UUID,
        embedding BYTEA NOT NULL,
        version BIGINT GENERATED ALWAYS AS IDENTITY,
        PRIMARY KEY (collection, id)
    )""",
    "CREATE INDEX idx_vectors_version ON vectors(collection, version)",
)

FUNCTIONS = (
    # Replaced where there is more to ask than the household's preference.
    """
    CREATE FUNCTION may_remember(person uuid) RETURNS boolean LANGUAGE sql STABLE
    RETURN COALESCE((SELECT value <> 'false'::jsonb FROM config WHERE key = 'memory.messages'), TRUE)""",
    # What a person says to the language model is worth finding again; what they only asked is not, and commands are in
    # the ledger anyway.
    rf"""
    CREATE FUNCTION remember_message() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        person uuid := (SELECT user_id FROM conversations WHERE id = NEW.conversation_id);
    BEGIN
        IF array_length(regexp_split_to_array(btrim(NEW.content), '\s+'), 1) >= 4
            AND NEW.content !~* '{ASKS}' AND may_remember(person) THEN
            INSERT INTO memories (kind, text, user_id, area, importance, message_id, created_at)
            VALUES ('message', left(NEW.content, 2000), person, NULL, 0.2, NEW.id, NEW.timestamp)
            ON CONFLICT DO NOTHING;
        END IF;
        RETURN NULL;
    END
    $$""",  # noqa: S608 - constants of this file
    """
    CREATE TRIGGER messages_remembered AFTER INSERT ON messages
    FOR EACH ROW WHEN (NEW.role = 'user' AND NEW.intent = 'llm') EXECUTE FUNCTION remember_message()""",
    """
    CREATE FUNCTION memory_changed() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO memory_outbox (memory_id, what)
        VALUES (CASE TG_OP WHEN 'DELETE' THEN OLD.id ELSE NEW.id END,
                CASE TG_OP WHEN 'DELETE' THEN 'remove' ELSE 'put' END)
        ON CONFLICT (memory_id) DO UPDATE
        SET what = EXCLUDED.what, due_at = now(), lease_until = NULL, leased_by = NULL, tries = 0, fault = NULL;
        PERFORM pg_notify('mordomo_memory', '');
        RETURN NULL;
    END
    $$""",
    """
    CREATE TRIGGER memories_changed AFTER INSERT OR DELETE OR UPDATE OF text, user_id ON memories
    FOR EACH ROW EXECUTE FUNCTION memory_changed()""",
    f"""
    CREATE FUNCTION ensure_vectors() RETURNS boolean LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
    DECLARE
        length integer;
    BEGIN
        IF to_regclass('vectors_indexed') IS NOT NULL
            OR NOT EXISTS (SELECT FROM pg_available_extensions WHERE name = 'vector') THEN
            RETURN false;
        END IF;
        IF NOT EXISTS (SELECT FROM pg_extension WHERE extname = 'vector') THEN
            CREATE EXTENSION vector;
            COMMENT ON EXTENSION vector IS 'taken into use by Mordomo';
        END IF;
        CREATE TABLE vectors_indexed (
            collection VARCHAR(20) NOT NULL,
            id UUID NOT NULL,
            owner UUID,
            length INTEGER NOT NULL,
            embedding vector NOT NULL,
            PRIMARY KEY (collection, id)
        );
        -- In the row itself while it fits a page: beside it, comparing one by one reads each from a place of its own.
        ALTER TABLE vectors_indexed ALTER COLUMN embedding SET STORAGE MAIN;
        FOREACH length IN ARRAY ARRAY{list(INDEXED_LENGTHS)} LOOP
            EXECUTE format(
                'CREATE INDEX idx_vectors_of_%1$s ON vectors_indexed'
                ' USING hnsw ((embedding::halfvec(%1$s)) halfvec_ip_ops) WHERE length = %1$s', length
            );
        END LOOP;
        RETURN true;
    EXCEPTION
        -- Not for this role to take into use, too old, in a schema of its own, or half installed: then without it.
        WHEN insufficient_privilege OR undefined_object OR undefined_file OR feature_not_supported THEN
            RETURN false;
    END
    $$""",  # noqa: S608 - constants of this file
)

UP = (*TABLES, *FUNCTIONS, "SELECT ensure_vectors()", "SELECT grant_rights()")
# Only one that Mordomo took into use, and that nobody else has come to use since.
LEAVE_EXTENSION = """
    DO $$
    BEGIN
        IF (SELECT obj_description(oid, 'pg_extension') FROM pg_extension WHERE extname = 'vector')
            = 'taken into use by Mordomo' THEN
            DROP EXTENSION vector;
        END IF;
    EXCEPTION WHEN dependent_objects_still_exist THEN
        NULL;
    END
    $$"""
DOWN = (
    "DROP TRIGGER messages_remembered ON messages",
    "DROP TABLE IF EXISTS vectors_indexed",
    "DROP TABLE vectors, memory_outbox, memories",
    "DROP FUNCTION ensure_vectors(), memory_changed(), remember_message(), may_remember(uuid)",
    LEAVE_EXTENSION,
)


def upgrade() -> None:
    """Run UP."""
    for statement in UP:
        op.execute(statement)


def downgrade() -> None:
    """Run DOWN."""
    for statement in DOWN:
        op.execute(statement)
