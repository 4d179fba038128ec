-- The ledger of events, their bodies, and what is told and kept about incidents.

-- name: insert_events
-- Ledger rows.
INSERT INTO event (id, tenant, incident_id, disposition, reason, event_time, received_at, duplicate_of)
SELECT unhex(column1, '-'), column2, unhex(column3, '-'), column4, column5, column6, column7, unhex(column8, '-')
FROM (VALUES (?, ?, ?, ?, ?, ?, ?, ?)) WHERE column1 IS NOT NULL

-- name: insert_bodies
-- Whole events.
INSERT INTO event_body (event_id, tenant, body, decision)
SELECT unhex(column1, '-'), column2, column3, column4
FROM (VALUES (?, ?, ?, ?)) WHERE column1 IS NOT NULL

-- name: event
-- An event, with its body and decision where they were kept.
SELECT e.id, e.tenant, e.incident_id, e.disposition, e.reason, e.event_time, e.received_at, e.duplicate_of,
    b.body, b.decision
FROM event AS e
LEFT JOIN event_body AS b ON b.event_id = e.id
WHERE e.tenant = ? AND e.id = unhex(?, '-')

-- name: events_between
-- The events of a run of ids, both ends included.
SELECT id, tenant, incident_id, disposition, reason, event_time, received_at, duplicate_of
FROM event
WHERE tenant = ? AND id BETWEEN ? AND ?

-- name: events_by_id
-- Those of many events that are known, with bodies and decisions where they were kept.
SELECT e.id, e.tenant, e.incident_id, e.disposition, e.reason, e.event_time, e.received_at, e.duplicate_of,
    b.body, b.decision
FROM (VALUES (?, ?)) AS v
CROSS JOIN event AS e ON e.id = unhex(v.column2, '-') AND e.tenant = v.column1
LEFT JOIN event_body AS b ON b.event_id = e.id

-- name: move_events
-- Events that belong to another incident from now on.
UPDATE event SET incident_id = unhex(v.column3, '-')
FROM (VALUES (?, ?, ?)) AS v
WHERE event.id = unhex(v.column1, '-') AND event.tenant = v.column2

-- name: insert_timeline
-- Timeline entries.
INSERT INTO timeline (id, tenant, incident_id, at, kind, actor, text, details)
SELECT unhex(column1, '-'), column2, unhex(column3, '-'), column4, column5, column6, column7, column8
FROM (VALUES (?, ?, ?, ?, ?, ?, ?, ?)) WHERE column1 IS NOT NULL

-- name: timeline
-- An incident's timeline behind an entry, oldest first.
SELECT id, tenant, incident_id, at, kind, actor, text, details
FROM timeline
WHERE tenant = ?1 AND incident_id = unhex(?2, '-') AND id > unhex(?3, '-') AND (?5 IS NULL OR kind = ?5)
ORDER BY id
LIMIT ?4

-- name: insert_audit
-- Links of the audit chain.
INSERT INTO audit (tenant, writer, sequence, at, actor, action, resource, details, prev_hash, hash, version, proven_by,
    credential, source, before, after)
SELECT column1, column2, column3, column4, column5, column6, column7, column8, column9, column10, column11, column12,
    column13, column14, column15, column16
FROM (VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)) WHERE column1 IS NOT NULL

-- name: insert_changes
-- Material changes, numbered in this order.
INSERT INTO incident_change (tenant, incident_id, kind, at)
SELECT column1, unhex(column2, '-'), column3, column4
FROM (VALUES (?, ?, ?, ?)) WHERE column1 IS NOT NULL

-- name: feed_position
-- The number of the latest change.
SELECT coalesce(max(sequence), 0) FROM incident_change

-- name: feed_of_all
-- Changes behind a position with the incidents as they are now.
SELECT {columns}, c.sequence, c.kind
FROM incident_change AS c
CROSS JOIN incident AS i ON i.id = c.incident_id
WHERE c.sequence > ?
ORDER BY c.sequence
LIMIT ?

-- name: feed_of_tenant
-- A tenant's changes behind a position with the incidents as they are now.
SELECT {columns}, c.sequence, c.kind
FROM incident_change AS c
CROSS JOIN incident AS i ON i.id = c.incident_id
WHERE c.sequence > ? AND c.tenant = ?
ORDER BY c.sequence
LIMIT ?
