-- name: audit_heads
-- The last records of all chains: steps from chain to chain, and reads nothing in between.
WITH RECURSIVE chain AS (
    (SELECT tenant, writer FROM audit ORDER BY tenant, writer LIMIT 1)
    UNION ALL
    SELECT n.tenant, n.writer
    FROM chain CROSS JOIN LATERAL (
        SELECT a.tenant, a.writer FROM audit AS a
        WHERE (a.tenant, a.writer) > (chain.tenant, chain.writer)
        ORDER BY a.tenant, a.writer LIMIT 1
    ) AS n
)
SELECT c.tenant, c.writer, l.sequence, l.at, l.hash
FROM chain AS c CROSS JOIN LATERAL (
    SELECT a.sequence, a.at, a.hash FROM audit AS a
    WHERE a.tenant = c.tenant AND a.writer = c.writer ORDER BY a.sequence DESC LIMIT 1
) AS l;

-- name: audit_heads_of
-- The same of one tenant.
WITH RECURSIVE chain AS (
    (SELECT writer FROM audit WHERE tenant = $1 ORDER BY writer LIMIT 1)
    UNION ALL
    SELECT n.writer
    FROM chain CROSS JOIN LATERAL (
        SELECT a.writer FROM audit AS a WHERE a.tenant = $1 AND a.writer > chain.writer ORDER BY a.writer LIMIT 1
    ) AS n
)
SELECT $1::text, c.writer, l.sequence, l.at, l.hash
FROM chain AS c CROSS JOIN LATERAL (
    SELECT a.sequence, a.at, a.hash FROM audit AS a
    WHERE a.tenant = $1 AND a.writer = c.writer ORDER BY a.sequence DESC LIMIT 1
) AS l;

-- name: audit_rows
-- Records of a chain, in order.
SELECT tenant, writer, sequence, at, actor, action, resource, details, prev_hash, hash, version, proven_by, credential, source,
    before, after
FROM audit
WHERE tenant = $1 AND writer = $2 AND sequence > $3
ORDER BY sequence LIMIT $4;

-- name: audit_page
-- Records of a tenant, newest first, behind a place.
SELECT tenant, writer, sequence, at, actor, action, resource, details, prev_hash, hash, version, proven_by, credential, source,
    before, after
FROM audit
WHERE tenant = $1
    AND at <= coalesce($8::bigint, 9223372036854775807)
    AND ($8::bigint IS NULL OR (at, writer, sequence) < ($8::bigint, $9::text, $10::bigint))
    AND at >= coalesce($6::bigint, 0) AND at < coalesce($7::bigint, 9223372036854775807)
    AND ($2::text = '' OR actor = $2)
    AND ($3::text = '' OR action = $3)
    AND ($4::text = '' OR starts_with(action, $4))
    AND ($5::text = '' OR resource = $5)
ORDER BY at DESC, writer DESC, sequence DESC LIMIT $11;

-- name: audit_tenants
-- Whose trails there are.
SELECT tenant FROM audit GROUP BY tenant UNION SELECT tenant FROM audit_checkpoint GROUP BY tenant ORDER BY tenant;

-- name: audit_trail
-- All records of a tenant, chain by chain.
SELECT tenant, writer, sequence, at, actor, action, resource, details, prev_hash, hash, version, proven_by, credential,
    source, before, after
FROM audit WHERE tenant = $1 ORDER BY writer, sequence;

-- name: insert_checkpoint
-- A signed statement of where the chains end.
INSERT INTO audit_checkpoint (tenant, number, at, records, ends, retired, prev_hash, hash, key_id, signature)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10);

-- name: retire_chains
-- Chains that retention may end.
INSERT INTO audit_retired (tenant, writer, number)
SELECT $1, w, $3 FROM unnest($2::text[]) AS w ON CONFLICT DO NOTHING;

-- name: retired_chains
-- The same.
SELECT tenant, writer FROM audit_retired;

-- name: checkpoints_after
-- Checkpoints behind a number, oldest first.
SELECT tenant, number, at, records, ends, retired, prev_hash, hash, key_id, signature
FROM audit_checkpoint WHERE tenant = $1 AND number > $2 ORDER BY number LIMIT $3;

-- name: checkpoints_before
-- Checkpoints below a number, newest first.
SELECT tenant, number, at, records, ends, retired, prev_hash, hash, key_id, signature
FROM audit_checkpoint WHERE tenant = $1 AND number < $2 ORDER BY number DESC LIMIT $3;

-- name: may_end_chain
-- Whether no checkpoint knows the tenant's chains, or one has retired this one.
SELECT NOT EXISTS (SELECT 1 FROM audit_checkpoint WHERE tenant = $1)
    OR EXISTS (SELECT 1 FROM audit_retired WHERE tenant = $1 AND writer = $2);

-- name: expire_audit
-- The end of a chain: what is left of it still follows from its start.
DELETE FROM audit AS a
WHERE a.tenant = $1 AND a.writer = $2 AND a.sequence > (
    SELECT max(l.sequence) - $3 FROM audit AS l WHERE l.tenant = $1 AND l.writer = $2
);
