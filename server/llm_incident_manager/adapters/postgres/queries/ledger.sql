-- What `ledger check` asks in PostgreSQL's own words; the rest is in adapters/sql/shared/ledger.sql.

-- name: held_many
-- The fingerprints of open incidents that hold several, or another than their own.
SELECT i.id, i.tenant, (k.name ->> 0)::smallint, k.name ->> 1
FROM incident AS i CROSS JOIN LATERAL jsonb_array_elements(i.keys) AS k (name)
WHERE i.state NOT IN ('RESOLVED', 'CLOSED') AND i.keys IS NOT NULL;

-- name: count_between
-- How many events of a tenant there are between two ids each, both included.
SELECT (SELECT count(*) FROM event AS e WHERE e.tenant = r.tenant AND e.id BETWEEN r.first_id AND r.last_id)
FROM unnest($1::text[], $2::uuid[], $3::uuid[]) WITH ORDINALITY AS r (tenant, first_id, last_id, place)
ORDER BY r.place;
