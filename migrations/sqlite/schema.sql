CREATE TABLE access_revision (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    revision INTEGER NOT NULL
);

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
    digest BLOB NOT NULL,
    issue INTEGER NOT NULL,
    former_digest BLOB,
    former_expires_at INTEGER,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    expires_at INTEGER,
    rotated_at INTEGER,
    revoked_at INTEGER,
    revoke_reason TEXT NOT NULL,
    last_used_at INTEGER,
    revision INTEGER NOT NULL
) WITHOUT ROWID;

CREATE INDEX ix_api_key_revision ON api_key (revision);

CREATE INDEX ix_api_key_tenant ON api_key (tenant, id);

CREATE TABLE audit (
    tenant TEXT NOT NULL,
    writer TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    resource TEXT NOT NULL,
    details TEXT NOT NULL,
    prev_hash BLOB NOT NULL,
    hash BLOB NOT NULL, version INTEGER NOT NULL DEFAULT 1, proven_by TEXT NOT NULL DEFAULT '', credential TEXT NOT NULL DEFAULT '', source TEXT NOT NULL DEFAULT '', before TEXT NOT NULL DEFAULT '{}', after TEXT NOT NULL DEFAULT '{}',
    PRIMARY KEY (tenant, writer, sequence)
) WITHOUT ROWID;

CREATE INDEX ix_audit_at ON audit (tenant, at);

CREATE TABLE audit_checkpoint (
    tenant TEXT NOT NULL,
    number INTEGER NOT NULL,
    at INTEGER NOT NULL,
    records INTEGER NOT NULL,
    ends TEXT NOT NULL,
    retired TEXT NOT NULL,
    prev_hash BLOB NOT NULL,
    hash BLOB NOT NULL,
    key_id TEXT NOT NULL,
    signature BLOB NOT NULL,
    PRIMARY KEY (tenant, number)
) WITHOUT ROWID;

CREATE TABLE audit_retired (
    tenant TEXT NOT NULL,
    writer TEXT NOT NULL,
    number INTEGER NOT NULL,
    PRIMARY KEY (tenant, writer)
) WITHOUT ROWID;

CREATE TABLE delivery (
    id BLOB PRIMARY KEY,
    tenant TEXT NOT NULL,
    incident_id BLOB NOT NULL,
    channel TEXT NOT NULL,
    route TEXT NOT NULL,
    reason TEXT NOT NULL,
    dedup_key TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'sent', 'dead')),
    attempts INTEGER NOT NULL,
    error TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) WITHOUT ROWID;

CREATE UNIQUE INDEX ux_delivery_dedup ON delivery (incident_id, dedup_key, channel);

CREATE TABLE denied_certificate (
    fingerprint TEXT PRIMARY KEY,
    reason TEXT NOT NULL,
    actor TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    revision INTEGER NOT NULL
) WITHOUT ROWID;

CREATE INDEX ix_denied_certificate_created ON denied_certificate (created_at, fingerprint);

CREATE TABLE directive (
    id TEXT PRIMARY KEY,
    tenant TEXT NOT NULL,
    state TEXT NOT NULL,
    made_for TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    approved_by TEXT NOT NULL,
    approved_at INTEGER,
    expire_at INTEGER,
    revert_requested INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    body TEXT NOT NULL
) WITHOUT ROWID;

CREATE INDEX ix_directive_incident ON directive (tenant, made_for, id) WHERE made_for <> '';

CREATE INDEX ix_directive_tenant ON directive (tenant, id);

CREATE TABLE directive_delivery (
    directive_id TEXT NOT NULL,
    agent_id TEXT NOT NULL,
    tenant TEXT NOT NULL,
    state TEXT NOT NULL,
    reason TEXT NOT NULL,
    updated_at INTEGER NOT NULL,
    applied_at INTEGER,
    attempts INTEGER NOT NULL,
    due_at INTEGER,
    wanted INTEGER NOT NULL,
    PRIMARY KEY (directive_id, agent_id)
) WITHOUT ROWID;

CREATE INDEX ix_directive_delivery_agent ON directive_delivery (tenant, agent_id, directive_id);

CREATE INDEX ix_directive_delivery_due ON directive_delivery (due_at) WHERE due_at IS NOT NULL;

CREATE INDEX ix_directive_delivery_wanted ON directive_delivery (tenant, agent_id) WHERE wanted > 0;

CREATE TABLE edge_agent (
    tenant TEXT NOT NULL,
    agent_id TEXT NOT NULL,
    subject TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('CONNECTED', 'DISCONNECTED', 'LOST')),
    service TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    server TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    connected_at INTEGER NOT NULL,
    last_seen_at INTEGER NOT NULL,
    due_at INTEGER,
    reported_lost INTEGER NOT NULL,
    body TEXT NOT NULL,
    telemetry BLOB NOT NULL,
    PRIMARY KEY (tenant, agent_id)
) WITHOUT ROWID;

CREATE INDEX ix_edge_agent_due ON edge_agent (due_at) WHERE due_at IS NOT NULL;

CREATE INDEX ix_edge_agent_lost ON edge_agent (tenant, agent_id) WHERE reported_lost;

CREATE INDEX ix_edge_agent_server ON edge_agent (server) WHERE server <> '';

CREATE TABLE edge_inference (
    tenant TEXT NOT NULL,
    request_id TEXT NOT NULL,
    digest BLOB NOT NULL,
    subject TEXT NOT NULL,
    model_id TEXT NOT NULL,
    wanted_agent TEXT NOT NULL,
    priority INTEGER NOT NULL,
    offline INTEGER NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('QUEUED', 'PROCESSING', 'COMPLETED', 'FAILED')),
    created_at INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    body BLOB NOT NULL,
    agent_id TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    server TEXT NOT NULL,
    result BLOB NOT NULL,
    error TEXT NOT NULL,
    PRIMARY KEY (tenant, request_id)
) WITHOUT ROWID;

CREATE INDEX ix_edge_inference_agent ON edge_inference (tenant, agent_id) WHERE status = 'PROCESSING';

CREATE INDEX ix_edge_inference_due ON edge_inference (due_at);

CREATE INDEX ix_edge_inference_queued ON edge_inference (priority, created_at) WHERE status = 'QUEUED';

CREATE TABLE event (
    id BLOB PRIMARY KEY,
    tenant TEXT NOT NULL,
    incident_id BLOB,
    disposition INTEGER NOT NULL CHECK (disposition BETWEEN 1 AND 6),
    reason TEXT NOT NULL,
    event_time INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    duplicate_of BLOB
) WITHOUT ROWID;

CREATE TABLE event_body (
    event_id BLOB PRIMARY KEY,
    tenant TEXT NOT NULL,
    body BLOB NOT NULL,
    decision TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE idempotency (
    tenant TEXT NOT NULL,
    key TEXT NOT NULL,
    event_id BLOB NOT NULL,
    incident_id BLOB,
    at INTEGER NOT NULL,
    PRIMARY KEY (tenant, key)
) WITHOUT ROWID;

CREATE INDEX ix_idempotency_at ON idempotency (at);

CREATE TABLE incident (
    id BLOB PRIMARY KEY,
    tenant TEXT NOT NULL,
    number TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('NEW', 'ACKNOWLEDGED', 'IN_PROGRESS', 'ESCALATED', 'RESOLVED', 'CLOSED')),
    severity INTEGER NOT NULL CHECK (severity BETWEEN 0 AND 4),
    incident_type TEXT NOT NULL,
    kind TEXT NOT NULL,
    source TEXT NOT NULL,
    title TEXT NOT NULL,
    description TEXT NOT NULL,
    fp_version INTEGER NOT NULL,
    fingerprint TEXT NOT NULL,
    fp_components TEXT NOT NULL,
    labels TEXT NOT NULL,
    service TEXT NOT NULL,
    affected_services TEXT NOT NULL,
    environment TEXT NOT NULL,
    application TEXT NOT NULL,
    provider TEXT NOT NULL,
    model TEXT NOT NULL,
    deployment TEXT NOT NULL,
    runbook_url TEXT NOT NULL,
    assignees TEXT NOT NULL,
    route TEXT NOT NULL,
    event_count INTEGER NOT NULL,
    tokens INTEGER NOT NULL,
    cost_usd REAL NOT NULL,
    users_affected INTEGER NOT NULL,
    historical INTEGER NOT NULL,
    recurred INTEGER NOT NULL,
    previous_id BLOB,
    merged_into BLOB,
    resolution TEXT,
    first_seen_at INTEGER NOT NULL,
    last_seen_at INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    acknowledged_at INTEGER,
    resolved_at INTEGER,
    closed_at INTEGER,
    revision INTEGER NOT NULL,
    traceparent TEXT NOT NULL
, keys TEXT, unmerge TEXT, first_received_at INTEGER, snoozed_until INTEGER, acknowledge_breached_at INTEGER, resolve_breached_at INTEGER) WITHOUT ROWID;

CREATE INDEX ix_incident_finished ON incident (coalesce(closed_at, resolved_at)) WHERE state IN ('RESOLVED', 'CLOSED');

CREATE INDEX ix_incident_previous ON incident (previous_id) WHERE previous_id IS NOT NULL;

CREATE INDEX ix_incident_tenant ON incident (tenant, id, created_at);

CREATE UNIQUE INDEX ux_incident_number ON incident (tenant, number);

CREATE TABLE incident_analysis (
    id BLOB NOT NULL,
    tenant TEXT NOT NULL,
    incident_id BLOB NOT NULL,
    question TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'answered', 'failed')),
    requested_by TEXT NOT NULL,
    requested_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    error TEXT NOT NULL,
    confidence REAL,
    recommended INTEGER,
    applied INTEGER NOT NULL,
    findings BLOB NOT NULL,
    PRIMARY KEY (incident_id, id)
);

CREATE TABLE incident_attachment (
    id BLOB NOT NULL,
    tenant TEXT NOT NULL,
    incident_id BLOB NOT NULL,
    url TEXT NOT NULL,
    title TEXT NOT NULL,
    media_type TEXT NOT NULL,
    actor TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (incident_id, id)
) WITHOUT ROWID;

CREATE TABLE incident_change (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant TEXT NOT NULL,
    incident_id BLOB NOT NULL,
    kind TEXT NOT NULL,
    at INTEGER NOT NULL
);

CREATE TABLE incident_count (
    tenant TEXT NOT NULL,
    state TEXT NOT NULL,
    severity INTEGER NOT NULL,
    incident_type TEXT NOT NULL,
    source TEXT NOT NULL,
    incidents INTEGER NOT NULL,
    PRIMARY KEY (tenant, state, severity, incident_type, source)
) WITHOUT ROWID;

CREATE TABLE incident_document (
    place INTEGER PRIMARY KEY,
    tenant TEXT NOT NULL,
    incident_id BLOB NOT NULL UNIQUE
);

CREATE TABLE incident_index (
    tenant TEXT NOT NULL,
    id BLOB NOT NULL,
    number TEXT NOT NULL,
    state TEXT NOT NULL,
    severity INTEGER NOT NULL,
    incident_type TEXT NOT NULL,
    kind TEXT NOT NULL,
    source TEXT NOT NULL,
    service TEXT NOT NULL,
    environment TEXT NOT NULL,
    application TEXT NOT NULL,
    provider TEXT NOT NULL,
    model TEXT NOT NULL,
    deployment TEXT NOT NULL,
    affected_services TEXT NOT NULL,
    assignees TEXT NOT NULL,
    labels TEXT NOT NULL,
    recurred INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    acknowledged_at INTEGER,
    resolved_at INTEGER,
    closed_at INTEGER,
    PRIMARY KEY (tenant, id)
) WITHOUT ROWID;

CREATE INDEX ix_incident_index_application ON incident_index (tenant, application, id, state, severity);

CREATE INDEX ix_incident_index_created_at ON incident_index (tenant, created_at, id);

CREATE INDEX ix_incident_index_deployment ON incident_index (tenant, deployment, id, state, severity);

CREATE INDEX ix_incident_index_environment ON incident_index (tenant, environment, id, state, severity);

CREATE INDEX ix_incident_index_incident_type ON incident_index (tenant, incident_type, id, state, severity);

CREATE INDEX ix_incident_index_kind ON incident_index (tenant, kind, id, state, severity, source);

CREATE INDEX ix_incident_index_model ON incident_index (tenant, model, id, state, severity);

CREATE INDEX ix_incident_index_number ON incident_index (
    tenant,
    (substr(number, 1, 13) || CASE WHEN length(number) > 13 THEN substr('0000000000' || substr(number, 14), -10) ELSE '' END),
    id
);

CREATE INDEX ix_incident_index_provider ON incident_index (tenant, provider, id, state, severity);

CREATE INDEX ix_incident_index_service ON incident_index (tenant, service, id, state, severity, kind);

CREATE INDEX ix_incident_index_severity ON incident_index (tenant, severity, id DESC, created_at, state);

CREATE INDEX ix_incident_index_source ON incident_index (tenant, source, id, state, severity);

CREATE INDEX ix_incident_index_state ON incident_index (tenant, state, id, severity);

CREATE INDEX ix_incident_index_updated_at ON incident_index (tenant, updated_at, id);

CREATE TABLE incident_key (
    tenant TEXT NOT NULL,
    fp_version INTEGER NOT NULL,
    fingerprint TEXT NOT NULL,
    incident_id BLOB NOT NULL, event_count INTEGER,
    PRIMARY KEY (tenant, fp_version, fingerprint)
) WITHOUT ROWID;

CREATE TABLE incident_key_released (
    tenant TEXT NOT NULL,
    fp_version INTEGER NOT NULL,
    fingerprint TEXT NOT NULL,
    incident_id BLOB NOT NULL,
    released_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, fp_version, fingerprint)
) WITHOUT ROWID;

CREATE INDEX ix_incident_key_released_at ON incident_key_released (released_at);

CREATE TABLE incident_link (
    tenant TEXT NOT NULL,
    incident_id BLOB NOT NULL,
    relation INTEGER NOT NULL CHECK (relation IN (1, 2, 3, 4, 7)),
    other_id BLOB NOT NULL,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (incident_id, relation, other_id)
) WITHOUT ROWID;

CREATE TABLE incident_number (
    tenant TEXT NOT NULL,
    day TEXT NOT NULL,
    next INTEGER NOT NULL,
    PRIMARY KEY (tenant, day)
) WITHOUT ROWID;

CREATE TABLE incident_term (
    tenant TEXT NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    id BLOB NOT NULL,
    PRIMARY KEY (tenant, name, value, id)
) WITHOUT ROWID;

CREATE VIRTUAL TABLE incident_words USING fts5 (
    words, content = '', contentless_delete = 1, detail = none, tokenize = 'ascii'
);

CREATE TABLE index_position (
    name TEXT PRIMARY KEY,
    sequence INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE lease (
    name TEXT NOT NULL PRIMARY KEY,
    owner TEXT NOT NULL,
    fence INTEGER NOT NULL,
    lease_until INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE outbox (
    id BLOB PRIMARY KEY,
    tenant TEXT NOT NULL,
    topic TEXT NOT NULL,
    lane TEXT NOT NULL,
    incident_id BLOB NOT NULL,
    payload TEXT NOT NULL,
    traceparent TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    last_error TEXT NOT NULL DEFAULT '',
    lease_owner TEXT NOT NULL DEFAULT '',
    lease_until INTEGER NOT NULL DEFAULT 0,
    fence INTEGER NOT NULL DEFAULT 0,
    dead INTEGER NOT NULL DEFAULT 0,
    blocked INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;

CREATE INDEX ix_outbox_dead ON outbox (incident_id) WHERE dead = 1;

CREATE INDEX ix_outbox_dead_letters ON outbox (tenant, id, topic) WHERE dead = 1;

CREATE INDEX ix_outbox_due ON outbox (topic, max(due_at, lease_until)) WHERE dead = 0 AND blocked = 0;

CREATE INDEX ix_outbox_lane ON outbox (topic, lane, id, created_at) WHERE dead = 0;

CREATE TABLE process (
    owner TEXT NOT NULL PRIMARY KEY,
    roles TEXT NOT NULL,
    version TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    seen_at INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE producer (
    tenant TEXT NOT NULL,
    principal TEXT NOT NULL,
    producer_id TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    last_sequence INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, principal, producer_id)
) WITHOUT ROWID;

CREATE TABLE producer_segment (
    tenant TEXT NOT NULL,
    principal TEXT NOT NULL,
    producer_id TEXT NOT NULL,
    first_sequence INTEGER NOT NULL,
    count INTEGER NOT NULL,
    first_event_id BLOB NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (tenant, principal, producer_id, first_sequence)
) WITHOUT ROWID;

CREATE INDEX ix_producer_segment_at ON producer_segment (at);

CREATE TABLE request_answer (
    tenant TEXT NOT NULL,
    request_id TEXT NOT NULL,
    digest BLOB NOT NULL,
    answer BLOB NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (tenant, request_id)
) WITHOUT ROWID;

CREATE INDEX ix_request_answer_at ON request_answer (at);

CREATE TABLE role (
    tenant TEXT NOT NULL,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    permissions TEXT NOT NULL,
    updated_at INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    PRIMARY KEY (tenant, name)
) WITHOUT ROWID;

CREATE TABLE schema_migration (
    version INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    checksum TEXT NOT NULL,
    applied_at INTEGER NOT NULL
);

CREATE TABLE tenant (
    id TEXT PRIMARY KEY,
    display_name TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('ACTIVE', 'SUSPENDED', 'ERASING', 'ERASED')),
    events_per_second INTEGER NOT NULL,
    calls_per_minute INTEGER NOT NULL,
    burst INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    revision INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE timeline (
    id BLOB PRIMARY KEY,
    tenant TEXT NOT NULL,
    incident_id BLOB NOT NULL,
    at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    actor TEXT NOT NULL,
    text TEXT NOT NULL,
    details TEXT NOT NULL
) WITHOUT ROWID;

CREATE INDEX ix_timeline_incident ON timeline (incident_id, id);

CREATE TABLE timer (
    incident_id BLOB NOT NULL,
    key TEXT NOT NULL,
    tenant TEXT NOT NULL,
    kind TEXT NOT NULL,
    due_at INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    last_error TEXT NOT NULL DEFAULT '',
    lease_owner TEXT NOT NULL DEFAULT '',
    lease_until INTEGER NOT NULL DEFAULT 0,
    fence INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (incident_id, key)
) WITHOUT ROWID;

CREATE INDEX ix_timer_due ON timer (due_at, lease_until);

CREATE TRIGGER incident_removed AFTER DELETE ON incident
BEGIN
    DELETE FROM incident_index WHERE tenant = old.tenant AND id = old.id;
    DELETE FROM incident_document WHERE incident_id = old.id;
END;

CREATE TRIGGER incident_document_removed AFTER DELETE ON incident_document
BEGIN
    DELETE FROM incident_words WHERE rowid = old.place;
END;

CREATE TRIGGER incident_index_added AFTER INSERT ON incident_index
BEGIN
    INSERT INTO incident_count (tenant, state, severity, incident_type, source, incidents)
    VALUES (new.tenant, new.state, new.severity, new.incident_type, new.source, 1)
    ON CONFLICT DO UPDATE SET incidents = incidents + 1;
    INSERT OR IGNORE INTO incident_term (tenant, name, value, id)
    SELECT new.tenant, 'labels.' || item.key, item.value, new.id FROM json_each(new.labels) AS item
    UNION ALL SELECT new.tenant, 'assignees', item.value, new.id FROM json_each(new.assignees) AS item
    UNION ALL SELECT new.tenant, 'affected_services', item.value, new.id
    FROM json_each(new.affected_services) AS item;
END;

CREATE TRIGGER incident_index_counted AFTER UPDATE ON incident_index
WHEN (old.state, old.severity, old.incident_type, old.source)
    <> (new.state, new.severity, new.incident_type, new.source)
BEGIN
    UPDATE incident_count SET incidents = incidents - 1
    WHERE tenant = old.tenant AND state = old.state AND severity = old.severity
        AND incident_type = old.incident_type AND source = old.source;
    INSERT INTO incident_count (tenant, state, severity, incident_type, source, incidents)
    VALUES (new.tenant, new.state, new.severity, new.incident_type, new.source, 1)
    ON CONFLICT DO UPDATE SET incidents = incidents + 1;
END;

CREATE TRIGGER incident_index_named AFTER UPDATE ON incident_index
WHEN (old.labels, old.assignees, old.affected_services) <> (new.labels, new.assignees, new.affected_services)
BEGIN
    -- Each column by itself: of pairs SQLite would look at every term of the tenant.
    DELETE FROM incident_term WHERE tenant = old.tenant AND id = old.id
        AND name IN (
            SELECT 'labels.' || item.key FROM json_each(old.labels) AS item
            UNION ALL SELECT 'assignees' UNION ALL SELECT 'affected_services'
        )
        AND value IN (
            SELECT CAST(item.value AS TEXT) FROM json_each(old.labels) AS item
            UNION ALL SELECT CAST(item.value AS TEXT) FROM json_each(old.assignees) AS item
            UNION ALL SELECT CAST(item.value AS TEXT) FROM json_each(old.affected_services) AS item
        );
    INSERT OR IGNORE INTO incident_term (tenant, name, value, id)
    SELECT new.tenant, 'labels.' || item.key, item.value, new.id FROM json_each(new.labels) AS item
    UNION ALL SELECT new.tenant, 'assignees', item.value, new.id FROM json_each(new.assignees) AS item
    UNION ALL SELECT new.tenant, 'affected_services', item.value, new.id
    FROM json_each(new.affected_services) AS item;
END;

CREATE TRIGGER incident_index_removed AFTER DELETE ON incident_index
BEGIN
    UPDATE incident_count SET incidents = incidents - 1
    WHERE tenant = old.tenant AND state = old.state AND severity = old.severity
        AND incident_type = old.incident_type AND source = old.source;
    -- Each column by itself: of pairs SQLite would look at every term of the tenant.
    DELETE FROM incident_term WHERE tenant = old.tenant AND id = old.id
        AND name IN (
            SELECT 'labels.' || item.key FROM json_each(old.labels) AS item
            UNION ALL SELECT 'assignees' UNION ALL SELECT 'affected_services'
        )
        AND value IN (
            SELECT CAST(item.value AS TEXT) FROM json_each(old.labels) AS item
            UNION ALL SELECT CAST(item.value AS TEXT) FROM json_each(old.assignees) AS item
            UNION ALL SELECT CAST(item.value AS TEXT) FROM json_each(old.affected_services) AS item
        );
END;
