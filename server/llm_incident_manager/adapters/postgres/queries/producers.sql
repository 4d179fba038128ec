-- name: open_producer
-- A new epoch of a producer.
INSERT INTO producer AS p (tenant, principal, producer_id, epoch, last_sequence, updated_at)
VALUES ($1, $2, $3, 1, 0, $4)
ON CONFLICT (tenant, principal, producer_id) DO UPDATE SET epoch = p.epoch + 1, updated_at = excluded.updated_at
RETURNING epoch, last_sequence;

-- name: save_producers
-- How far producers have come; they were opened before.
UPDATE producer AS p
SET epoch = r.epoch, last_sequence = r.last_sequence, updated_at = GREATEST(p.updated_at, r.at)
FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[])
    AS r (tenant, principal, producer_id, epoch, last_sequence, at)
WHERE p.tenant = r.tenant AND p.principal = r.principal AND p.producer_id = r.producer_id;

-- name: segments
-- The runs that touch sequence numbers $4 to $5: the last one that begins at or before $4, and those behind it.
SELECT s.first_sequence, s.count, s.first_event_id
FROM producer_segment AS s
WHERE s.tenant = $1 AND s.principal = $2 AND s.producer_id = $3
    AND s.first_sequence <= $5
    AND s.first_sequence >= COALESCE((
        SELECT max(b.first_sequence) FROM producer_segment AS b
        WHERE b.tenant = $1 AND b.principal = $2 AND b.producer_id = $3 AND b.first_sequence <= $4
    ), $4)
ORDER BY s.first_sequence;

-- name: answer
-- The answer to a request id.
SELECT a.tenant, a.request_id, a.digest, a.answer, a.at
FROM request_answer AS a
WHERE a.tenant = $1 AND a.request_id = $2;

-- name: lock_request
-- Makes transactions with the same request id wait for each other.
SELECT pg_advisory_xact_lock(hashtextextended($1 || chr(31) || $2, 7));
