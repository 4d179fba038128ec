-- name: event
-- An event with its body and decision.
SELECT {event}, b.body, b.decision
FROM event AS e
LEFT JOIN event_body AS b ON b.event_id = e.id
WHERE e.id = $2 AND e.tenant = $1;

-- name: events_by_id
-- Ledger rows.
SELECT {event} FROM event AS e WHERE e.tenant = $1 AND e.id = ANY($2::uuid[]);

-- name: whole_events
-- Events with their bodies and decisions where they were kept, in id order.
SELECT {event}, b.body, b.decision
FROM event AS e
LEFT JOIN event_body AS b ON b.event_id = e.id
WHERE e.tenant = $1 AND e.id = ANY($2::uuid[])
ORDER BY e.id;

-- name: move_events
-- Events that belong to another incident from now on.
UPDATE event AS e
SET incident_id = r.incident_id
FROM unnest($1::uuid[], $2::text[], $3::uuid[]) AS r (id, tenant, incident_id)
WHERE e.id = r.id AND e.tenant = r.tenant;
