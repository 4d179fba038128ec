-- name: never_migrated
SELECT to_regclass('schema_migration') IS NULL;

-- name: unhurried
-- For this transaction only: rewriting a large table takes its time.
SET LOCAL statement_timeout = 0;
SET LOCAL lock_timeout = 0;

-- name: applied_migrations
-- The files this database has seen.
SELECT m.version, m.name, m.checksum FROM schema_migration AS m ORDER BY m.version;

-- name: lock_schema
-- Held to the end of the transaction. The number is the first eight bytes of SHA-256("llm_incident_manager schema").
SELECT pg_advisory_xact_lock(-1241226494905685025);

-- name: create_migrations
CREATE TABLE IF NOT EXISTS schema_migration (
    version INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    checksum TEXT NOT NULL,
    applied_at BIGINT NOT NULL
);

-- name: record_migration
INSERT INTO schema_migration (version, name, checksum, applied_at) VALUES ($1, $2, $3, $4);

-- name: impatient
-- Whoever waits for a whole table holds up everybody who comes after: not longer than ingest can bear, and not until
-- PostgreSQL looks for a deadlock.
SET LOCAL lock_timeout = '300ms';

-- name: tables
-- Those of this schema; plain names, which need no quotes.
SELECT c.relname
FROM pg_class AS c
WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
    AND c.relname ~ '^[a-z_]+$';
