-- The copies that lists ask, and how far each has followed the change feed.

-- name: stale_incidents
-- Incidents of a tenant that changed since the copy came by.
SELECT DISTINCT hex(incident_id)
FROM incident_change
WHERE tenant = ? AND sequence > (SELECT sequence FROM index_position WHERE name = 'incident_index')
LIMIT ?

-- name: unfollowed
-- The next changes for a copy.
SELECT c.sequence, c.incident_id
FROM index_position AS p
CROSS JOIN incident_change AS c ON c.sequence > p.sequence
WHERE p.name = ?
ORDER BY c.sequence
LIMIT ?

-- name: follow
-- A copy has followed so far.
UPDATE index_position SET sequence = ? WHERE name = ?

-- name: copy_incidents
-- The incidents of these changes, both ends included, as they are now.
INSERT INTO incident_index ({copied})
SELECT {copied} FROM incident
WHERE id IN (SELECT incident_id FROM incident_change WHERE sequence BETWEEN ? AND ?)
ORDER BY tenant, id
ON CONFLICT DO UPDATE SET {copied_changes}
WHERE ({copied_before}) IS NOT ({copied_after})
