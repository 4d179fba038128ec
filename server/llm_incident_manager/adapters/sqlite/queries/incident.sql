-- Incidents, their keys and their numbers. {columns}, {values}, {marks} and {changes} are lists that adapters.sql.records
-- orders: see statements.py. Ids arrive as text and are stored as 16 bytes. `VALUES (?, …)` is repeated for each row of
-- a bulk statement; rows of NULLs fill up the last one, so every bulk statement must pass them over.

-- name: incident_by_id
-- The incident of an id.
SELECT {columns} FROM incident AS i WHERE i.tenant = ? AND i.id = unhex(?, '-')

-- name: incident_by_number
-- The incident of a number.
SELECT {columns} FROM incident AS i WHERE i.tenant = ? AND i.number = ?

-- name: incidents_by_id
-- Those of many incidents that exist.
SELECT {columns}
FROM (VALUES (?, ?)) AS v
CROSS JOIN incident AS i ON i.id = unhex(v.column2, '-') AND i.tenant = v.column1

-- name: list_incidents
-- Incidents; adapters.sql.filters writes what follows.
SELECT {names} FROM incident

-- name: insert_incidents
-- New incidents.
INSERT INTO incident ({names})
SELECT {values} FROM (VALUES ({marks})) WHERE column1 IS NOT NULL

-- name: update_incidents
-- All that may change of many incidents.
UPDATE incident SET {changes}
FROM (VALUES ({marks})) AS v
WHERE incident.id = unhex(v.column1, '-') AND incident.tenant = v.{tenant}

-- name: set_breaches
-- The moments at which promises were broken, of many incidents that are otherwise unchanged.
UPDATE incident SET
    acknowledge_breached_at = v.column3, resolve_breached_at = v.column4, updated_at = v.column5, revision = v.column6
FROM (VALUES (?, ?, ?, ?, ?, ?)) AS v
WHERE incident.id = unhex(v.column1, '-') AND incident.tenant = v.column2

-- name: add_tallies
-- Counters of many incidents, each of them once. Absent times leave first_seen_at and last_seen_at alone.
UPDATE incident SET
    event_count = event_count + v.column3,
    tokens = tokens + v.column4,
    cost_usd = cost_usd + v.column5,
    users_affected = max(users_affected, v.column6),
    first_seen_at = min(first_seen_at, coalesce(v.column7, first_seen_at)),
    last_seen_at = max(last_seen_at, coalesce(v.column8, last_seen_at))
FROM (VALUES (?, ?, ?, ?, ?, ?, ?, ?)) AS v
WHERE incident.id = unhex(v.column2, '-') AND incident.tenant = v.column1

-- name: set_routes
-- The routes chosen for incidents.
UPDATE incident SET route = v.column3
FROM (VALUES (?, ?, ?)) AS v
WHERE incident.id = unhex(v.column2, '-') AND incident.tenant = v.column1

-- name: holder
-- The incident that holds a fingerprint.
SELECT incident_id FROM incident_key WHERE tenant = ? AND fp_version = ? AND fingerprint = ?

-- name: holders
-- The incidents that hold many fingerprints, in short, with the fingerprint. All in one row of JSON: each row is a step,
-- and after each step the thread has to win the interpreter back.
SELECT json_group_array(json_array(
    k.tenant, k.fp_version, k.fingerprint, k.event_count IS NOT NULL, hex(i.id), i.state, i.severity, i.event_count,
    i.first_seen_at, i.last_seen_at
))
FROM (VALUES (?, ?, ?)) AS v
CROSS JOIN incident_key AS k ON k.tenant = v.column1 AND k.fp_version = v.column2 AND k.fingerprint = v.column3
CROSS JOIN incident AS i ON i.id = k.incident_id

-- name: previous_holders
-- The incidents that held many fingerprints last.
SELECT k.incident_id, k.tenant, k.fp_version, k.fingerprint
FROM (VALUES (?, ?, ?)) AS v
CROSS JOIN incident_key_released AS k
    ON k.tenant = v.column1 AND k.fp_version = v.column2 AND k.fingerprint = v.column3

-- name: take_keys
-- Fingerprints for their incidents; fails when one is taken.
INSERT INTO incident_key (tenant, fp_version, fingerprint, incident_id)
SELECT column1, column2, column3, unhex(column4, '-')
FROM (VALUES (?, ?, ?, ?)) WHERE column1 IS NOT NULL

-- name: remove_keys
-- Frees fingerprints, each from the incident that holds it and from no other.
DELETE FROM incident_key
WHERE (tenant, fp_version, fingerprint, incident_id) IN (
    SELECT column1, column2, column3, unhex(column4, '-') FROM (VALUES (?, ?, ?, ?)) WHERE column1 IS NOT NULL
)

-- name: move_keys
-- Held fingerprints that go to another incident, each from the one that holds it.
UPDATE incident_key SET incident_id = unhex(v.column5, '-'), event_count = v.column6
FROM (VALUES (?, ?, ?, ?, ?, ?)) AS v
WHERE incident_key.tenant = v.column1 AND incident_key.fp_version = v.column2 AND incident_key.fingerprint = v.column3
    AND incident_key.incident_id = unhex(v.column4, '-')

-- name: add_key_counts
-- Events of fingerprints that are counted one by one.
UPDATE incident_key SET event_count = event_count + v.column4
FROM (VALUES (?, ?, ?, ?)) AS v
WHERE incident_key.tenant = v.column1 AND incident_key.fp_version = v.column2 AND incident_key.fingerprint = v.column3

-- name: key_counts
-- How many events held fingerprints had.
SELECT k.tenant, k.fp_version, k.fingerprint, k.event_count
FROM (VALUES (?, ?, ?)) AS v
CROSS JOIN incident_key AS k ON k.tenant = v.column1 AND k.fp_version = v.column2 AND k.fingerprint = v.column3

-- name: remember_keys
-- The incident that held a fingerprint last, and when it was changed last: that change released it.
INSERT INTO incident_key_released (tenant, fp_version, fingerprint, incident_id, released_at)
SELECT v.column1, v.column2, v.column3, i.id, i.updated_at
FROM (VALUES (?, ?, ?, ?)) AS v
CROSS JOIN incident AS i ON i.id = unhex(v.column4, '-') AND i.tenant = v.column1
WHERE true
ON CONFLICT DO UPDATE SET incident_id = excluded.incident_id, released_at = excluded.released_at

-- name: lease_numbers
-- Takes numbers of a tenant's day; answers with the first of them.
INSERT INTO incident_number (tenant, day, next) VALUES (:tenant, :day, 1 + :size)
ON CONFLICT DO UPDATE SET next = next + :size
RETURNING next - :size
