-- What backup and restore ask of the catalogue. Names of tables and columns come from here, never from a caller.

-- name: unbounded
-- For this transaction only: a backup takes its time, and says the same of a value as any other.
SET LOCAL statement_timeout = 0;
SET LOCAL idle_in_transaction_session_timeout = 0;
SET LOCAL bytea_output = 'hex';
SET LOCAL extra_float_digits = 1;
SET LOCAL DateStyle = 'ISO';

-- name: columns
-- The columns of all tables, in order, with their places in the primary key from 1; without partitions and without
-- columns that the database computes. An index counts its columns from 0.
SELECT c.relname AS table_name, a.attname AS name, format_type(a.atttypid, NULL) AS type,
    coalesce(array_position(k.indkey::smallint[], a.attnum) + 1, 0) AS place
FROM pg_class AS c
JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
LEFT JOIN pg_index AS k ON k.indrelid = c.oid AND k.indisprimary
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relnamespace = current_schema()::regnamespace
ORDER BY c.relname, a.attnum;

-- name: copy_rows
-- A table as text, in order.
SELECT {columns} FROM {table} ORDER BY {key};

-- name: identities
-- Columns that number their rows themselves.
SELECT c.relname, a.attname, pg_get_serial_sequence(quote_ident(c.relname), a.attname)
FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attidentity <> ''
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relnamespace = current_schema()::regnamespace;

-- name: number_on
-- The next number is behind the largest.
SELECT setval('{sequence}', (SELECT max({column}) FROM {table})) WHERE EXISTS (SELECT FROM {table});

-- name: target_schema
SELECT current_schema();

-- name: others_connected
-- Sessions of others that use this database.
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend';

-- name: has_rows
SELECT EXISTS (SELECT FROM {table});

-- name: empty_table
DELETE FROM {table};

-- name: create_workshop
-- Where a database is built before it takes its place: in a schema of its own, until the end of the transaction.
CREATE SCHEMA llm_incident_manager_restoring;

-- name: enter_workshop
SET LOCAL search_path = llm_incident_manager_restoring;

-- name: made_tables
-- All tables that were made, each before its partitions.
SELECT c.relname, c.relispartition
FROM pg_class AS c
WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'llm_incident_manager_restoring'::regnamespace
ORDER BY c.relispartition, c.relname;

-- name: made_functions
SELECT p.oid::regprocedure::text, p.proname FROM pg_proc AS p
WHERE p.pronamespace = 'llm_incident_manager_restoring'::regnamespace;

-- name: drop_table
DROP TABLE IF EXISTS {target}.{table} CASCADE;

-- name: drop_function
DROP FUNCTION IF EXISTS {target}.{function} CASCADE;

-- name: move_table
ALTER TABLE llm_incident_manager_restoring.{table} SET SCHEMA {target};

-- name: move_function
ALTER FUNCTION llm_incident_manager_restoring.{function} SET SCHEMA {target};

-- name: drop_workshop
DROP SCHEMA llm_incident_manager_restoring;
