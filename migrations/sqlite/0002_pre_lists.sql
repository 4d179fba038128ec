-- What lists ask of incidents: a narrow copy that follows the change feed, so that no event waits for its indexes.
-- Readers add what the feed has behind index_position, so a list never misses a change that was committed before it.
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

-- What an incident has several of: labels as labels.<key>, assignees and affected_services by their names.
CREATE TABLE incident_term (
    tenant TEXT NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    id BLOB NOT NULL,
    PRIMARY KEY (tenant, name, value, id)
) WITHOUT ROWID;

-- How many rows incident_index has of each kind, so that these counts cost the same at any size.
CREATE TABLE incident_count (
    tenant TEXT NOT NULL,
    state TEXT NOT NULL,
    severity INTEGER NOT NULL,
    incident_type TEXT NOT NULL,
    source TEXT NOT NULL,
    incidents INTEGER NOT NULL,
    PRIMARY KEY (tenant, state, severity, incident_type, source)
) WITHOUT ROWID;

-- How far each copy has followed incident_change.
CREATE TABLE index_position (
    name TEXT PRIMARY KEY,
    sequence INTEGER NOT NULL
) WITHOUT ROWID;

INSERT INTO index_position (name, sequence)
SELECT 'incident_index', coalesce(max(sequence), 0) FROM incident_change
UNION ALL SELECT 'incident_document', 0;

INSERT INTO incident_index
    (tenant, id, number, state, severity, incident_type, kind, source, service, environment, application, provider,
    model, deployment, affected_services, assignees, labels, recurred, created_at, updated_at, acknowledged_at,
    resolved_at, closed_at)
SELECT
    tenant, id, number, state, severity, incident_type, kind, source, service, environment, application, provider,
    model, deployment, affected_services, assignees, labels, recurred, created_at, updated_at, acknowledged_at,
    resolved_at, closed_at
FROM incident ORDER BY tenant, id;

INSERT INTO incident_count (tenant, state, severity, incident_type, source, incidents)
SELECT tenant, state, severity, incident_type, source, count(*) FROM incident_index GROUP BY 1, 2, 3, 4, 5;

INSERT OR IGNORE INTO incident_term (tenant, name, value, id)
SELECT i.tenant, 'labels.' || item.key, item.value, i.id FROM incident_index AS i, json_each(i.labels) AS item
UNION ALL SELECT i.tenant, 'assignees', item.value, i.id FROM incident_index AS i, json_each(i.assignees) AS item
UNION ALL SELECT i.tenant, 'affected_services', item.value, i.id
FROM incident_index AS i, json_each(i.affected_services) AS item
ORDER BY 1, 2, 3, 4;

-- Newest first within each value. State and severity stand behind, so that asking for them as well reads no more.
CREATE INDEX ix_incident_index_state ON incident_index (tenant, state, id, severity);
CREATE INDEX ix_incident_index_severity ON incident_index (tenant, severity, id DESC, created_at, state);
CREATE INDEX ix_incident_index_incident_type ON incident_index (tenant, incident_type, id, state, severity);
CREATE INDEX ix_incident_index_source ON incident_index (tenant, source, id, state, severity);
CREATE INDEX ix_incident_index_kind ON incident_index (tenant, kind, id, state, severity, source);
CREATE INDEX ix_incident_index_service ON incident_index (tenant, service, id, state, severity, kind);
CREATE INDEX ix_incident_index_environment ON incident_index (tenant, environment, id, state, severity);
CREATE INDEX ix_incident_index_application ON incident_index (tenant, application, id, state, severity);
CREATE INDEX ix_incident_index_provider ON incident_index (tenant, provider, id, state, severity);
CREATE INDEX ix_incident_index_model ON incident_index (tenant, model, id, state, severity);
CREATE INDEX ix_incident_index_deployment ON incident_index (tenant, deployment, id, state, severity);
-- For lists in another order.
CREATE INDEX ix_incident_index_created_at ON incident_index (tenant, created_at, id);
CREATE INDEX ix_incident_index_updated_at ON incident_index (tenant, updated_at, id);
CREATE INDEX ix_incident_index_number ON incident_index (
    tenant,
    (substr(number, 1, 13) || CASE WHEN length(number) > 13 THEN substr('0000000000' || substr(number, 14), -10) ELSE '' END),
    id
);

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

-- Words of incidents for search, written by the server behind the change feed. `place` orders documents as ids do.
CREATE TABLE incident_document (
    place INTEGER PRIMARY KEY,
    tenant TEXT NOT NULL,
    incident_id BLOB NOT NULL UNIQUE
);

CREATE VIRTUAL TABLE incident_words USING fts5 (
    words, content = '', contentless_delete = 1, detail = none, tokenize = 'ascii'
);

CREATE TRIGGER incident_document_removed AFTER DELETE ON incident_document
BEGIN
    DELETE FROM incident_words WHERE rowid = old.place;
END;

CREATE TRIGGER incident_removed AFTER DELETE ON incident
BEGIN
    DELETE FROM incident_index WHERE tenant = old.tenant AND id = old.id;
    DELETE FROM incident_document WHERE incident_id = old.id;
END;
