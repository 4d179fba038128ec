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

-- name: announce_all
-- After a restore: who follows the feed from its start must hear of the incidents whose changes it has forgotten.
INSERT INTO incident_change (tenant, incident_id, kind, at)
SELECT i.tenant, i.id, 'UPDATED', i.updated_at FROM incident AS i
WHERE i.id NOT IN (SELECT c.incident_id FROM incident_change AS c)
ORDER BY i.id

-- name: undocumented
-- The texts of incidents whose words may have changed between two changes, both included.
SELECT i.id, i.tenant, i.title, i.description, i.labels, (
    SELECT json_group_array(t.text) FROM timeline AS t WHERE t.incident_id = i.id AND t.kind = 'NOTE'
)
FROM incident AS i
WHERE i.id IN (
    SELECT c.incident_id FROM incident_change AS c
    WHERE c.sequence BETWEEN ? AND ? AND c.kind NOT IN ('STATE', 'SEVERITY', 'RECURRED')
)
ORDER BY i.id

-- name: document_place
-- Where the words of an incident stand, and otherwise the last place before a limit.
SELECT (SELECT place FROM incident_document WHERE incident_id = ?1), (
    SELECT max(place) FROM incident_document WHERE place < ?2
)

-- name: add_document
-- A place for an incident's words.
INSERT INTO incident_document (place, tenant, incident_id) VALUES (?, ?, ?)

-- name: put_words
-- The words of a place.
INSERT OR REPLACE INTO incident_words (rowid, words) VALUES (?, ?)

-- name: merge_words
-- Writes so many pages of the index of words anew, without the words that were deleted.
INSERT INTO incident_words (incident_words, rank) VALUES ('merge', ?)

-- name: analyse
-- How the copies are distributed, from a sample: a few milliseconds at any size. Readers take it up when it is new.
PRAGMA analysis_limit = 1000;
ANALYZE incident_index;
ANALYZE incident_term
