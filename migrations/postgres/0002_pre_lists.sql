-- What lists ask of incidents: a narrow copy that follows the change feed, so that no event waits for its indexes.
-- Readers add what the feed has behind index_position, so a list never misses a change that was committed before it.
CREATE TABLE incident_index (
    tenant TEXT NOT NULL,
    id UUID NOT NULL,
    number TEXT NOT NULL,
    state TEXT NOT NULL,
    severity SMALLINT NOT NULL,
    incident_type TEXT NOT NULL,
    kind TEXT NOT NULL,
    source TEXT NOT NULL,
    service TEXT NOT NULL,
    environment TEXT NOT NULL,
    application TEXT NOT NULL,
    provider TEXT NOT NULL,
    model TEXT NOT NULL,
    deployment TEXT NOT NULL,
    affected_services JSONB NOT NULL,
    assignees JSONB NOT NULL,
    labels JSONB NOT NULL,
    recurred BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    acknowledged_at BIGINT,
    resolved_at BIGINT,
    closed_at BIGINT,
    PRIMARY KEY (tenant, id)
);

-- What an incident has several of: labels as labels.<key>, assignees and affected_services by their names.
CREATE TABLE incident_term (
    tenant TEXT NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    id UUID NOT NULL,
    PRIMARY KEY (tenant, name, value, id)
);

-- How many rows incident_index has of each kind, so that these counts cost the same at any size. One writer at a time.
CREATE TABLE incident_count (
    tenant TEXT NOT NULL,
    state TEXT NOT NULL,
    severity SMALLINT NOT NULL,
    incident_type TEXT NOT NULL,
    source TEXT NOT NULL,
    incidents BIGINT NOT NULL,
    PRIMARY KEY (tenant, state, severity, incident_type, source)
);

-- How far each copy has followed incident_change. Whoever locks a row moves that copy on.
CREATE TABLE index_position (
    name TEXT PRIMARY KEY,
    transaction XID8 NOT NULL,
    sequence BIGINT NOT NULL
);

-- Changes of transactions that still run are behind this position; all others are seen by the statement after it.
INSERT INTO index_position (name, transaction, sequence)
VALUES ('incident_index', pg_snapshot_xmin(pg_current_snapshot()), 0), ('incident_document', '0', 0);

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

INSERT INTO incident_term (tenant, name, value, id)
SELECT i.tenant, 'labels.' || item.key, item.value, i.id
FROM incident_index AS i, jsonb_each_text(i.labels) AS item
UNION SELECT i.tenant, 'assignees', item.value, i.id
FROM incident_index AS i, jsonb_array_elements_text(i.assignees) AS item (value)
UNION SELECT i.tenant, 'affected_services', item.value, i.id
FROM incident_index AS i, jsonb_array_elements_text(i.affected_services) AS item (value)
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
    ((left(number, 13) || CASE WHEN length(number) > 13 THEN right('0000000000' || substr(number, 14), 10) ELSE '' END) COLLATE "C"),
    id
);

CREATE FUNCTION incident_index_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND (OLD.state, OLD.severity, OLD.incident_type, OLD.source, OLD.labels, OLD.assignees,
            OLD.affected_services) IS NOT DISTINCT FROM (NEW.state, NEW.severity, NEW.incident_type, NEW.source,
            NEW.labels, NEW.assignees, NEW.affected_services) THEN
        RETURN NULL;
    END IF;
    IF TG_OP <> 'INSERT' THEN
        INSERT INTO incident_count AS c (tenant, state, severity, incident_type, source, incidents)
        VALUES (OLD.tenant, OLD.state, OLD.severity, OLD.incident_type, OLD.source, -1)
        ON CONFLICT (tenant, state, severity, incident_type, source) DO UPDATE SET incidents = c.incidents + (-1);
        DELETE FROM incident_term AS t USING (
            SELECT OLD.tenant, 'labels.' || item.key, item.value, OLD.id
            FROM jsonb_each_text(OLD.labels) AS item
            UNION SELECT OLD.tenant, 'assignees', item.value, OLD.id
            FROM jsonb_array_elements_text(OLD.assignees) AS item (value)
            UNION SELECT OLD.tenant, 'affected_services', item.value, OLD.id
            FROM jsonb_array_elements_text(OLD.affected_services) AS item (value)
        ) AS gone (tenant, name, value, id)
        WHERE t.tenant = gone.tenant AND t.name = gone.name AND t.value = gone.value AND t.id = gone.id;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        INSERT INTO incident_count AS c (tenant, state, severity, incident_type, source, incidents)
        VALUES (NEW.tenant, NEW.state, NEW.severity, NEW.incident_type, NEW.source, 1)
        ON CONFLICT (tenant, state, severity, incident_type, source) DO UPDATE SET incidents = c.incidents + (1);
        INSERT INTO incident_term (tenant, name, value, id)
        SELECT NEW.tenant, 'labels.' || item.key, item.value, NEW.id
        FROM jsonb_each_text(NEW.labels) AS item
        UNION SELECT NEW.tenant, 'assignees', item.value, NEW.id
        FROM jsonb_array_elements_text(NEW.assignees) AS item (value)
        UNION SELECT NEW.tenant, 'affected_services', item.value, NEW.id
        FROM jsonb_array_elements_text(NEW.affected_services) AS item (value);
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER incident_index_changed AFTER INSERT OR UPDATE OR DELETE ON incident_index
FOR EACH ROW EXECUTE FUNCTION incident_index_changed();

-- Words of incidents for search, written by the servers behind the change feed.
CREATE TABLE incident_document (
    incident_id UUID PRIMARY KEY,
    tenant TEXT NOT NULL,
    words TSVECTOR NOT NULL
);

-- With few words in the statistics a rare word would be taken for one that a short scan soon meets.
ALTER TABLE incident_document ALTER COLUMN words SET STATISTICS 500;

CREATE INDEX ix_incident_document_words ON incident_document USING gin (words);

CREATE FUNCTION incident_removed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM incident_index WHERE tenant = OLD.tenant AND id = OLD.id;
    DELETE FROM incident_document WHERE incident_id = OLD.id;
    RETURN NULL;
END
$$;

CREATE TRIGGER incident_removed AFTER DELETE ON incident FOR EACH ROW EXECUTE FUNCTION incident_removed();
