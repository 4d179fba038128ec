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

-- name: incarnation
-- What changes whenever committed rows may be gone: another cluster or database, a server that was started (on what was
-- restored, or as the standby that took over), a table that was emptied.
SELECT md5(concat_ws('/', c.system_identifier, d.oid, pg_postmaster_start_time(), pg_relation_filenode('idempotency')))
FROM pg_control_system() AS c, pg_database AS d
WHERE d.datname = current_database();

-- name: claim_idempotency
-- The incarnation, and names that events already bear, or one row without a name when there are none. Not locked: the
-- rows never change, and a second insert of one fails.
WITH here AS (
    SELECT
        md5(
            concat_ws('/', c.system_identifier, d.oid, pg_postmaster_start_time(), pg_relation_filenode('idempotency'))
        ) AS incarnation
    FROM pg_control_system() AS c, pg_database AS d
    WHERE d.datname = current_database()
)
SELECT here.incarnation, i.tenant, i.key, i.event_id, i.incident_id, i.at
FROM here
LEFT JOIN (
    idempotency AS i JOIN unnest($1::text[], $2::text[]) AS k (tenant, key) USING (tenant, key)
) ON TRUE;

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
