-- How incidents belong together, and what hangs on them.

-- name: add_links
-- Links; one that exists stays as it is.
INSERT INTO incident_link (tenant, incident_id, relation, other_id, at, actor, reason)
SELECT * FROM unnest($1::text[], $2::uuid[], $3::smallint[], $4::uuid[], $5::bigint[], $6::text[], $7::text[])
ON CONFLICT (incident_id, relation, other_id) DO NOTHING;

-- name: remove_links
DELETE FROM incident_link AS l
USING unnest($1::uuid[], $2::smallint[], $3::uuid[], $4::text[]) AS r (incident_id, relation, other_id, tenant)
WHERE l.incident_id = r.incident_id AND l.relation = r.relation AND l.other_id = r.other_id AND l.tenant = r.tenant;

-- name: related
-- The incidents that one has to do with, by relation and id, behind a place in that order.
SELECT {incident}, l.relation, l.at, l.actor, l.reason
FROM (
    SELECT relation, other_id, at, actor, reason FROM incident_link WHERE tenant = $1 AND incident_id = $2
    UNION ALL
    SELECT 5, previous_id, created_at, '', '' FROM incident WHERE tenant = $1 AND id = $2 AND previous_id IS NOT NULL
    UNION ALL
    SELECT 6, id, created_at, '', '' FROM incident WHERE tenant = $1 AND previous_id = $2
) AS l
JOIN incident AS i ON i.id = l.other_id AND i.tenant = $1
WHERE (l.relation, l.other_id) > ($3, $4::uuid)
ORDER BY l.relation, l.other_id
LIMIT $5;

-- name: remove_attachments
DELETE FROM incident_attachment AS a
USING unnest($1::uuid[], $2::uuid[], $3::text[]) AS r (incident_id, id, tenant)
WHERE a.incident_id = r.incident_id AND a.id = r.id AND a.tenant = r.tenant;

-- name: attachments
-- An incident's attachments behind one of them, oldest first.
SELECT {attachment}
FROM incident_attachment AS a
WHERE a.tenant = $1 AND a.incident_id = $2 AND a.id > $3
ORDER BY a.id
LIMIT $4;

-- name: save_analyses
-- Questions, and how far they are; what is answered stays as it is.
INSERT INTO incident_analysis (
    id, tenant, incident_id, question, state, requested_by, requested_at, updated_at, attempts, error, confidence,
    recommended, applied, findings
)
SELECT * FROM unnest(
    $1::uuid[], $2::text[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::bigint[], $8::bigint[], $9::integer[],
    $10::text[], $11::double precision[], $12::smallint[], $13::boolean[], $14::bytea[]
)
ON CONFLICT (incident_id, id) DO UPDATE SET
    state = excluded.state, updated_at = excluded.updated_at, attempts = excluded.attempts, error = excluded.error,
    confidence = excluded.confidence, recommended = excluded.recommended, applied = excluded.applied,
    findings = excluded.findings
WHERE incident_analysis.state <> 'answered' AND incident_analysis.tenant = excluded.tenant;

-- name: analyses
SELECT {analysis}
FROM incident_analysis AS a
WHERE a.tenant = $1 AND a.incident_id = $2 AND a.id > $3
ORDER BY a.id
LIMIT $4;

-- name: timelines
-- What happened to many incidents: of each the first, oldest first.
SELECT {timeline}
FROM unnest($2::uuid[]) AS v (id)
CROSS JOIN LATERAL (
    SELECT *
    FROM timeline AS u
    WHERE u.tenant = $1 AND u.incident_id = v.id AND ($4::text IS NULL OR u.kind = $4)
    ORDER BY u.id
    LIMIT $3
) AS t
ORDER BY t.incident_id, t.id;

-- name: related_of_each
-- The incidents that each of many has to do with: of each the first by relation and id.
SELECT {incident}, l.relation, l.at, l.actor, l.reason, v.id
FROM unnest($2::uuid[]) AS v (id)
CROSS JOIN LATERAL (
    SELECT relation, other_id, at, actor, reason FROM incident_link WHERE tenant = $1 AND incident_id = v.id
    UNION ALL
    SELECT 5, previous_id, created_at, '', '' FROM incident WHERE tenant = $1 AND id = v.id AND previous_id IS NOT NULL
    UNION ALL
    SELECT 6, id, created_at, '', '' FROM incident WHERE tenant = $1 AND previous_id = v.id
    ORDER BY 1, 2
    LIMIT $3
) AS l
JOIN incident AS i ON i.id = l.other_id AND i.tenant = $1
ORDER BY v.id, l.relation, l.other_id;

-- name: attachments_of_each
-- Attachments of many incidents: of each the first, oldest first.
SELECT {attachment}
FROM unnest($2::uuid[]) AS v (id)
CROSS JOIN LATERAL (
    SELECT *
    FROM incident_attachment AS b
    WHERE b.tenant = $1 AND b.incident_id = v.id
    ORDER BY b.id
    LIMIT $3
) AS a
ORDER BY a.incident_id, a.id;
