-- Work for after the commit, and what was sent. Of the live rows of a topic and lane all but one are blocked, so that a
-- claim finds its rows in ix_outbox_due whatever the backlog. A new row is blocked when its lane has a live row; the end
-- of the row that is not blocked lets the first of the others through.

-- name: insert_outbox
-- New work. column12 says that an earlier row of the same batch has the lane.
INSERT INTO outbox (
    id, tenant, topic, lane, incident_id, payload, traceparent, created_at, due_at, attempts, last_error, blocked
)
SELECT unhex(column1, '-'), column2, column3, column4, unhex(column5, '-'), column6, column7, column8, column9,
    column10, column11,
    column12 OR EXISTS (SELECT 1 FROM outbox AS o WHERE o.topic = column3 AND o.lane = column4 AND o.dead = 0)
FROM (VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)) WHERE column1 IS NOT NULL

-- name: still_leased
-- Which rows are leased as they were when they were claimed.
SELECT o.id
FROM (VALUES (?, ?)) AS v CROSS JOIN outbox AS o ON o.id = unhex(v.column1, '-') AND o.fence = v.column2
WHERE o.dead = 0

-- name: remove_outbox
-- Ends work that is done, unless it was claimed again since.
DELETE FROM outbox
WHERE id IN (
    SELECT o.id FROM (VALUES (?, ?)) AS v
    CROSS JOIN outbox AS o ON o.id = unhex(v.column1, '-') AND o.fence = v.column2
)
RETURNING topic, lane, blocked

-- name: retry_outbox
-- Work that failed: due again later, or dead and kept apart; unless it was claimed again since.
UPDATE outbox SET
    attempts = v.column3, due_at = v.column4, last_error = v.column5, dead = v.column6, lease_owner = '', lease_until = 0
FROM (VALUES (?, ?, ?, ?, ?, ?)) AS v
WHERE outbox.id = unhex(v.column1, '-') AND outbox.fence = v.column2
RETURNING topic, lane, blocked, dead

-- name: unblock_outbox
-- Lets the first live row of each lane through.
UPDATE outbox SET blocked = 0
WHERE id IN (
    SELECT (SELECT min(o.id) FROM outbox AS o WHERE o.topic = v.column1 AND o.lane = v.column2 AND o.dead = 0)
    FROM (VALUES (?, ?)) AS v
)

-- name: claim_work
-- Leases what is due of a topic, one row of each lane.
UPDATE outbox SET lease_owner = :owner, lease_until = :until, fence = fence + 1
WHERE id IN (
    SELECT id FROM outbox
    WHERE topic = :topic AND dead = 0 AND blocked = 0 AND max(due_at, lease_until) <= :now
        AND created_at <= :made
    ORDER BY max(due_at, lease_until), id
    LIMIT :limit
)
RETURNING id, tenant, topic, lane, incident_id, payload, traceparent, created_at, due_at, attempts, last_error, fence

-- name: claim_rows
-- The same of rows that somebody knows by their ids, as on PostgreSQL a quarter of a second early.
UPDATE outbox SET lease_owner = v.column3, lease_until = v.column5, fence = outbox.fence + 1
FROM (VALUES (?, ?, ?, ?, ?)) AS v
WHERE outbox.id = unhex(v.column1, '-') AND outbox.topic = v.column2 AND outbox.dead = 0 AND outbox.blocked = 0
    AND outbox.due_at <= v.column4 + 250000 AND outbox.lease_until <= v.column4
RETURNING id, tenant, topic, lane, incident_id, payload, traceparent, created_at, due_at, attempts, last_error, fence

-- name: reset_leases
-- Ends the leases of a process that is no more.
UPDATE outbox SET lease_owner = '', lease_until = 0 WHERE lease_owner <> ''

-- name: backlog
-- How many live rows a topic has and when the oldest was made.
SELECT count(*), min(created_at) FROM outbox WHERE topic = ? AND dead = 0

-- name: remove_dead
-- Ends dead letters. Their lanes have gone on without them.
DELETE FROM outbox
WHERE id IN (
    SELECT o.id FROM (VALUES (?, ?)) AS v
    CROSS JOIN outbox AS o ON o.id = unhex(v.column2, '-') AND o.tenant = v.column1
    WHERE o.dead = 1
)

-- name: dead_letters
-- A tenant's dead letters behind one of them, oldest first; of one topic or incident when told.
SELECT id, tenant, topic, lane, incident_id, payload, traceparent, created_at, due_at, attempts, last_error, fence
FROM outbox
WHERE dead = 1 AND tenant = :tenant AND id > unhex(:after, '-') AND (:topic = '' OR topic = :topic)
    AND (:incident IS NULL OR incident_id = unhex(:incident, '-'))
ORDER BY id
LIMIT :limit

-- name: dead_by_id
-- Those of many dead letters that exist.
SELECT o.id, o.tenant, o.topic, o.lane, o.incident_id, o.payload, o.traceparent, o.created_at, o.due_at, o.attempts,
    o.last_error, o.fence
FROM (VALUES (?, ?)) AS v
CROSS JOIN outbox AS o ON o.id = unhex(v.column2, '-') AND o.tenant = v.column1
WHERE o.dead = 1

-- name: count_dead
-- How many dead letters a tenant has; of one topic or incident when told.
SELECT count(*) FROM outbox
WHERE dead = 1 AND tenant = :tenant AND (:topic = '' OR topic = :topic)
    AND (:incident IS NULL OR incident_id = unhex(:incident, '-'))

-- name: dead_by_topic
-- How many dead letters there are of each topic.
SELECT topic, count(*) FROM outbox WHERE dead = 1 GROUP BY topic

-- name: insert_deliveries
-- New notifications; one that exists stays as it is.
INSERT INTO delivery (
    id, tenant, incident_id, channel, route, reason, dedup_key, state, attempts, error, created_at, updated_at
)
SELECT unhex(column1, '-'), column2, unhex(column3, '-'), column4, column5, column6, column7, column8, column9,
    column10, column11, column12
FROM (VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)) WHERE column1 IS NOT NULL
ON CONFLICT DO NOTHING

-- name: update_deliveries
-- How far notifications are.
UPDATE delivery SET state = v.column3, attempts = v.column4, error = v.column5, updated_at = v.column6
FROM (VALUES (?, ?, ?, ?, ?, ?)) AS v
WHERE delivery.id = unhex(v.column1, '-') AND delivery.tenant = v.column2

-- name: deliveries
-- What was sent for an incident, oldest first.
SELECT id, tenant, incident_id, channel, route, reason, dedup_key, state, attempts, error, created_at, updated_at
FROM delivery
WHERE tenant = ? AND incident_id = unhex(?, '-')
ORDER BY id
