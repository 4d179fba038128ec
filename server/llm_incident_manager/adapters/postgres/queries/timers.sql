-- name: claim_timers
-- Leases timers that are due, the longest due first. What somebody else is leasing just now is passed
-- over, and so are kinds of a newer program.
WITH picked AS (
    SELECT t.incident_id, t.key
    FROM timer AS t
    WHERE t.due_at <= $2 AND t.lease_until <= $2 AND t.kind = ANY($5::text[])
    ORDER BY t.due_at
    LIMIT $4
    FOR UPDATE OF t SKIP LOCKED
), leased AS (
    UPDATE timer AS t
    SET lease_owner = $1, lease_until = $3, fence = t.fence + 1
    FROM picked AS p
    WHERE t.incident_id = p.incident_id AND t.key = p.key
    RETURNING {timer}
)
SELECT {timer} FROM leased AS t ORDER BY t.due_at, t.incident_id, t.key;

-- name: leased_timers
-- Which timers are leased as they were when we claimed them. They stay so until the transaction ends.
SELECT t.incident_id, t.key, t.fence
FROM timer AS t
JOIN unnest($1::uuid[], $2::text[], $3::bigint[]) AS r (incident_id, key, fence)
    ON r.incident_id = t.incident_id AND r.key = t.key AND r.fence = t.fence
ORDER BY t.incident_id, t.key
FOR UPDATE OF t;

-- name: set_timers
-- Sets timers; one that is set already is replaced, and nobody who has leased it can end the new one. Their fences
-- begin with the moment they are set, so that no fence of an earlier timer of the name, done and gone, is ever theirs.
INSERT INTO timer AS t (incident_id, key, tenant, kind, due_at, created_at, fence)
SELECT n.*, n.created_at FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::bigint[])
    AS n (incident_id, key, tenant, kind, due_at, created_at)
ON CONFLICT (incident_id, key) DO UPDATE SET
    kind = excluded.kind, due_at = excluded.due_at, created_at = excluded.created_at, attempts = 0, last_error = '',
    lease_owner = '', lease_until = 0, fence = greatest(t.fence + 1, excluded.fence);

-- name: remove_timers
-- Timers that nobody needs any more, leased or not.
DELETE FROM timer AS t USING unnest($1::uuid[], $2::text[]) AS r (incident_id, key)
WHERE t.incident_id = r.incident_id AND t.key = r.key;

-- name: finish_timers
-- Timers that are done, unless somebody else has claimed or set them since.
DELETE FROM timer AS t USING unnest($1::uuid[], $2::text[], $3::bigint[]) AS r (incident_id, key, fence)
WHERE t.incident_id = r.incident_id AND t.key = r.key AND t.fence = r.fence;

-- name: retry_timers
-- Timers whose work failed: without an owner, and not to be claimed for a while.
UPDATE timer AS t
SET attempts = r.attempts, lease_until = r.not_before, last_error = r.error, lease_owner = ''
FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::integer[], $5::bigint[], $6::text[])
    AS r (incident_id, key, fence, attempts, not_before, error)
WHERE t.incident_id = r.incident_id AND t.key = r.key AND t.fence = r.fence;

-- name: overdue_timers
SELECT count(*), min(t.due_at) FROM timer AS t WHERE t.due_at <= $1;

-- name: next_timer
-- When the first timer is due that is not due yet.
SELECT min(t.due_at) FROM timer AS t WHERE t.due_at > $1;

-- name: time
-- The server's clock, in microseconds.
SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint;
