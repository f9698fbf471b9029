-- The schema that Mordomo began from, as its first designer wrote it, for test_schema.py to compare ours with.
-- One repair: it attached a partition to system_logs without declaring the table partitioned (and the partition key
-- must then be part of the primary key).

CREATE TABLE users (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    name VARCHAR(255) NOT NULL,
    email VARCHAR(255) UNIQUE,
    voice_enrolled BOOLEAN DEFAULT FALSE,
    speaker_embedding_id VARCHAR(255),  -- Qdrant vector ID
    created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    last_interaction_at TIMESTAMP,
    is_active BOOLEAN DEFAULT TRUE,
    metadata JSONB DEFAULT '{}'::jsonb
);

CREATE INDEX idx_users_email ON users(email);
CREATE INDEX idx_users_voice ON users(voice_enrolled) WHERE voice_enrolled = TRUE;
CREATE INDEX idx_users_metadata ON users USING GIN(metadata);

CREATE TABLE conversations (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id UUID REFERENCES users(id) ON DELETE CASCADE,
    started_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    ended_at TIMESTAMP,
    duration_seconds INTEGER,
    message_count INTEGER DEFAULT 0,
    satisfaction_score FLOAT CHECK (satisfaction_score BETWEEN 0 AND 1),
    metadata JSONB DEFAULT '{}'::jsonb
);

CREATE INDEX idx_conversations_user ON conversations(user_id);
CREATE INDEX idx_conversations_started ON conversations(started_at DESC);
CREATE INDEX idx_conversations_metadata ON conversations USING GIN(metadata);

CREATE TABLE messages (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    conversation_id UUID REFERENCES conversations(id) ON DELETE CASCADE,
    role VARCHAR(20) NOT NULL CHECK (role IN ('user', 'assistant', 'system')),
    content TEXT NOT NULL,
    timestamp TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    
    -- Métricas
    latency_ms INTEGER,
    intent VARCHAR(100),
    confidence FLOAT,
    
    -- RAG context usado
    rag_context JSONB,
    
    -- Audio metadata
    audio_duration_ms INTEGER,
    transcription_model VARCHAR(50),
    
    metadata JSONB DEFAULT '{}'::jsonb
);

CREATE INDEX idx_messages_conversation ON messages(conversation_id, timestamp);
CREATE INDEX idx_messages_role ON messages(role);
CREATE INDEX idx_messages_intent ON messages(intent);
CREATE INDEX idx_messages_timestamp ON messages(timestamp DESC);

-- Partitioning por mês (opcional para alta carga)
-- CREATE TABLE messages_y2024m11 PARTITION OF messages
--     FOR VALUES FROM ('2024-11-01') TO ('2024-12-01');

CREATE TABLE actions (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    message_id UUID REFERENCES messages(id) ON DELETE CASCADE,
    conversation_id UUID REFERENCES conversations(id) ON DELETE CASCADE,
    action_type VARCHAR(100) NOT NULL,  -- iot_control, reminder, query
    action_name VARCHAR(255) NOT NULL,  -- turn_on, create_reminder
    parameters JSONB NOT NULL,
    status VARCHAR(20) DEFAULT 'pending' CHECK (status IN ('pending', 'executing', 'success', 'failed')),
    result JSONB,
    executed_at TIMESTAMP,
    error_message TEXT,
    created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP
);

CREATE INDEX idx_actions_conversation ON actions(conversation_id);
CREATE INDEX idx_actions_type ON actions(action_type);
CREATE INDEX idx_actions_status ON actions(status);

CREATE TABLE reminders (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id UUID REFERENCES users(id) ON DELETE CASCADE,
    title VARCHAR(255) NOT NULL,
    description TEXT,
    scheduled_at TIMESTAMP NOT NULL,
    created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    triggered_at TIMESTAMP,
    status VARCHAR(20) DEFAULT 'pending' CHECK (status IN ('pending', 'triggered', 'cancelled')),
    metadata JSONB DEFAULT '{}'::jsonb
);

CREATE INDEX idx_reminders_user ON reminders(user_id);
CREATE INDEX idx_reminders_scheduled ON reminders(scheduled_at) WHERE status = 'pending';
CREATE INDEX idx_reminders_status ON reminders(status);

CREATE TABLE system_logs (
    id BIGSERIAL,
    timestamp TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    level VARCHAR(10) NOT NULL CHECK (level IN ('DEBUG', 'INFO', 'WARN', 'ERROR')),
    source VARCHAR(100) NOT NULL,  -- container name
    message TEXT NOT NULL,
    metadata JSONB DEFAULT '{}'::jsonb,
    PRIMARY KEY (id, timestamp)
) PARTITION BY RANGE (timestamp);

CREATE INDEX idx_logs_timestamp ON system_logs(timestamp DESC);
CREATE INDEX idx_logs_level ON system_logs(level);
CREATE INDEX idx_logs_source ON system_logs(source);

-- Partitioning por dia
CREATE TABLE system_logs_y2024m11d27 PARTITION OF system_logs
    FOR VALUES FROM ('2024-11-27') TO ('2024-11-28');

-- Auto-cleanup logs > 30 dias
CREATE OR REPLACE FUNCTION cleanup_old_logs()
RETURNS void AS $$
BEGIN
    DELETE FROM system_logs
    WHERE timestamp < NOW() - INTERVAL '30 days';
END;
$$ LANGUAGE plpgsql;

CREATE TABLE config (
    key VARCHAR(255) PRIMARY KEY,
    value JSONB NOT NULL,
    description TEXT,
    updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    updated_by VARCHAR(100)
);

-- Seed default config
INSERT INTO config (key, value, description) VALUES
    ('wake_word.sensitivity', '0.7', 'Porcupine sensitivity'),
    ('tts.voice', '"pt_BR-faber-medium"', 'Piper TTS voice'),
    ('brain.model', '"qwen2.5:3b"', 'Ollama model'),
    ('brain.temperature', '0.7', 'LLM temperature'),
    ('brain.max_tokens', '200', 'Max response tokens');
