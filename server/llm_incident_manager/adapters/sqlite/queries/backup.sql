-- What backup and restore ask of the catalogue, and of the file as a whole.

-- name: tables
-- Ordinary tables: neither SQLite's own nor virtual ones and what lies behind those.
SELECT name FROM pragma_table_list
WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite%'
ORDER BY name

-- name: columns
-- The columns of a table with their types, and their places in the primary key, from 1; 0 is none.
SELECT name, type, pk FROM pragma_table_info(?) ORDER BY cid

-- name: migrations
-- The files this database has seen.
SELECT version, name, checksum FROM schema_migration ORDER BY version

-- name: integrity
-- What is wrong with the file, or one row that says ok.
SELECT integrity_check FROM pragma_integrity_check

-- name: block_outbox
-- Work that comes behind other live work of its lane.
UPDATE outbox SET blocked = 1 WHERE dead = 0 AND EXISTS (
    SELECT 1 FROM outbox AS o
    WHERE o.topic = outbox.topic AND o.lane = outbox.lane AND o.dead = 0 AND o.id < outbox.id
)
