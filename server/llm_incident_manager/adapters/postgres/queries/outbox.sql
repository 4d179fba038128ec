-- name: claim_work
-- Leases due rows: of each lane only the oldest live one. A row that somebody else is leasing just now is passed over.
WITH picked AS (
    SELECT o.id
    FROM outbox AS o
    WHERE o.topic = $1 AND NOT o.dead AND o.due_at <= $3 AND o.lease_until <= $3 AND o.created_at <= $6
        AND NOT EXISTS (
            SELECT FROM outbox AS older
            WHERE older.topic = o.topic AND older.lane = o.lane AND NOT older.dead AND older.id < o.id
        )
    ORDER BY o.id
    LIMIT $5
    FOR UPDATE OF o SKIP LOCKED
), leased AS (
    UPDATE outbox AS o
    SET lease_owner = $2, lease_until = $4, fence = o.fence + 1
    WHERE o.id = ANY(ARRAY(SELECT id FROM picked))
    RETURNING {outbox}
)
SELECT {outbox} FROM leased AS o ORDER BY o.id;

-- name: claim_rows
-- The same of rows that somebody knows by their ids. Whoever sent those has a clock of its own: a quarter of a second.
WITH picked AS (
    SELECT o.id
    FROM outbox AS o
    WHERE o.topic = $1 AND NOT o.dead AND o.due_at <= $3::bigint + 250000 AND o.lease_until <= $3 AND o.id = ANY($5::uuid[])
        AND NOT EXISTS (
            SELECT FROM outbox AS older
            WHERE older.topic = o.topic AND older.lane = o.lane AND NOT older.dead AND older.id < o.id
        )
    ORDER BY o.id
    FOR UPDATE OF o SKIP LOCKED
), leased AS (
    UPDATE outbox AS o
    SET lease_owner = $2, lease_until = $4, fence = o.fence + 1
    WHERE o.id = ANY(ARRAY(SELECT id FROM picked))
    RETURNING {outbox}
)
SELECT {outbox} FROM leased AS o ORDER BY o.id;

-- name: in_order
-- For the transaction that claims work. A queue is analysed when it is empty and read when it is full: believing it
-- empty, the planner would collect all of it and sort, where walking the index stops after $5 rows.
SET LOCAL enable_bitmapscan = off;

-- name: still_leased
-- Which rows are leased as they were when we claimed them. They stay so until the transaction ends.
SELECT o.id
FROM outbox AS o
JOIN unnest($1::uuid[], $2::bigint[]) AS r (id, fence) ON r.id = o.id AND r.fence = o.fence
WHERE NOT o.dead
ORDER BY o.id
FOR UPDATE OF o;

-- name: finish_work
-- Work that is done, unless somebody else has claimed it since.
DELETE FROM outbox AS o USING unnest($1::uuid[], $2::bigint[]) AS r (id, fence) WHERE o.id = r.id AND o.fence = r.fence;

-- name: retry_work
-- Work that failed: due again later, or dead. The lease ends, if it is still ours.
UPDATE outbox AS o
SET attempts = r.attempts, due_at = r.due_at, last_error = r.error, dead = r.dead, lease_owner = '', lease_until = 0
FROM unnest($1::uuid[], $2::bigint[], $3::integer[], $4::bigint[], $5::text[], $6::boolean[])
    AS r (id, fence, attempts, due_at, error, dead)
WHERE o.id = r.id AND o.fence = r.fence;

-- name: remove_dead
-- Ends dead letters. Their lanes have gone on without them.
DELETE FROM outbox AS o USING unnest($1::text[], $2::uuid[]) AS r (tenant, id)
WHERE o.id = r.id AND o.tenant = r.tenant AND o.dead;

-- name: dead_letters
-- A tenant's dead letters behind one of them, oldest first; of one topic or incident when told.
SELECT {outbox}
FROM outbox AS o
WHERE o.dead AND o.tenant = $1 AND o.id > $2 AND ($3::text = '' OR o.topic = $3)
    AND ($4::uuid IS NULL OR o.incident_id = $4)
ORDER BY o.id
LIMIT $5;

-- name: dead_by_id
SELECT {outbox} FROM outbox AS o WHERE o.dead AND o.tenant = $1 AND o.id = ANY($2::uuid[]) ORDER BY o.id;

-- name: lock_dead
-- The same; they stay so until the transaction ends.
SELECT {outbox} FROM outbox AS o WHERE o.dead AND o.tenant = $1 AND o.id = ANY($2::uuid[]) ORDER BY o.id FOR UPDATE OF o;

-- name: count_dead
SELECT count(*)
FROM outbox AS o
WHERE o.dead AND o.tenant = $1 AND ($2::text = '' OR o.topic = $2) AND ($3::uuid IS NULL OR o.incident_id = $3);

-- name: dead_by_topic
SELECT o.topic, count(*) FROM outbox AS o WHERE o.dead GROUP BY o.topic;

-- name: backlog
SELECT count(*), min(o.created_at) FROM outbox AS o WHERE o.topic = $1 AND NOT o.dead;

-- name: deliveries
SELECT {delivery} FROM delivery AS d WHERE d.tenant = $1 AND d.incident_id = $2 ORDER BY d.id;

-- name: add_deliveries
-- New deliveries; what is recorded already for an incident, a key and a channel stays as it is.
INSERT INTO delivery (
    id, tenant, incident_id, channel, route, reason, dedup_key, state, attempts, error, created_at, updated_at
)
SELECT * FROM unnest(
    $1::uuid[], $2::text[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::integer[],
    $10::text[], $11::bigint[], $12::bigint[]
)
ON CONFLICT (incident_id, dedup_key, channel) DO NOTHING;

-- name: save_deliveries
-- How far deliveries are.
UPDATE delivery AS d
SET state = r.state, attempts = r.attempts, error = r.error, updated_at = r.updated_at
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::integer[], $5::text[], $6::bigint[])
    AS r (id, tenant, state, attempts, error, updated_at)
WHERE d.id = r.id AND d.tenant = r.tenant;
