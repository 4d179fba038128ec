-- Retention. Each statement touches a bounded number of rows, the oldest first.

-- name: expire_bodies
-- Whole events older than an id.
DELETE FROM event_body
WHERE event_id IN (SELECT event_id FROM event_body WHERE event_id < unhex(:first, '-') ORDER BY event_id LIMIT :limit)

-- name: expire_events
-- Ledger rows older than an id.
DELETE FROM event WHERE id IN (SELECT id FROM event WHERE id < unhex(:first, '-') ORDER BY id LIMIT :limit)

-- name: next_events
-- Where a run of ledger rows behind an id ends.
SELECT max(id)
FROM (SELECT id FROM event WHERE id > :after AND id < unhex(:first, '-') ORDER BY id LIMIT :limit)

-- name: expire_finished_events
-- The ledger rows of a run that belong to no open incident.
DELETE FROM event
WHERE id > :after AND id <= :last AND NOT EXISTS (
    SELECT 1 FROM incident AS i WHERE i.id = event.incident_id AND i.state NOT IN ('RESOLVED', 'CLOSED')
)

-- name: expire_changes
-- The first changes of the feed, as far as they are old and what lists ask has followed them. The last one stays: it
-- says how far the feed has come.
DELETE FROM incident_change
WHERE sequence IN (SELECT sequence FROM incident_change ORDER BY sequence LIMIT :limit) AND at < :before
    AND sequence <= (SELECT min(p.sequence) FROM index_position AS p)
    AND sequence < (SELECT max(sequence) FROM incident_change)

-- name: tables_of_incidents
-- The tables with rows about an incident.
SELECT m.name FROM sqlite_schema AS m CROSS JOIN pragma_table_info(m.name) AS c
WHERE m.type = 'table' AND c.name = 'incident_id'
ORDER BY m.name

-- name: expire_of_incidents
-- What a table keeps about the incidents that go next; the timeline stands for any such table.
DELETE FROM timeline WHERE incident_id IN (
    SELECT id FROM incident
    WHERE state IN ('RESOLVED', 'CLOSED') AND coalesce(closed_at, resolved_at) < :before AND updated_at < :before
    ORDER BY coalesce(closed_at, resolved_at), id LIMIT :limit
)

-- name: expire_outbox
-- The work about them that was given up.
DELETE FROM outbox WHERE dead = 1 AND incident_id IN (
    SELECT id FROM incident
    WHERE state IN ('RESOLVED', 'CLOSED') AND coalesce(closed_at, resolved_at) < :before AND updated_at < :before
    ORDER BY coalesce(closed_at, resolved_at), id LIMIT :limit
)

-- name: expire_incidents
-- The incidents that go next.
DELETE FROM incident WHERE id IN (
    SELECT id FROM incident
    WHERE state IN ('RESOLVED', 'CLOSED') AND coalesce(closed_at, resolved_at) < :before AND updated_at < :before
    ORDER BY coalesce(closed_at, resolved_at), id LIMIT :limit
)

-- name: size
-- Pages in use, in bytes.
SELECT (p.page_count - f.freelist_count) * s.page_size
FROM pragma_page_count AS p, pragma_freelist_count AS f, pragma_page_size AS s
