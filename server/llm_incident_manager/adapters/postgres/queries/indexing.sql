-- The copies that lists ask, and how far each has followed the change feed.

-- name: stale_incidents
-- Incidents of a tenant that changed since the copy came by. Whatever can be seen counts, also what the copy must not
-- follow yet because an older transaction still runs.
SELECT DISTINCT c.incident_id
FROM index_position AS p
CROSS JOIN LATERAL (
    SELECT f.incident_id FROM incident_change AS f
    WHERE (f.transaction, f.sequence) > (p.transaction, p.sequence) AND f.tenant = $1
    ORDER BY f.transaction, f.sequence
    LIMIT $2
) AS c
WHERE p.name = 'incident_index';

-- name: take_position
-- A copy, for whoever comes first.
SELECT p.transaction::text::bigint, p.sequence FROM index_position AS p WHERE p.name = $1 FOR UPDATE SKIP LOCKED;

-- name: unfollowed
-- The next changes for a copy, up to where nothing older can still commit.
SELECT f.transaction::text::bigint, f.sequence, f.incident_id
FROM incident_change AS f
WHERE (f.transaction, f.sequence) > ($1::bigint::text::xid8, $2)
    AND f.transaction < pg_snapshot_xmin(pg_current_snapshot())
ORDER BY f.transaction, f.sequence
LIMIT $3;

-- name: follow
-- A copy has followed so far.
UPDATE index_position SET transaction = $2::bigint::text::xid8, sequence = $3 WHERE name = $1;

-- name: copy_incidents
-- Incidents as they are now.
INSERT INTO incident_index AS i ({copied})
SELECT {copied} FROM incident WHERE id = ANY($1::uuid[]) ORDER BY tenant, id
ON CONFLICT (tenant, id) DO UPDATE SET {copied_changes}
WHERE ({copied_before}) IS DISTINCT FROM ({copied_after});
