-- name: event
-- An event with its body and decision.
SELECT {event}, b.body, b.decision
FROM event AS e
LEFT JOIN event_body AS b ON b.event_id = e.id
WHERE e.id = $2 AND e.tenant = $1;

-- name: events_by_id
-- Ledger rows.
SELECT {event} FROM event AS e WHERE e.tenant = $1 AND e.id = ANY($2::uuid[]);
