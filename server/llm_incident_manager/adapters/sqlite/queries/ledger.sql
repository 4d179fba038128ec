-- What `ledger check` asks in SQLite's own words; the rest is in adapters/sql/shared/ledger.sql.

-- name: held_many
-- The fingerprints of open incidents that hold several, or another than their own.
SELECT i.id, i.tenant, json_extract(k.value, '$[0]'), json_extract(k.value, '$[1]')
FROM incident AS i CROSS JOIN json_each(i.keys) AS k
WHERE i.state NOT IN ('RESOLVED', 'CLOSED') AND i.keys IS NOT NULL

-- name: count_between
-- How many events of a tenant there are between two ids, both included.
SELECT count(*) FROM event WHERE tenant = ? AND id BETWEEN ? AND ?
