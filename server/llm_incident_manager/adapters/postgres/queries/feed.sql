-- name: feed_position
-- Behind the last change that everybody can see: nothing older can still commit.
SELECT c.transaction::text::bigint, c.sequence
FROM incident_change AS c
WHERE c.transaction < pg_snapshot_xmin(pg_current_snapshot())
ORDER BY c.transaction DESC, c.sequence DESC
LIMIT 1;

-- name: feed_after
-- Changes in commit order with their incidents as they are now. OFFSET 0 keeps the planner from reading all incidents.
SELECT {incident}, c.transaction::text::bigint, c.sequence, c.kind
FROM (
    SELECT f.transaction, f.sequence, f.tenant, f.incident_id, f.kind
    FROM incident_change AS f
    WHERE (f.transaction, f.sequence) > ($2::bigint::text::xid8, $3)
        AND f.transaction < pg_snapshot_xmin(pg_current_snapshot())
        AND ($1::text IS NULL OR f.tenant = $1)
    ORDER BY f.transaction, f.sequence
    LIMIT $4
) AS c
CROSS JOIN LATERAL (
    SELECT {incident_columns} FROM incident WHERE id = c.incident_id AND tenant = c.tenant OFFSET 0
) AS i
ORDER BY c.transaction, c.sequence;

-- name: feed_settled
-- Whether no change is committed that an older transaction, which still runs, holds back.
SELECT NOT EXISTS (
    SELECT FROM incident_change AS c WHERE c.transaction >= pg_snapshot_xmin(pg_current_snapshot())
);

-- name: tell
-- To all other processes that listen on the channel.
SELECT pg_notify($1, $2);

-- name: alive
SELECT 1;
