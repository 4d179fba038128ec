-- Streams, names of events, answers to requests, and the end of what is kept for a day only.

-- name: producers
-- How far many producers have come.
SELECT p.tenant, p.principal, p.producer_id, p.epoch, p.last_sequence
FROM (VALUES (?, ?, ?)) AS v
CROSS JOIN producer AS p ON p.tenant = v.column1 AND p.principal = v.column2 AND p.producer_id = v.column3

-- name: open_producer
-- The next epoch of a producer.
INSERT INTO producer (tenant, principal, producer_id, epoch, last_sequence, updated_at)
VALUES (:tenant, :principal, :producer_id, 1, 0, :now)
ON CONFLICT DO UPDATE SET epoch = epoch + 1, updated_at = :now
RETURNING epoch, last_sequence

-- name: save_producers
-- How far producers have come; they were opened before. updated_at goes with the runs they wrote; without any it stays.
UPDATE producer SET epoch = v.column4, last_sequence = v.column5, updated_at = max(updated_at, v.column6)
FROM (VALUES (?, ?, ?, ?, ?, ?)) AS v
WHERE producer.tenant = v.column1 AND producer.principal = v.column2 AND producer.producer_id = v.column3

-- name: insert_segments
-- Runs of accepted events.
INSERT INTO producer_segment (tenant, principal, producer_id, first_sequence, count, first_event_id, at)
SELECT column1, column2, column3, column4, column5, unhex(column6, '-'), column7
FROM (VALUES (?, ?, ?, ?, ?, ?, ?)) WHERE column1 IS NOT NULL

-- name: segments
-- A producer's runs that reach into a range of sequence numbers (first included, before excluded).
SELECT first_sequence, count, first_event_id
FROM producer_segment
WHERE tenant = :tenant AND principal = :principal AND producer_id = :producer_id
    AND first_sequence < :before
    AND first_sequence >= coalesce((
        SELECT max(first_sequence) FROM producer_segment
        WHERE tenant = :tenant AND principal = :principal AND producer_id = :producer_id AND first_sequence <= :first
    ), 0)
    AND first_sequence + count > :first
ORDER BY first_sequence

-- name: idempotency
-- Those of many names of events that are known.
SELECT k.tenant, k.key, k.event_id, k.incident_id, k.at
FROM (VALUES (?, ?)) AS v
CROSS JOIN idempotency AS k ON k.tenant = v.column1 AND k.key = v.column2

-- name: insert_idempotency
-- Names of events; fails when one is known.
INSERT INTO idempotency (tenant, key, event_id, incident_id, at)
SELECT column1, column2, unhex(column3, '-'), unhex(column4, '-'), column5
FROM (VALUES (?, ?, ?, ?, ?)) WHERE column1 IS NOT NULL

-- name: answer
-- The stored answer to a request id.
SELECT tenant, request_id, digest, answer, at FROM request_answer WHERE tenant = ? AND request_id = ?

-- name: insert_answers
-- Answers to request ids; fails when one is known.
INSERT INTO request_answer (tenant, request_id, digest, answer, at)
SELECT column1, column2, column3, column4, column5
FROM (VALUES (?, ?, ?, ?, ?)) WHERE column1 IS NOT NULL

-- name: sweep_idempotency
-- Ends names of events that are older than that.
DELETE FROM idempotency WHERE (tenant, key) IN (SELECT tenant, key FROM idempotency WHERE at < ? ORDER BY at LIMIT ?)

-- name: sweep_answers
-- Ends answers that are older than that.
DELETE FROM request_answer
WHERE (tenant, request_id) IN (SELECT tenant, request_id FROM request_answer WHERE at < ? ORDER BY at LIMIT ?)

-- name: sweep_segments
-- Ends runs of events that are older than that.
DELETE FROM producer_segment
WHERE (tenant, principal, producer_id, first_sequence) IN (
    SELECT tenant, principal, producer_id, first_sequence FROM producer_segment WHERE at < ? ORDER BY at LIMIT ?
)

-- name: sweep_released
-- Ends the memory of fingerprints released before that.
DELETE FROM incident_key_released
WHERE (tenant, fp_version, fingerprint) IN (
    SELECT tenant, fp_version, fingerprint FROM incident_key_released WHERE released_at < ? ORDER BY released_at LIMIT ?
)

-- name: alive
-- Whether statements run at all.
SELECT 1
