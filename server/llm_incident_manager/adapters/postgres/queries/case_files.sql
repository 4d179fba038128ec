-- What was recorded about many incidents.

-- name: timeline_of_many
-- How incidents were opened, moved from state to state, routed and assigned.
SELECT {timeline}
FROM timeline AS t
WHERE t.tenant = $1 AND t.incident_id = ANY($2::uuid[]) AND t.kind IN ('OPENED', 'STATE', 'ROUTED', 'ASSIGNED')
ORDER BY t.id;

-- name: deliveries_of_many
-- What was sent for incidents.
SELECT {delivery} FROM delivery AS d WHERE d.tenant = $1 AND d.incident_id = ANY($2::uuid[]) ORDER BY d.id;

-- name: attachments_of_many
-- Their links to material elsewhere.
SELECT {attachment}
FROM incident_attachment AS a
WHERE a.tenant = $1 AND a.incident_id = ANY($2::uuid[])
ORDER BY a.id;
