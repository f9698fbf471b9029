"""Prompts as versioned rows, and what each answer of the language model took (inferences).

Of a prompt's versions one is active and one may be the shadow: it answers the same turns beside it, unheard.
`digest` is made by the database from the text, so that figures of a text that was changed since are not mixed up.
"""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

UP: tuple[str, ...] = (
    """
    CREATE TABLE prompt_templates (
        id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
        name VARCHAR(50) NOT NULL DEFAULT 'casa' CHECK (btrim(name) <> ''),
        version INTEGER NOT NULL CHECK (version > 0),
        content TEXT NOT NULL CHECK (btrim(content) <> '' AND length(content) <= 20000),
        digest VARCHAR(32) GENERATED ALWAYS AS (md5(content)) STORED,
        status VARCHAR(20) NOT NULL DEFAULT 'draft' CHECK (status IN ('draft', 'active', 'shadow', 'retired')),
        note TEXT,
        created_at TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,
        created_by VARCHAR(100) DEFAULT CURRENT_USER,
        CONSTRAINT prompt_templates_name_key UNIQUE (name, version)
    )""",
    "CREATE UNIQUE INDEX idx_prompt_templates_active ON prompt_templates(name) WHERE status = 'active'",
    "CREATE UNIQUE INDEX idx_prompt_templates_shadow ON prompt_templates(name) WHERE status = 'shadow'",
    """
    CREATE TABLE inferences (
        id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
        message_id UUID NOT NULL REFERENCES messages(id) ON DELETE CASCADE,
        prompt_id UUID REFERENCES prompt_templates(id) ON DELETE SET NULL,
        digest VARCHAR(32) NOT NULL,
        shadow BOOLEAN NOT NULL DEFAULT FALSE,
        model VARCHAR(100) NOT NULL,
        at TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,
        first_token_ms REAL,
        first_sentence_ms REAL,
        total_ms REAL NOT NULL,
        rounds SMALLINT NOT NULL DEFAULT 1,
        prompt_tokens INTEGER,
        tokens INTEGER,
        content TEXT NOT NULL DEFAULT '',
        calls JSONB NOT NULL DEFAULT '[]'::jsonb CHECK (jsonb_typeof(calls) = 'array'),
        error TEXT
    )""",
    "CREATE INDEX idx_inferences_message ON inferences(message_id)",
    "CREATE INDEX idx_inferences_prompt ON inferences(prompt_id, at DESC)",
    """
    CREATE FUNCTION notify_prompts() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM pg_notify('mordomo_prompts', '');
        RETURN NULL;
    END
    $$""",
    """
    CREATE TRIGGER prompt_templates_notify AFTER INSERT OR DELETE OR TRUNCATE OR UPDATE OF content, status
        ON prompt_templates FOR EACH STATEMENT EXECUTE FUNCTION notify_prompts()""",
    "SELECT grant_rights()",
)
DOWN: tuple[str, ...] = (
    "DROP TABLE inferences",
    "DROP TABLE prompt_templates",
    "DROP FUNCTION notify_prompts()",
)


def upgrade() -> None:
    """Run UP."""
    for statement in UP:
        op.execute(statement)


def downgrade() -> None:
    """Run DOWN."""
    for statement in DOWN:
        op.execute(statement)
