-- What `ledger check` asks, in words that both databases understand. Each statement answers a row for each offender: what
-- it is called, what is wrong with it, another id that the sentence ends with, and whether retention explains it. The
-- places in braces are filled by adapters/sql/ledger.py with numbers and words of this program's own.

-- name: by_disposition
-- How many events have which disposition.
SELECT disposition, count(*) FROM event GROUP BY disposition ORDER BY disposition

-- name: dispositions_total
SELECT count(*) FROM event

-- name: dispositions
SELECT id, 'has disposition ' || CAST(disposition AS TEXT) || ' for reason ' || reason, NULL, 0
FROM event WHERE NOT ({reasons})

-- name: event_incidents_total
SELECT count(*) FROM event WHERE incident_id IS NOT NULL

-- name: event_incidents
SELECT id, 'names no incident, and ' || reason || ' needs one', NULL, 0
FROM event WHERE incident_id IS NULL AND disposition <> {duplicate} AND reason NOT IN ({without_incident})
UNION ALL
SELECT id, 'is ' || reason || ' and names incident', incident_id, 0
FROM event WHERE incident_id IS NOT NULL AND reason IN ({without_incident})
UNION ALL
SELECT e.id, 'names an incident that does not exist:', e.incident_id, CASE WHEN e.id < {incidents} THEN 1 ELSE 0 END
FROM event AS e LEFT JOIN incident AS i ON i.id = e.incident_id AND i.tenant = e.tenant
WHERE i.id IS NULL AND e.incident_id IS NOT NULL AND e.disposition <> {duplicate}

-- name: duplicates_total
SELECT count(*) FROM event WHERE disposition = {duplicate}

-- name: duplicates
SELECT id, 'is a duplicate and names no event', NULL, 0
FROM event WHERE disposition = {duplicate} AND duplicate_of IS NULL
UNION ALL
SELECT id, 'is no duplicate and names event', duplicate_of, 0
FROM event WHERE disposition <> {duplicate} AND duplicate_of IS NOT NULL
UNION ALL
SELECT e.id, CASE WHEN f.id IS NULL THEN 'repeats an event that does not exist:' ELSE 'repeats a duplicate:' END,
    e.duplicate_of, CASE WHEN f.id IS NULL AND e.duplicate_of < {events} THEN 1 ELSE 0 END
FROM event AS e LEFT JOIN event AS f ON f.id = e.duplicate_of AND f.tenant = e.tenant
WHERE e.disposition = {duplicate} AND e.duplicate_of IS NOT NULL AND (f.id IS NULL OR f.disposition = {duplicate})

-- name: incident_counts_total
SELECT count(*) FROM incident

-- name: incident_counts
-- An incident counts its own events and those of all that were merged into it, over any number of steps.
WITH RECURSIVE above (id, target) AS (
    SELECT id, merged_into FROM incident WHERE merged_into IS NOT NULL
    UNION
    SELECT a.id, i.merged_into FROM above AS a JOIN incident AS i ON i.id = a.target WHERE i.merged_into IS NOT NULL
), own AS (
    SELECT incident_id AS id, count(*) AS events
    FROM event WHERE incident_id IS NOT NULL AND disposition IN ({counted})
    GROUP BY incident_id
), found AS (
    SELECT parts.id, sum(parts.events) AS events
    FROM (
        SELECT id, events FROM own
        UNION ALL
        SELECT a.target AS id, o.events FROM own AS o JOIN above AS a ON a.id = o.id
    ) AS parts
    GROUP BY parts.id
)
SELECT i.id,
    'counts ' || CAST(i.event_count AS TEXT) || ' events, and the ledger has ' || CAST(coalesce(f.events, 0) AS TEXT),
    NULL,
    CASE WHEN i.event_count > coalesce(f.events, 0) AND coalesce(i.first_received_at, i.created_at) < {since}
        THEN 1 ELSE 0 END
FROM incident AS i LEFT JOIN found AS f ON f.id = i.id
WHERE i.event_count <> coalesce(f.events, 0)

-- name: open_fingerprints_total
SELECT count(*) FROM incident WHERE state NOT IN ({finished})

-- name: open_fingerprints
SELECT h.id, 'shares its open fingerprint with another one: ' || h.fingerprint, NULL, 0
FROM (
    SELECT id, fingerprint, count(*) OVER (PARTITION BY tenant, fp_version, fingerprint) AS holders
    FROM ({held}) AS holding
) AS h
WHERE h.holders > 1

-- name: keys_total
SELECT count(*) FROM incident_key

-- name: keys
SELECT h.fingerprint, 'is not held by the open incident that has it:', h.id, 0
FROM ({held}) AS h
LEFT JOIN incident_key AS k ON k.tenant = h.tenant AND k.fp_version = h.fp_version AND k.fingerprint = h.fingerprint
    AND k.incident_id = h.id
WHERE k.fingerprint IS NULL
UNION ALL
SELECT k.fingerprint,
    CASE WHEN i.id IS NULL THEN 'is held by an incident that does not exist:'
        WHEN i.state IN ({finished}) THEN 'is held by an incident that is over:'
        ELSE 'is held by an incident that has another one:' END,
    k.incident_id, 0
FROM incident_key AS k
LEFT JOIN incident AS i ON i.id = k.incident_id AND i.tenant = k.tenant
LEFT JOIN ({held}) AS h ON h.id = k.incident_id AND h.tenant = k.tenant
    AND h.fp_version = k.fp_version AND h.fingerprint = k.fingerprint
WHERE h.id IS NULL

-- name: idempotency_total
SELECT count(*) FROM idempotency

-- name: idempotency
SELECT k.key, CASE WHEN e.id IS NULL THEN 'names an event that does not exist:' ELSE 'names a duplicate:' END,
    k.event_id, CASE WHEN e.id IS NULL AND k.event_id < {events} THEN 1 ELSE 0 END
FROM idempotency AS k LEFT JOIN event AS e ON e.id = k.event_id AND e.tenant = k.tenant
WHERE e.id IS NULL OR e.disposition = {duplicate}

-- name: producers_total
SELECT count(*) FROM producer

-- name: producers
-- The numbers of a producer's runs follow each other and end where the producer has come to.
SELECT s.producer_id,
    CASE WHEN s.last_sequence IS NULL THEN 'is not known and has a run from number '
        WHEN s.first_sequence < s.free THEN 'has two runs with number '
        ELSE 'has come to ' || CAST(s.last_sequence AS TEXT) || ' and has a run from number ' END
        || CAST(s.first_sequence AS TEXT),
    NULL, 0
FROM (
    SELECT r.producer_id, r.first_sequence, r.count AS events, p.last_sequence,
        lag(r.first_sequence + r.count) OVER (
            PARTITION BY r.tenant, r.principal, r.producer_id ORDER BY r.first_sequence
        ) AS free
    FROM producer_segment AS r
    LEFT JOIN producer AS p ON p.tenant = r.tenant AND p.principal = r.principal AND p.producer_id = r.producer_id
) AS s
WHERE s.last_sequence IS NULL OR s.first_sequence < s.free OR s.first_sequence + s.events - 1 > s.last_sequence

-- name: segments_total
SELECT count(*) FROM producer_segment

-- name: segments
-- The runs in the order of their events.
SELECT producer_id, first_sequence, count, first_event_id, tenant, at
FROM producer_segment ORDER BY first_event_id, producer_id, first_sequence

-- name: held_plain
-- Incidents that hold their own fingerprint, as nearly all do.
SELECT id, tenant, fp_version, fingerprint FROM incident WHERE state NOT IN ({finished}) AND keys IS NULL
