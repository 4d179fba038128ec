-- name: incident_by_id
SELECT {incident} FROM incident AS i WHERE i.tenant = $1 AND i.id = $2;

-- name: incidents_by_id
SELECT {incident} FROM incident AS i WHERE i.tenant = $1 AND i.id = ANY($2::uuid[]) ORDER BY i.id;

-- name: incident_by_number
SELECT {incident} FROM incident AS i WHERE i.tenant = $1 AND i.number = $2;

-- name: select_incidents
-- A list; what `filters` writes follows.
SELECT {incident_columns} FROM incident;

-- name: id_of_number
SELECT i.id FROM incident AS i WHERE i.tenant = $1 AND i.number = $2;

-- name: lease_numbers
-- The next $3 numbers of a day; returns the first.
INSERT INTO incident_number AS n (tenant, day, next)
VALUES ($1, $2, 1 + $3::bigint)
ON CONFLICT (tenant, day) DO UPDATE SET next = n.next + $3
RETURNING next - $3;

-- name: save_incidents
-- Everything of incidents that can change.
UPDATE incident AS i
SET {incident_assignments}
FROM unnest({incident_arrays}) AS r ({incident_columns})
WHERE i.id = r.id AND i.tenant = r.tenant;

-- name: save_breaches
-- The moments at which promises were broken, of incidents that are otherwise unchanged.
UPDATE incident AS i
SET acknowledge_breached_at = r.acknowledge_breached_at, resolve_breached_at = r.resolve_breached_at,
    updated_at = r.updated_at, revision = r.revision
FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[])
    AS r (id, tenant, acknowledge_breached_at, resolve_breached_at, updated_at, revision)
WHERE i.id = r.id AND i.tenant = r.tenant;

-- name: add_tallies
-- Counters of incidents that are otherwise unchanged; an incident may have several rows.
UPDATE incident AS i
SET event_count = i.event_count + t.events,
    tokens = i.tokens + t.tokens,
    cost_usd = i.cost_usd + t.cost,
    users_affected = GREATEST(i.users_affected, t.users),
    first_seen_at = LEAST(i.first_seen_at, t.first_at),
    last_seen_at = GREATEST(i.last_seen_at, t.last_at)
FROM (
    SELECT r.tenant, r.id, sum(r.events)::bigint AS events, sum(r.tokens)::bigint AS tokens, sum(r.cost) AS cost,
        max(r.users) AS users, min(r.first_at) AS first_at, max(r.last_at) AS last_at
    FROM unnest(
        $1::text[], $2::uuid[], $3::bigint[], $4::bigint[], $5::double precision[], $6::bigint[], $7::bigint[], $8::bigint[]
    ) AS r (tenant, id, events, tokens, cost, users, first_at, last_at)
    GROUP BY r.tenant, r.id
) AS t
WHERE i.id = t.id AND i.tenant = t.tenant;

-- name: set_routes
-- The routes chosen for incidents that nobody has locked yet: locked in the order of ids, as everybody does.
UPDATE incident AS i
SET route = r.route
FROM (
    SELECT o.id, c.route
    FROM incident AS o
    JOIN unnest($1::text[], $2::uuid[], $3::text[]) AS c (tenant, id, route) USING (tenant, id)
    ORDER BY o.id
    FOR NO KEY UPDATE OF o
) AS r
WHERE i.id = r.id;

-- name: release_keys
-- Fingerprints that incidents hold no longer.
DELETE FROM incident_key AS k
USING unnest($1::text[], $2::smallint[], $3::text[], $4::uuid[]) AS r (tenant, fp_version, fingerprint, incident_id)
WHERE k.tenant = r.tenant AND k.fp_version = r.fp_version AND k.fingerprint = r.fingerprint
    AND k.incident_id = r.incident_id;

-- name: pass_keys_on
-- Fingerprints that go from one incident to its successor within one transaction.
UPDATE incident_key AS k
SET incident_id = r.successor, event_count = NULL
FROM unnest($1::text[], $2::smallint[], $3::text[], $4::uuid[], $5::uuid[])
    AS r (tenant, fp_version, fingerprint, incident_id, successor)
WHERE k.tenant = r.tenant AND k.fp_version = r.fp_version AND k.fingerprint = r.fingerprint
    AND k.incident_id = r.incident_id;

-- name: move_keys
-- Held fingerprints that go to another incident, each from the one that holds it.
UPDATE incident_key AS k
SET incident_id = r.after, event_count = r.events
FROM unnest($1::text[], $2::smallint[], $3::text[], $4::uuid[], $5::uuid[], $6::bigint[])
    AS r (tenant, fp_version, fingerprint, before, after, events)
WHERE k.tenant = r.tenant AND k.fp_version = r.fp_version AND k.fingerprint = r.fingerprint
    AND k.incident_id = r.before;

-- name: add_key_counts
-- Events of fingerprints that are counted one by one.
UPDATE incident_key AS k
SET event_count = k.event_count + r.events
FROM unnest($1::text[], $2::smallint[], $3::text[], $4::bigint[]) AS r (tenant, fp_version, fingerprint, events)
WHERE k.tenant = r.tenant AND k.fp_version = r.fp_version AND k.fingerprint = r.fingerprint;

-- name: remember_keys
-- Who held a fingerprint last, and when it was let go: that is when the incident changed. Runs after the incidents.
INSERT INTO incident_key_released AS k (tenant, fp_version, fingerprint, incident_id, released_at)
SELECT DISTINCT ON (r.tenant, r.fp_version, r.fingerprint) r.tenant, r.fp_version, r.fingerprint, i.id, i.updated_at
FROM unnest($1::text[], $2::smallint[], $3::text[], $4::uuid[])
    WITH ORDINALITY AS r (tenant, fp_version, fingerprint, incident_id, position)
JOIN incident AS i ON i.id = r.incident_id AND i.tenant = r.tenant
ORDER BY r.tenant, r.fp_version, r.fingerprint, r.position DESC
ON CONFLICT (tenant, fp_version, fingerprint)
DO UPDATE SET incident_id = excluded.incident_id, released_at = excluded.released_at;

-- name: timeline
-- What happened to an incident, oldest first.
SELECT {timeline}
FROM timeline AS t
WHERE t.tenant = $1 AND t.incident_id = $2 AND t.id > $3 AND ($5::text IS NULL OR t.kind = $5)
ORDER BY t.id
LIMIT $4;
