-- Each statement deletes at most $2 rows, and never waits for one that is in use.

-- name: sweep_idempotency
DELETE FROM idempotency WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM idempotency WHERE at < $1 LIMIT $2 FOR UPDATE SKIP LOCKED
));

-- name: sweep_answers
DELETE FROM request_answer WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM request_answer WHERE at < $1 LIMIT $2 FOR UPDATE SKIP LOCKED
));

-- name: sweep_segments
DELETE FROM producer_segment WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM producer_segment WHERE at < $1 LIMIT $2 FOR UPDATE SKIP LOCKED
));

-- name: sweep_released
DELETE FROM incident_key_released WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM incident_key_released WHERE released_at < $1 LIMIT $2 FOR UPDATE SKIP LOCKED
));

-- name: probe
-- Whether statements run, and whether this server takes writes.
SELECT pg_is_in_recovery();

-- name: written_to
-- Every commit that was confirmed lies before this place of the log.
SELECT (CASE WHEN current_setting('synchronous_commit') = 'off' THEN pg_current_wal_insert_lsn()
    ELSE pg_current_wal_flush_lsn() END)::text;

-- name: replayed
-- Whether this is a standby, and how many bytes it still has to replay up to that place.
SELECT pg_is_in_recovery(), coalesce(pg_wal_lsn_diff($1::text::pg_lsn, pg_last_wal_replay_lsn()), 1)::bigint;

-- name: system
-- The same for a primary and its standbys, and for no others.
SELECT c.system_identifier::text || '/' || current_database() FROM pg_control_system() AS c;

-- name: server_facts
-- What decides whether this server may be used.
SELECT current_setting('fsync') AS fsync, current_setting('full_page_writes') AS full_page_writes,
    current_setting('synchronous_commit') AS synchronous_commit, current_setting('server_encoding') AS server_encoding,
    current_setting('server_version_num')::integer AS version, pg_is_in_recovery() AS standby,
    current_setting('default_transaction_read_only')::boolean AS read_only,
    current_setting('max_connections')::integer - current_setting('superuser_reserved_connections')::integer
        AS connections;
