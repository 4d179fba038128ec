-- How incidents belong together, what hangs on them, and figures over many.

-- name: insert_links
-- Links; one that exists stays as it is.
INSERT INTO incident_link (tenant, incident_id, relation, other_id, at, actor, reason)
SELECT column1, unhex(column2, '-'), column3, unhex(column4, '-'), column5, column6, column7
FROM (VALUES (?, ?, ?, ?, ?, ?, ?)) WHERE column1 IS NOT NULL
ON CONFLICT DO NOTHING

-- name: remove_links
-- Ends links.
DELETE FROM incident_link
WHERE (incident_id, relation, other_id, tenant) IN (
    SELECT unhex(column1, '-'), column2, unhex(column3, '-'), column4
    FROM (VALUES (?, ?, ?, ?)) WHERE column1 IS NOT NULL
)

-- name: related
-- The incidents that one has to do with, by relation and id, behind a place in that order.
SELECT {columns}, l.relation, l.at, l.actor, l.reason
FROM (
    SELECT relation, other_id, at, actor, reason
    FROM incident_link
    WHERE tenant = :tenant AND incident_id = unhex(:incident, '-')
    UNION ALL
    SELECT 5, previous_id, created_at, '', ''
    FROM incident
    WHERE tenant = :tenant AND id = unhex(:incident, '-') AND previous_id IS NOT NULL
    UNION ALL
    SELECT 6, id, created_at, '', '' FROM incident WHERE tenant = :tenant AND previous_id = unhex(:incident, '-')
) AS l
CROSS JOIN incident AS i ON i.id = l.other_id AND i.tenant = :tenant
WHERE (l.relation, l.other_id) > (:relation, unhex(:other, '-'))
ORDER BY l.relation, l.other_id
LIMIT :limit

-- name: insert_attachments
-- Links to material elsewhere.
INSERT INTO incident_attachment (id, tenant, incident_id, url, title, media_type, actor, at)
SELECT unhex(column1, '-'), column2, unhex(column3, '-'), column4, column5, column6, column7, column8
FROM (VALUES (?, ?, ?, ?, ?, ?, ?, ?)) WHERE column1 IS NOT NULL

-- name: remove_attachments
-- Ends links to material elsewhere.
DELETE FROM incident_attachment
WHERE (incident_id, id, tenant) IN (
    SELECT unhex(column1, '-'), unhex(column2, '-'), column3 FROM (VALUES (?, ?, ?)) WHERE column1 IS NOT NULL
)

-- name: attachments
-- An incident's attachments behind one of them, oldest first.
SELECT id, tenant, incident_id, url, title, media_type, actor, at
FROM incident_attachment
WHERE tenant = ? AND incident_id = unhex(?, '-') AND id > unhex(?, '-')
ORDER BY id
LIMIT ?

-- name: save_analyses
-- Questions, and how far they are; what is answered stays as it is.
INSERT INTO incident_analysis (
    id, tenant, incident_id, question, state, requested_by, requested_at, updated_at, attempts, error, confidence,
    recommended, applied, findings
)
SELECT unhex(column1, '-'), column2, unhex(column3, '-'), column4, column5, column6, column7, column8, column9, column10,
    column11, column12, column13, column14
FROM (VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)) WHERE column1 IS NOT NULL
ON CONFLICT (incident_id, id) DO UPDATE SET
    state = excluded.state, updated_at = excluded.updated_at, attempts = excluded.attempts, error = excluded.error,
    confidence = excluded.confidence, recommended = excluded.recommended, applied = excluded.applied,
    findings = excluded.findings
WHERE incident_analysis.state <> 'answered' AND incident_analysis.tenant = excluded.tenant

-- name: analyses
-- What was asked about an incident behind one of the questions, oldest first.
SELECT id, tenant, incident_id, question, state, requested_by, requested_at, updated_at, attempts, error, confidence,
    recommended, applied, findings
FROM incident_analysis
WHERE tenant = ? AND incident_id = unhex(?, '-') AND id > unhex(?, '-')
ORDER BY id
LIMIT ?

-- name: timelines
-- What happened to many incidents: of each the first, oldest first.
SELECT t.id, t.tenant, t.incident_id, t.at, t.kind, t.actor, t.text, t.details
FROM json_each(:incidents) AS v
CROSS JOIN timeline AS t ON t.incident_id = unhex(v.value, '-') AND t.tenant = :tenant AND t.id IN (
    SELECT u.id
    FROM timeline AS u
    WHERE u.incident_id = unhex(v.value, '-') AND u.tenant = :tenant AND (:kind IS NULL OR u.kind = :kind)
    ORDER BY u.id
    LIMIT :limit
)
ORDER BY t.incident_id, t.id

-- name: related_of_each
-- The incidents that each of many has to do with: of each the first by relation and id.
WITH asked AS MATERIALIZED (
    SELECT unhex(value, '-') AS id FROM json_each(:incidents)
), related AS (
    SELECT l.incident_id AS of_id, l.relation, l.other_id, l.at, l.actor, l.reason
    FROM asked CROSS JOIN incident_link AS l ON l.incident_id = asked.id AND l.tenant = :tenant
    UNION ALL
    SELECT i.id, 5, i.previous_id, i.created_at, '', ''
    FROM asked CROSS JOIN incident AS i ON i.id = asked.id AND i.tenant = :tenant
    WHERE i.previous_id IS NOT NULL
    UNION ALL
    SELECT i.previous_id, 6, i.id, i.created_at, '', ''
    FROM asked CROSS JOIN incident AS i ON i.previous_id = asked.id AND i.tenant = :tenant
), placed AS (
    SELECT related.*, row_number() OVER (PARTITION BY of_id ORDER BY relation, other_id) AS place FROM related
)
SELECT {columns}, p.relation, p.at, p.actor, p.reason, p.of_id
FROM placed AS p
CROSS JOIN incident AS i ON i.id = p.other_id AND i.tenant = :tenant
WHERE p.place <= :limit
ORDER BY p.of_id, p.relation, p.other_id

-- name: attachments_of_each
-- Attachments of many incidents: of each the first, oldest first.
SELECT a.id, a.tenant, a.incident_id, a.url, a.title, a.media_type, a.actor, a.at
FROM json_each(:incidents) AS v
CROSS JOIN incident_attachment AS a ON a.incident_id = unhex(v.value, '-') AND a.tenant = :tenant AND a.id IN (
    SELECT b.id
    FROM incident_attachment AS b
    WHERE b.incident_id = unhex(v.value, '-') AND b.tenant = :tenant
    ORDER BY b.id
    LIMIT :limit
)
ORDER BY a.incident_id, a.id
