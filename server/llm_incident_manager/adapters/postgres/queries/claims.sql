-- What an ingest transaction locks and reads. Each statement locks in key order; the order of the statements is
-- producers, keys, incidents, and every transaction keeps it.

-- name: claim_producers
-- Producers, locked.
SELECT p.tenant, p.principal, p.producer_id, p.epoch, p.last_sequence
FROM producer AS p
JOIN unnest($1::text[], $2::text[], $3::text[]) AS k (tenant, principal, producer_id)
    USING (tenant, principal, producer_id)
ORDER BY p.tenant, p.principal, p.producer_id
FOR UPDATE OF p;

-- name: claim_idempotency
-- Names that events already bear. Not locked: the rows never change, and a second insert of one fails.
SELECT i.tenant, i.key, i.event_id, i.incident_id, i.at
FROM idempotency AS i
JOIN unnest($1::text[], $2::text[]) AS k (tenant, key) USING (tenant, key);

-- name: claim_keys
-- Fingerprints held by open incidents, locked for good: a shared lock would deadlock with whoever releases the key.
SELECT k.tenant, k.fp_version, k.fingerprint, k.incident_id, k.event_count IS NOT NULL
FROM incident_key AS k
JOIN unnest($1::text[], $2::smallint[], $3::text[]) AS c (tenant, fp_version, fingerprint)
    USING (tenant, fp_version, fingerprint)
ORDER BY k.tenant, k.fp_version, k.fingerprint
FOR UPDATE OF k;

-- name: held_names
-- The fingerprints that these incidents hold if they are open, not locked: to learn what to lock.
SELECT i.id, i.fp_version, i.fingerprint, i.keys FROM incident AS i WHERE i.tenant = $1 AND i.id = ANY($2::uuid[]);

-- name: claim_held
-- Fingerprints held by these incidents, locked before the incidents are, as ingest does. Asked by their names: joined
-- to the incidents in one statement, the planner, who knows nothing of a table that has just grown, may scan it.
SELECT k.fp_version, k.fingerprint, k.incident_id
FROM incident_key AS k
JOIN unnest($1::text[], $2::smallint[], $3::text[], $4::uuid[]) AS c (tenant, fp_version, fingerprint, incident_id)
    USING (tenant, fp_version, fingerprint, incident_id)
ORDER BY k.tenant, k.fp_version, k.fingerprint
FOR UPDATE OF k;

-- name: claim_held_at_once
-- The same when the incident is locked already: nobody may be waited for now, so somebody else's lock is an error.
SELECT k.fp_version, k.fingerprint, k.incident_id
FROM incident_key AS k
JOIN unnest($1::text[], $2::smallint[], $3::text[], $4::uuid[]) AS c (tenant, fp_version, fingerprint, incident_id)
    USING (tenant, fp_version, fingerprint, incident_id)
FOR UPDATE OF k NOWAIT;

-- name: claim_holders
-- Incidents in short, locked.
SELECT i.id, i.tenant, i.state, i.severity, i.event_count, i.first_seen_at, i.last_seen_at
FROM incident AS i
JOIN unnest($1::uuid[], $2::text[]) AS c (id, tenant) ON c.id = i.id AND c.tenant = i.tenant
ORDER BY i.id
FOR UPDATE OF i;

-- name: claim_incidents
-- Incidents, locked.
SELECT {incident}
FROM incident AS i
JOIN unnest($1::uuid[], $2::text[]) AS c (id, tenant) ON c.id = i.id AND c.tenant = i.tenant
ORDER BY i.id
FOR UPDATE OF i;

-- name: key_counts
-- How many events held fingerprints had.
SELECT k.tenant, k.fp_version, k.fingerprint, k.event_count
FROM incident_key AS k
JOIN unnest($1::text[], $2::smallint[], $3::text[]) AS c (tenant, fp_version, fingerprint)
    USING (tenant, fp_version, fingerprint);

-- name: released_keys
-- The last resolved incidents of fingerprints.
SELECT r.tenant, r.fp_version, r.fingerprint, r.incident_id, FALSE
FROM incident_key_released AS r
JOIN unnest($1::text[], $2::smallint[], $3::text[]) AS c (tenant, fp_version, fingerprint)
    USING (tenant, fp_version, fingerprint);

-- name: holder
-- The incident that holds a fingerprint.
SELECT k.incident_id FROM incident_key AS k WHERE k.tenant = $1 AND k.fp_version = $2 AND k.fingerprint = $3;
