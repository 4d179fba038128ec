-- The copies that lists ask, and how far each has followed the change feed.

-- name: stale_incidents
-- Incidents of a tenant that changed since the copy came by. Whatever can be seen counts, also what the copy must not
-- follow yet because an older transaction still runs.
SELECT DISTINCT c.incident_id
FROM index_position AS p
CROSS JOIN LATERAL (
    SELECT f.incident_id FROM incident_change AS f
    WHERE (f.transaction, f.sequence) > (p.transaction, p.sequence) AND f.tenant = $1
    ORDER BY f.transaction, f.sequence
    LIMIT $2
) AS c
WHERE p.name = 'incident_index';

-- name: take_position
-- A copy, for whoever comes first.
SELECT p.transaction::text::bigint, p.sequence FROM index_position AS p WHERE p.name = $1 FOR UPDATE SKIP LOCKED;

-- name: unfollowed
-- The next changes for a copy, up to where nothing older can still commit.
SELECT f.transaction::text::bigint, f.sequence, f.incident_id, f.kind
FROM incident_change AS f
WHERE (f.transaction, f.sequence) > ($1::bigint::text::xid8, $2)
    AND f.transaction < pg_snapshot_xmin(pg_current_snapshot())
ORDER BY f.transaction, f.sequence
LIMIT $3;

-- name: follow
-- A copy has followed so far.
UPDATE index_position SET transaction = $2::bigint::text::xid8, sequence = $3 WHERE name = $1;

-- name: copy_incidents
-- Incidents as they are now.
INSERT INTO incident_index AS i ({copied})
SELECT {copied} FROM incident WHERE id = ANY($1::uuid[]) ORDER BY tenant, id
ON CONFLICT (tenant, id) DO UPDATE SET {copied_changes}
WHERE ({copied_before}) IS DISTINCT FROM ({copied_after});

-- name: announce_all
-- After a restore: who follows the feed from its start must hear of the incidents whose changes it has forgotten.
INSERT INTO incident_change (tenant, incident_id, kind, at)
SELECT i.tenant, i.id, 'UPDATED', i.updated_at FROM incident AS i
WHERE NOT EXISTS (SELECT FROM incident_change AS c WHERE c.incident_id = i.id)
ORDER BY i.id;

-- name: undocumented
-- The texts of incidents.
SELECT i.id, i.tenant, i.title, i.description, i.labels, (
    SELECT coalesce(jsonb_agg(t.text), '[]') FROM timeline AS t WHERE t.incident_id = i.id AND t.kind = 'NOTE'
)
FROM incident AS i
WHERE i.id = ANY($1::uuid[]);

-- name: put_words
-- The words of incidents, each incident's in one text with spaces between them.
INSERT INTO incident_document (incident_id, tenant, words)
SELECT d.id, d.tenant, array_to_tsvector(string_to_array(d.words, ' '))
FROM unnest($1::uuid[], $2::text[], $3::text[]) AS d (id, tenant, words)
ON CONFLICT (incident_id) DO UPDATE SET words = excluded.words;
