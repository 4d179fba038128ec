-- name: take_lease
-- Takes a lease that is free or has run out. No row: somebody has it.
INSERT INTO lease AS l (name, owner, fence, lease_until) VALUES ($1, $2, 1, $4)
ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, fence = l.fence + 1, lease_until = excluded.lease_until
WHERE l.lease_until <= $3
RETURNING l.fence;

-- name: renew_lease
UPDATE lease AS l SET lease_until = $3 WHERE l.name = $1 AND l.fence = $2 RETURNING l.fence;

-- name: release_lease
UPDATE lease AS l SET lease_until = 0 WHERE l.name = $1 AND l.fence = $2;

-- name: holds_lease
-- Whether the lease is as we took it. Nobody takes it before the transaction ends.
SELECT l.fence FROM lease AS l WHERE l.name = $1 AND l.fence = $2 FOR SHARE OF l;

-- name: beat
-- Says that a process is alive; whether it was known, and this server's clock in microseconds.
WITH before AS (SELECT count(*) AS known FROM process WHERE owner = $1)
INSERT INTO process AS p (owner, roles, version, started_at, seen_at)
VALUES ($1, $2, $3, $4, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint)
ON CONFLICT (owner) DO UPDATE SET seen_at = excluded.seen_at
RETURNING p.seen_at, (SELECT known FROM before) > 0;

-- name: processes
-- The processes that are known, with how long ago each was heard of.
SELECT p.owner, p.roles, p.version, p.started_at,
    (extract(epoch FROM clock_timestamp()) * 1000000)::bigint - p.seen_at
FROM process AS p
ORDER BY p.started_at, p.owner;

-- name: silent_processes
-- Those that have not been heard of for so long. Whom another process is looking after just now is passed over.
SELECT p.owner
FROM process AS p
WHERE p.seen_at <= (extract(epoch FROM clock_timestamp()) * 1000000)::bigint - $1
ORDER BY p.owner
FOR UPDATE OF p SKIP LOCKED;

-- name: free_work
-- Takes work away from its owners, unless it is locked just now.
WITH freed AS (
    SELECT o.id FROM outbox AS o WHERE o.lease_owner = ANY($1::text[]) ORDER BY o.id FOR UPDATE OF o SKIP LOCKED
)
UPDATE outbox AS o SET lease_owner = '', lease_until = 0, fence = o.fence + 1 FROM freed AS f WHERE o.id = f.id;

-- name: free_timers
-- The same for timers.
WITH freed AS (
    SELECT t.incident_id, t.key
    FROM timer AS t
    WHERE t.lease_owner = ANY($1::text[])
    ORDER BY t.incident_id, t.key
    FOR UPDATE OF t SKIP LOCKED
)
UPDATE timer AS t SET lease_owner = '', lease_until = 0, fence = t.fence + 1
FROM freed AS f
WHERE t.incident_id = f.incident_id AND t.key = f.key;

-- name: free_leases
-- The same for leases of a name.
WITH freed AS (
    SELECT l.name FROM lease AS l WHERE l.owner = ANY($1::text[]) ORDER BY l.name FOR UPDATE OF l SKIP LOCKED
)
UPDATE lease AS l SET owner = '', lease_until = 0, fence = l.fence + 1 FROM freed AS f WHERE l.name = f.name;

-- name: forget_processes
-- Those of these processes that have no leases any more.
DELETE FROM process AS p
WHERE p.owner = ANY($1::text[])
    AND NOT EXISTS (SELECT FROM outbox AS o WHERE o.lease_owner = p.owner)
    AND NOT EXISTS (SELECT FROM timer AS t WHERE t.lease_owner = p.owner)
    AND NOT EXISTS (SELECT FROM lease AS l WHERE l.owner = p.owner);
