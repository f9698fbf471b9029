#!/bin/sh
# The database's roles with their passwords, made once for a new volume; their rights come with Mordomo's migrations.
# For a volume that is older: docker compose exec postgres sh /docker-entrypoint-initdb.d/roles.sh
set -eu
psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "${POSTGRES_USER:-mordomo}" --dbname "${POSTGRES_DB:-mordomo}" <<'SQL'
\getenv app MORDOMO_APP_PASSWORD
\getenv reader MORDOMO_READER_PASSWORD
-- A password never reaches the server's log.
SET log_statement = 'none';
SET log_min_duration_statement = -1;
SET log_min_error_statement = 'panic';
SELECT format('CREATE ROLE %I LOGIN', name) FROM unnest(ARRAY['mordomo_app', 'mordomo_reader']) AS name
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) \gexec
ALTER ROLE mordomo_app PASSWORD :'app';
ALTER ROLE mordomo_reader PASSWORD :'reader';
SQL
