-- Who is let in: tenants, custom roles, API keys and refused certificates.

-- Grows with every change of these tables, in the change's own transaction and before anything else is written. So one
-- look tells a process whether what it knows by heart still counts, and changes of access follow one after the other.
CREATE TABLE access_revision (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    revision BIGINT NOT NULL
);

INSERT INTO access_revision (only_row, revision) VALUES (1, 1);

-- `revision` here and below: that of access when the row was last changed. Limits of 0: what the configuration says.
CREATE TABLE tenant (
    id TEXT PRIMARY KEY,
    display_name TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('ACTIVE', 'SUSPENDED', 'ERASING', 'ERASED')),
    events_per_second INTEGER NOT NULL,
    calls_per_minute INTEGER NOT NULL,
    burst INTEGER NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    revision BIGINT NOT NULL
);

INSERT INTO tenant
SELECT 'default', 'default', 'ACTIVE', 0, 0, 0, n.at, n.at, 1
FROM (SELECT (extract(epoch FROM now()) * 1000000)::bigint AS at) AS n;

-- Lists, here and below, are JSON.
CREATE TABLE role (
    tenant TEXT NOT NULL,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    permissions TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    revision BIGINT NOT NULL,
    PRIMARY KEY (tenant, name)
);

-- A digest is an HMAC of the whole key with a pepper that no database has; `pepper` tells which one that was. `issue`
-- counts the secrets; the one before may work until `former_expires_at`.
CREATE TABLE api_key (
    id TEXT PRIMARY KEY,
    tenant TEXT NOT NULL,
    display_name TEXT NOT NULL,
    subject TEXT NOT NULL,
    roles TEXT NOT NULL,
    services TEXT NOT NULL,
    teams TEXT NOT NULL,
    tier TEXT NOT NULL,
    pepper TEXT NOT NULL,
    digest BYTEA NOT NULL,
    issue INTEGER NOT NULL,
    former_digest BYTEA,
    former_expires_at BIGINT,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    expires_at BIGINT,
    rotated_at BIGINT,
    revoked_at BIGINT,
    revoke_reason TEXT NOT NULL,
    last_used_at BIGINT,
    revision BIGINT NOT NULL
);

CREATE INDEX ix_api_key_tenant ON api_key (tenant, id);
CREATE INDEX ix_api_key_revision ON api_key (revision);

-- The SHA-256 of a certificate in its DER form, in lower-case hexadecimal digits.
CREATE TABLE denied_certificate (
    fingerprint TEXT PRIMARY KEY,
    reason TEXT NOT NULL,
    actor TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    revision BIGINT NOT NULL
);

CREATE INDEX ix_denied_certificate_created ON denied_certificate (created_at, fingerprint);
