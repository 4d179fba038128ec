-- name: audit_heads
-- The last records of all chains: steps from chain to chain, and reads nothing in between.
WITH RECURSIVE chain (tenant, writer) AS (
    SELECT * FROM (SELECT tenant, writer FROM audit ORDER BY tenant, writer LIMIT 1)
    UNION ALL
    SELECT (SELECT n.tenant FROM audit AS n WHERE (n.tenant, n.writer) > (chain.tenant, chain.writer)
            ORDER BY n.tenant, n.writer LIMIT 1),
        (SELECT n.writer FROM audit AS n WHERE (n.tenant, n.writer) > (chain.tenant, chain.writer)
            ORDER BY n.tenant, n.writer LIMIT 1)
    FROM chain WHERE chain.tenant IS NOT NULL
)
SELECT a.tenant, a.writer, a.sequence, a.at, a.hash
FROM chain AS c CROSS JOIN audit AS a
WHERE c.tenant IS NOT NULL AND a.tenant = c.tenant AND a.writer = c.writer AND a.sequence = (
    SELECT max(m.sequence) FROM audit AS m WHERE m.tenant = c.tenant AND m.writer = c.writer
)

-- name: audit_heads_of
-- The same of one tenant.
WITH RECURSIVE chain (writer) AS (
    SELECT min(f.writer) FROM audit AS f WHERE f.tenant = :tenant
    UNION ALL
    SELECT (SELECT min(n.writer) FROM audit AS n WHERE n.tenant = :tenant AND n.writer > chain.writer)
    FROM chain WHERE chain.writer IS NOT NULL
)
SELECT a.tenant, a.writer, a.sequence, a.at, a.hash
FROM chain AS c CROSS JOIN audit AS a
WHERE c.writer IS NOT NULL AND a.tenant = :tenant AND a.writer = c.writer AND a.sequence = (
    SELECT max(m.sequence) FROM audit AS m WHERE m.tenant = :tenant AND m.writer = c.writer
)

-- name: audit_rows
-- Records of a chain, in order.
SELECT tenant, writer, sequence, at, actor, action, resource, details, prev_hash, hash, version, proven_by, credential, source,
    before, after
FROM audit
WHERE tenant = ? AND writer = ? AND sequence > ?
ORDER BY sequence LIMIT ?

-- name: audit_page
-- Records of a tenant, newest first, behind a place.
SELECT tenant, writer, sequence, at, actor, action, resource, details, prev_hash, hash, version, proven_by, credential, source,
    before, after
FROM audit
WHERE tenant = :tenant
    AND at <= coalesce(:at, 9223372036854775807)
    AND (:at IS NULL OR (at, writer, sequence) < (:at, :writer, :sequence))
    AND at >= coalesce(:since, 0) AND at < coalesce(:before, 9223372036854775807)
    AND (:actor = '' OR actor = :actor)
    AND (:action = '' OR action = :action)
    AND (:prefix = '' OR substr(action, 1, length(:prefix)) = :prefix)
    AND (:resource = '' OR resource = :resource)
ORDER BY at DESC, writer DESC, sequence DESC LIMIT :limit

-- name: audit_tenants
-- Whose trails there are.
SELECT tenant FROM audit GROUP BY tenant UNION SELECT tenant FROM audit_checkpoint GROUP BY tenant ORDER BY tenant

-- name: audit_trail
-- All records of a tenant, chain by chain.
SELECT tenant, writer, sequence, at, actor, action, resource, details, prev_hash, hash, version, proven_by, credential,
    source, before, after
FROM audit WHERE tenant = ? ORDER BY writer, sequence

-- name: insert_checkpoint
-- A signed statement of where the chains end.
INSERT INTO audit_checkpoint (tenant, number, at, records, ends, retired, prev_hash, hash, key_id, signature)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)

-- name: retire_chains
-- Chains that retention may end.
INSERT INTO audit_retired (tenant, writer, number) VALUES (?, ?, ?) ON CONFLICT DO NOTHING

-- name: retired_chains
-- The same.
SELECT tenant, writer FROM audit_retired

-- name: checkpoints_after
-- Checkpoints behind a number, oldest first.
SELECT tenant, number, at, records, ends, retired, prev_hash, hash, key_id, signature
FROM audit_checkpoint WHERE tenant = ? AND number > ? ORDER BY number LIMIT ?

-- name: checkpoints_before
-- Checkpoints below a number, newest first.
SELECT tenant, number, at, records, ends, retired, prev_hash, hash, key_id, signature
FROM audit_checkpoint WHERE tenant = ? AND number < ? ORDER BY number DESC LIMIT ?

-- name: may_end_chain
-- Whether no checkpoint knows the tenant's chains, or one has retired this one.
SELECT NOT EXISTS (SELECT 1 FROM audit_checkpoint WHERE tenant = :tenant)
    OR EXISTS (SELECT 1 FROM audit_retired WHERE tenant = :tenant AND writer = :writer)

-- name: expire_audit
-- The end of a chain: what is left of it still follows from its start.
DELETE FROM audit
WHERE tenant = :tenant AND writer = :writer AND sequence > (
    SELECT max(sequence) - :limit FROM audit WHERE tenant = :tenant AND writer = :writer
)
