-- What was recorded about many incidents.

-- name: timeline_of_many
-- How incidents were opened, moved from state to state, routed and assigned.
SELECT t.id, t.tenant, t.incident_id, t.at, t.kind, t.actor, t.text, t.details
FROM (VALUES (?, ?)) AS v
CROSS JOIN timeline AS t ON t.incident_id = unhex(v.column2, '-') AND t.tenant = v.column1
WHERE t.kind IN ('OPENED', 'STATE', 'ROUTED', 'ASSIGNED')

-- name: deliveries_of_many
-- What was sent for incidents.
SELECT d.id, d.tenant, d.incident_id, d.channel, d.route, d.reason, d.dedup_key, d.state, d.attempts, d.error,
    d.created_at, d.updated_at
FROM (VALUES (?, ?)) AS v
CROSS JOIN delivery AS d ON d.incident_id = unhex(v.column2, '-') AND d.tenant = v.column1

-- name: attachments_of_many
-- Their links to material elsewhere.
SELECT a.id, a.tenant, a.incident_id, a.url, a.title, a.media_type, a.actor, a.at
FROM (VALUES (?, ?)) AS v
CROSS JOIN incident_attachment AS a ON a.incident_id = unhex(v.column2, '-') AND a.tenant = v.column1
