-- Retention of what does not lie in partitions. Each statement deletes at most $2 rows, the oldest first.

-- name: expire_default
-- Rows of the default partition that are older than an id.
DELETE FROM {table}_default WHERE {key} = ANY(ARRAY(
    SELECT {key} FROM {table}_default WHERE {key} < $1 ORDER BY {key} LIMIT $2 FOR UPDATE SKIP LOCKED
));

-- name: expire_changes
-- The first changes of the feed, as far as they are old and what lists ask has followed them. The last one stays: it
-- says how far the feed has come.
DELETE FROM incident_change AS c WHERE c.at < $1 AND c.sequence = ANY(ARRAY(
    SELECT sequence FROM incident_change ORDER BY transaction, sequence LIMIT $2
)) AND NOT EXISTS (
    SELECT FROM index_position AS p WHERE (p.transaction, p.sequence) < (c.transaction, c.sequence)
) AND (c.transaction, c.sequence) < (
    SELECT l.transaction, l.sequence FROM incident_change AS l ORDER BY l.transaction DESC, l.sequence DESC LIMIT 1
);

-- name: finished_incidents
-- The incidents that go next; nobody reopens them meanwhile.
SELECT id FROM incident
WHERE state IN ('RESOLVED', 'CLOSED') AND coalesce(closed_at, resolved_at) < $1 AND updated_at < $1
ORDER BY coalesce(closed_at, resolved_at)
LIMIT $2
FOR UPDATE SKIP LOCKED;

-- name: tables_of_incidents
-- The tables with rows about an incident; without partitions, which are part of their table.
SELECT c.relname
FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND a.attname = 'incident_id' AND NOT a.attisdropped
    AND c.relnamespace = current_schema()::regnamespace
ORDER BY c.relname;

-- name: expire_of_incidents
-- What a table keeps about them.
DELETE FROM {table} WHERE incident_id = ANY($1::uuid[]);

-- name: expire_outbox
-- The work about them that was given up.
DELETE FROM outbox WHERE dead AND incident_id = ANY($1::uuid[]);

-- name: expire_incidents
DELETE FROM incident WHERE id = ANY($1::uuid[]);

-- name: size
-- All tables and indexes of this database, in bytes.
SELECT pg_database_size(current_database());
