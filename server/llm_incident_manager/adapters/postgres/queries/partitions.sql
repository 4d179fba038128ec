-- Partitions of the tables of events, one a day. Names and bounds come from this program, never from a caller.

-- name: partitions
-- The partitions of a table with their bounds but the default one; the first may have no lower bound.
SELECT p.relname,
    substring(p.bounds FROM $re$FROM \('([0-9a-f-]{36})'\)$re$)::uuid AS since,
    substring(p.bounds FROM $re$TO \('([0-9a-f-]{36})'\)$re$)::uuid AS until
FROM (
    SELECT c.relname, pg_get_expr(c.relpartbound, c.oid) AS bounds
    FROM pg_inherits AS h JOIN pg_class AS c ON c.oid = h.inhrelid
    WHERE h.inhparent = to_regclass($1)
) AS p
WHERE p.bounds <> 'DEFAULT'
ORDER BY since NULLS FIRST;

-- name: hasty
-- For this transaction only: whoever waits for a whole table keeps those waiting who come behind.
SET LOCAL lock_timeout = '100ms';

-- name: only_one
-- Whether this process may change partitions and delete old records now, until the end of the transaction. The number is
-- the first eight bytes of SHA-256("llm_incident_manager upkeep").
SELECT pg_try_advisory_xact_lock(7006726400069407131);

-- name: crowded
-- Whether the default partition has more than so many rows of a day.
SELECT count(*) > $1 FROM (
    SELECT FROM {table}_default WHERE {key} >= '{since}' AND {key} < '{until}' LIMIT $1 + 1
) AS kept;

-- name: create_partition
-- A table that takes part later.
CREATE TABLE {partition} (LIKE {table} INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING INDEXES);

-- name: lock_default
-- So that no row comes to lie in the default partition while those of a new one leave it.
LOCK TABLE {table}_default IN ACCESS EXCLUSIVE MODE;

-- name: fill_partition
-- Takes over what the default partition has kept for a day whose partition was missing.
WITH kept AS (DELETE FROM {table}_default WHERE {key} >= '{since}' AND {key} < '{until}' RETURNING *)
INSERT INTO {partition} SELECT * FROM kept;

-- name: attach_partition
-- From here on the rows of these ids go there.
ALTER TABLE {table} ATTACH PARTITION {partition} FOR VALUES FROM ('{since}') TO ('{until}');

-- name: drop_partition
-- All rows of a partition at once.
DROP TABLE {partition};

-- name: rows_of_partition
-- About how many rows a partition has; nothing is known of one that never had many, or only just got them.
SELECT c.reltuples::bigint, pg_relation_size(c.oid) FROM pg_class AS c WHERE c.oid = to_regclass($1);

-- name: count_partition
SELECT count(*) FROM {partition};
