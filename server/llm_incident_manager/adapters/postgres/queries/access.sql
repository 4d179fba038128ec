-- Who is let in: API keys, custom roles, tenants and refused certificates.

-- name: next_access_revision
-- Whoever changes access waits here for whoever is doing so.
UPDATE access_revision SET revision = revision + 1 RETURNING revision;

-- name: access_revision
SELECT revision FROM access_revision;

-- name: save_api_key
-- A new key, or what has become of it; not when it was used.
INSERT INTO api_key
    (id, tenant, display_name, subject, roles, services, teams, tier, pepper, digest, created_at, created_by,
    revision, issue, expires_at, former_digest, former_expires_at, rotated_at, revoked_at, revoke_reason)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)
ON CONFLICT (id) DO UPDATE SET
    display_name = excluded.display_name, subject = excluded.subject, roles = excluded.roles,
    services = excluded.services, teams = excluded.teams, tier = excluded.tier, pepper = excluded.pepper,
    digest = excluded.digest, revision = excluded.revision, issue = excluded.issue,
    expires_at = excluded.expires_at, former_digest = excluded.former_digest,
    former_expires_at = excluded.former_expires_at, rotated_at = excluded.rotated_at,
    revoked_at = excluded.revoked_at, revoke_reason = excluded.revoke_reason;

-- name: save_role
-- A new role, or what has become of it.
INSERT INTO role
    (tenant, name, description, permissions, updated_at, revision)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (tenant, name) DO UPDATE SET
    description = excluded.description, permissions = excluded.permissions, updated_at = excluded.updated_at,
    revision = excluded.revision;

-- name: remove_role
DELETE FROM role WHERE tenant = $1 AND name = $2;

-- name: save_tenant
-- A new tenant, or what has become of it.
INSERT INTO tenant
    (id, display_name, state, events_per_second, calls_per_minute, burst, created_at, updated_at, revision)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (id) DO UPDATE SET
    display_name = excluded.display_name, state = excluded.state, events_per_second = excluded.events_per_second,
    calls_per_minute = excluded.calls_per_minute, burst = excluded.burst, updated_at = excluded.updated_at,
    revision = excluded.revision;

-- name: deny_certificate
-- Refuses a certificate.
INSERT INTO denied_certificate
    (fingerprint, reason, actor, created_at, revision)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (fingerprint) DO UPDATE SET
    reason = excluded.reason, actor = excluded.actor, created_at = excluded.created_at, revision = excluded.revision;

-- name: allow_certificate
DELETE FROM denied_certificate WHERE fingerprint = $1;

-- name: api_key
SELECT id, tenant, display_name, subject, roles, services, teams, tier, pepper, digest, created_at, created_by,
    revision, issue, expires_at, former_digest, former_expires_at, rotated_at, revoked_at, revoke_reason, last_used_at
FROM api_key WHERE tenant = $1 AND id = $2;

-- name: api_keys
-- A page, newest first; without $5 only keys that count at $4.
SELECT id, tenant, display_name, subject, roles, services, teams, tier, pepper, digest, created_at, created_by,
    revision, issue, expires_at, former_digest, former_expires_at, rotated_at, revoked_at, revoke_reason, last_used_at
FROM api_key
WHERE tenant = $1 AND ($2 = '' OR id < $2) AND ($5 OR (revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $4)))
ORDER BY id DESC
LIMIT $3;

-- name: keys_since
-- Keys that have changed since a revision; since none, those that are not revoked.
SELECT id, tenant, display_name, subject, roles, services, teams, tier, pepper, digest, created_at, created_by,
    revision, issue, expires_at, former_digest, former_expires_at, rotated_at, revoked_at, revoke_reason, last_used_at
FROM api_key WHERE revision > $1 AND ($1 > 0 OR revoked_at IS NULL);

-- name: key_with_role
-- A key that counts and has a role, written as a JSON text.
SELECT id FROM api_key
WHERE tenant = $1 AND roles::jsonb ? $2 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $3)
ORDER BY id
LIMIT 1;

-- name: role
SELECT tenant, name, description, permissions, updated_at, revision FROM role WHERE tenant = $1 AND name = $2;

-- name: roles
SELECT tenant, name, description, permissions, updated_at, revision
FROM role WHERE tenant = $1 ORDER BY name COLLATE "C";

-- name: all_roles
SELECT tenant, name, description, permissions, updated_at, revision FROM role;

-- name: tenant
SELECT id, display_name, state, events_per_second, calls_per_minute, burst, created_at, updated_at, revision
FROM tenant WHERE id = $1;

-- name: tenants
SELECT id, display_name, state, events_per_second, calls_per_minute, burst, created_at, updated_at, revision
FROM tenant WHERE id COLLATE "C" > $1 ORDER BY id COLLATE "C" LIMIT $2;

-- name: all_tenants
SELECT id, display_name, state, events_per_second, calls_per_minute, burst, created_at, updated_at, revision
FROM tenant;

-- name: denied_certificate
SELECT fingerprint, reason, actor, created_at, revision FROM denied_certificate WHERE fingerprint = $1;

-- name: denied_certificates
-- A page, newest first.
SELECT fingerprint, reason, actor, created_at, revision FROM denied_certificate
WHERE (created_at, fingerprint) < ($1, $2)
ORDER BY created_at DESC, fingerprint DESC LIMIT $3;

-- name: all_denied_certificates
SELECT fingerprint, reason, actor, created_at, revision FROM denied_certificate;

-- name: note_uses
-- Notes when keys were last used. Processes lock them in one order.
WITH used AS (SELECT * FROM unnest($1::text[], $2::bigint[]) AS u (id, at)),
locked AS (
    SELECT k.id, u.at
    FROM api_key AS k JOIN used AS u ON u.id = k.id
    WHERE k.last_used_at IS NULL OR k.last_used_at < u.at
    ORDER BY k.id
    FOR UPDATE OF k
)
UPDATE api_key AS k SET last_used_at = l.at FROM locked AS l WHERE k.id = l.id;
