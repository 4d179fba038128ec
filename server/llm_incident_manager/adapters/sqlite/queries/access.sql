-- Who is let in: API keys, custom roles, tenants and refused certificates.

-- name: next_access_revision
-- Whoever changes access waits here for whoever is doing so.
UPDATE access_revision SET revision = revision + 1 RETURNING revision

-- name: access_revision
SELECT revision FROM access_revision

-- name: save_api_key
-- A new key, or what has become of it; not when it was used.
INSERT INTO api_key
    (id, tenant, display_name, subject, roles, services, teams, tier, pepper, digest, created_at, created_by,
    revision, issue, expires_at, former_digest, former_expires_at, rotated_at, revoked_at, revoke_reason)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET
    display_name = excluded.display_name, subject = excluded.subject, roles = excluded.roles,
    services = excluded.services, teams = excluded.teams, tier = excluded.tier, pepper = excluded.pepper,
    digest = excluded.digest, revision = excluded.revision, issue = excluded.issue,
    expires_at = excluded.expires_at, former_digest = excluded.former_digest,
    former_expires_at = excluded.former_expires_at, rotated_at = excluded.rotated_at,
    revoked_at = excluded.revoked_at, revoke_reason = excluded.revoke_reason

-- name: save_role
-- A new role, or what has become of it.
INSERT INTO role
    (tenant, name, description, permissions, updated_at, revision)
VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (tenant, name) DO UPDATE SET
    description = excluded.description, permissions = excluded.permissions, updated_at = excluded.updated_at,
    revision = excluded.revision

-- name: remove_role
DELETE FROM role WHERE tenant = ? AND name = ?

-- name: save_tenant
-- A new tenant, or what has become of it.
INSERT INTO tenant
    (id, display_name, state, events_per_second, calls_per_minute, burst, created_at, updated_at, revision)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET
    display_name = excluded.display_name, state = excluded.state, events_per_second = excluded.events_per_second,
    calls_per_minute = excluded.calls_per_minute, burst = excluded.burst, updated_at = excluded.updated_at,
    revision = excluded.revision

-- name: deny_certificate
-- Refuses a certificate.
INSERT INTO denied_certificate
    (fingerprint, reason, actor, created_at, revision)
VALUES (?, ?, ?, ?, ?)
ON CONFLICT (fingerprint) DO UPDATE SET
    reason = excluded.reason, actor = excluded.actor, created_at = excluded.created_at, revision = excluded.revision

-- name: allow_certificate
DELETE FROM denied_certificate WHERE fingerprint = ?

-- name: api_key
SELECT id, tenant, display_name, subject, roles, services, teams, tier, pepper, digest, created_at, created_by,
    revision, issue, expires_at, former_digest, former_expires_at, rotated_at, revoked_at, revoke_reason, last_used_at
FROM api_key WHERE tenant = ? AND id = ?

-- name: api_keys
-- A page, newest first; without :revoked only keys that count now.
SELECT id, tenant, display_name, subject, roles, services, teams, tier, pepper, digest, created_at, created_by,
    revision, issue, expires_at, former_digest, former_expires_at, rotated_at, revoked_at, revoke_reason, last_used_at
FROM api_key
WHERE tenant = :tenant AND (:before = '' OR id < :before)
    AND (:revoked OR (revoked_at IS NULL AND (expires_at IS NULL OR expires_at > :now)))
ORDER BY id DESC
LIMIT :limit

-- name: keys_since
-- Keys that have changed since a revision; since none, those that are not revoked.
SELECT id, tenant, display_name, subject, roles, services, teams, tier, pepper, digest, created_at, created_by,
    revision, issue, expires_at, former_digest, former_expires_at, rotated_at, revoked_at, revoke_reason, last_used_at
FROM api_key WHERE revision > ?1 AND (?1 > 0 OR revoked_at IS NULL)

-- name: key_with_role
-- A key that counts and has a role.
SELECT k.id FROM api_key AS k, json_each(k.roles) AS r
WHERE k.tenant = ? AND r.value = ? AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > ?)
ORDER BY k.id
LIMIT 1

-- name: role
SELECT tenant, name, description, permissions, updated_at, revision FROM role WHERE tenant = ? AND name = ?

-- name: roles
SELECT tenant, name, description, permissions, updated_at, revision
FROM role WHERE tenant = ? ORDER BY name

-- name: all_roles
SELECT tenant, name, description, permissions, updated_at, revision FROM role

-- name: tenant
SELECT id, display_name, state, events_per_second, calls_per_minute, burst, created_at, updated_at, revision
FROM tenant WHERE id = ?

-- name: tenants
SELECT id, display_name, state, events_per_second, calls_per_minute, burst, created_at, updated_at, revision
FROM tenant WHERE id > ? ORDER BY id LIMIT ?

-- name: all_tenants
SELECT id, display_name, state, events_per_second, calls_per_minute, burst, created_at, updated_at, revision
FROM tenant

-- name: denied_certificate
SELECT fingerprint, reason, actor, created_at, revision FROM denied_certificate WHERE fingerprint = ?

-- name: denied_certificates
-- A page, newest first.
SELECT fingerprint, reason, actor, created_at, revision FROM denied_certificate
WHERE (created_at, fingerprint) < (?, ?)
ORDER BY created_at DESC, fingerprint DESC LIMIT ?

-- name: all_denied_certificates
SELECT fingerprint, reason, actor, created_at, revision FROM denied_certificate

-- name: note_use
-- Notes when a key was last used, unless a later use is noted.
UPDATE api_key SET last_used_at = :at WHERE id = :id AND (last_used_at IS NULL OR last_used_at < :at)
