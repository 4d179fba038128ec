-- First schema. Times are microseconds since the Unix epoch, UTC.

CREATE TABLE incident (
    id UUID PRIMARY KEY,
    tenant TEXT NOT NULL,
    number TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('NEW', 'ACKNOWLEDGED', 'IN_PROGRESS', 'ESCALATED', 'RESOLVED', 'CLOSED')),
    severity SMALLINT NOT NULL CHECK (severity BETWEEN 0 AND 4),
    incident_type TEXT NOT NULL,
    kind TEXT NOT NULL,
    source TEXT NOT NULL,
    title TEXT NOT NULL,
    description TEXT NOT NULL,
    fp_version SMALLINT NOT NULL,
    fingerprint TEXT NOT NULL,
    fp_components JSONB NOT NULL,
    labels JSONB NOT NULL,
    service TEXT NOT NULL,
    affected_services JSONB NOT NULL,
    environment TEXT NOT NULL,
    application TEXT NOT NULL,
    provider TEXT NOT NULL,
    model TEXT NOT NULL,
    deployment TEXT NOT NULL,
    runbook_url TEXT NOT NULL,
    assignees JSONB NOT NULL,
    route TEXT NOT NULL,
    event_count BIGINT NOT NULL,
    tokens BIGINT NOT NULL,
    cost_usd DOUBLE PRECISION NOT NULL,
    users_affected BIGINT NOT NULL,
    historical BOOLEAN NOT NULL,
    recurred BOOLEAN NOT NULL,
    previous_id UUID,
    merged_into UUID,
    resolution JSONB,
    first_seen_at BIGINT NOT NULL,
    last_seen_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    acknowledged_at BIGINT,
    resolved_at BIGINT,
    closed_at BIGINT,
    revision BIGINT NOT NULL,
    traceparent TEXT NOT NULL
);

-- Numbers are leased in rising order, so this index grows at its end.
CREATE UNIQUE INDEX ux_incident_number ON incident (tenant, number);

-- The uniqueness of open incidents: a row exists until the incident is resolved.
CREATE TABLE incident_key (
    tenant TEXT NOT NULL,
    fp_version SMALLINT NOT NULL,
    fingerprint TEXT NOT NULL,
    incident_id UUID NOT NULL,
    PRIMARY KEY (tenant, fp_version, fingerprint)
);

-- The last resolved incident of a fingerprint, so that its successor can be linked to it.
CREATE TABLE incident_key_released (
    tenant TEXT NOT NULL,
    fp_version SMALLINT NOT NULL,
    fingerprint TEXT NOT NULL,
    incident_id UUID NOT NULL,
    released_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, fp_version, fingerprint)
);

-- Incident numbers handed out: per tenant and UTC day, in blocks.
CREATE TABLE incident_number (
    tenant TEXT NOT NULL,
    day TEXT NOT NULL,
    next BIGINT NOT NULL,
    PRIMARY KEY (tenant, day)
);

-- The ledger: one compact row for each accepted event. disposition: 1 NEW, 2 ATTACHED, 3 DUPLICATE, 4 SUPPRESSED,
-- 5 APPLIED, 6 IGNORED.
CREATE TABLE event (
    id UUID PRIMARY KEY,
    tenant TEXT NOT NULL,
    incident_id UUID,
    disposition SMALLINT NOT NULL CHECK (disposition BETWEEN 1 AND 6),
    reason TEXT NOT NULL,
    event_time BIGINT NOT NULL,
    received_at BIGINT NOT NULL,
    duplicate_of UUID
);

-- Whole events: the first of an incident, then a sample. Both columns are JSON.
CREATE TABLE event_body (
    event_id UUID PRIMARY KEY,
    tenant TEXT NOT NULL,
    body BYTEA NOT NULL,
    decision JSONB NOT NULL
);

CREATE TABLE timeline (
    id UUID PRIMARY KEY,
    tenant TEXT NOT NULL,
    incident_id UUID NOT NULL,
    at BIGINT NOT NULL,
    kind TEXT NOT NULL,
    actor TEXT NOT NULL,
    text TEXT NOT NULL,
    details JSONB NOT NULL
);

CREATE INDEX ix_timeline_incident ON timeline (incident_id, id);

-- Who did what: one hash chain for each tenant and writer, hash = SHA-256 over prev_hash and the canonical record.
CREATE TABLE audit (
    tenant TEXT NOT NULL,
    writer TEXT NOT NULL,
    sequence BIGINT NOT NULL,
    at BIGINT NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    resource TEXT NOT NULL,
    details JSONB NOT NULL,
    prev_hash BYTEA NOT NULL,
    hash BYTEA NOT NULL,
    PRIMARY KEY (tenant, writer, sequence)
);

-- Material changes in commit order, for watchers.
CREATE TABLE incident_change (
    sequence BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    transaction XID8 NOT NULL DEFAULT pg_current_xact_id(),
    tenant TEXT NOT NULL,
    incident_id UUID NOT NULL,
    kind TEXT NOT NULL,
    at BIGINT NOT NULL
);

-- Commit order differs from sequence order: readers go by (transaction, sequence) and stay below the oldest running one.
CREATE INDEX ix_incident_change_order ON incident_change (transaction, sequence);

-- Work for after the commit. A row is done by deleting it; dead keeps it apart with its reason.
CREATE TABLE outbox (
    id UUID PRIMARY KEY,
    tenant TEXT NOT NULL,
    topic TEXT NOT NULL,
    lane TEXT NOT NULL,
    incident_id UUID NOT NULL,
    payload TEXT NOT NULL,
    traceparent TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    last_error TEXT NOT NULL DEFAULT '',
    lease_owner TEXT NOT NULL DEFAULT '',
    lease_until BIGINT NOT NULL DEFAULT 0,
    fence BIGINT NOT NULL DEFAULT 0,
    dead BOOLEAN NOT NULL DEFAULT FALSE
);

CREATE INDEX ix_outbox_topic ON outbox (topic, dead, id);
CREATE INDEX ix_outbox_lane ON outbox (topic, lane, id);

-- What was sent to whom, and how far it is.
CREATE TABLE delivery (
    id UUID PRIMARY KEY,
    tenant TEXT NOT NULL,
    incident_id UUID NOT NULL,
    channel TEXT NOT NULL,
    route TEXT NOT NULL,
    reason TEXT NOT NULL,
    dedup_key TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'sent', 'dead')),
    attempts INTEGER NOT NULL,
    error TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

CREATE UNIQUE INDEX ux_delivery_dedup ON delivery (incident_id, dedup_key, channel);

-- Streams: how far each producer has come, and which of its streams may write.
CREATE TABLE producer (
    tenant TEXT NOT NULL,
    principal TEXT NOT NULL,
    producer_id TEXT NOT NULL,
    epoch BIGINT NOT NULL,
    last_sequence BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, principal, producer_id)
);

-- Runs of a producer's accepted events: sequence numbers and event ids follow each other.
CREATE TABLE producer_segment (
    tenant TEXT NOT NULL,
    principal TEXT NOT NULL,
    producer_id TEXT NOT NULL,
    first_sequence BIGINT NOT NULL,
    count INTEGER NOT NULL,
    first_event_id UUID NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (tenant, principal, producer_id, first_sequence)
);

-- Names that producers gave their events, for 24 hours.
CREATE TABLE idempotency (
    tenant TEXT NOT NULL,
    key TEXT NOT NULL,
    event_id UUID NOT NULL,
    incident_id UUID,
    at BIGINT NOT NULL,
    PRIMARY KEY (tenant, key)
);

-- Answers to request ids, for 24 hours. digest is of method and body.
CREATE TABLE request_answer (
    tenant TEXT NOT NULL,
    request_id TEXT NOT NULL,
    digest BYTEA NOT NULL,
    answer BYTEA NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (tenant, request_id)
);
