CREATE FUNCTION public.incident_index_changed() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION public.incident_removed() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    DELETE FROM incident_index WHERE tenant = OLD.tenant AND id = OLD.id;
    DELETE FROM incident_document WHERE incident_id = OLD.id;
    RETURN NULL;
END
$$;

CREATE TABLE public.access_revision (
    only_row integer NOT NULL,
    revision bigint NOT NULL,
    CONSTRAINT access_revision_only_row_check CHECK ((only_row = 1))
);

CREATE TABLE public.api_key (
    id text NOT NULL,
    tenant text NOT NULL,
    display_name text NOT NULL,
    subject text NOT NULL,
    roles text NOT NULL,
    services text NOT NULL,
    teams text NOT NULL,
    tier text NOT NULL,
    pepper text NOT NULL,
    digest bytea NOT NULL,
    issue integer NOT NULL,
    former_digest bytea,
    former_expires_at bigint,
    created_at bigint NOT NULL,
    created_by text NOT NULL,
    expires_at bigint,
    rotated_at bigint,
    revoked_at bigint,
    revoke_reason text NOT NULL,
    last_used_at bigint,
    revision bigint NOT NULL
);

CREATE TABLE public.audit (
    tenant text NOT NULL,
    writer text NOT NULL,
    sequence bigint NOT NULL,
    at bigint NOT NULL,
    actor text NOT NULL,
    action text NOT NULL,
    resource text NOT NULL,
    details jsonb NOT NULL,
    prev_hash bytea NOT NULL,
    hash bytea NOT NULL,
    version smallint DEFAULT 1 NOT NULL,
    proven_by text DEFAULT ''::text NOT NULL,
    credential text DEFAULT ''::text NOT NULL,
    source text DEFAULT ''::text NOT NULL,
    before jsonb DEFAULT '{}'::jsonb NOT NULL,
    after jsonb DEFAULT '{}'::jsonb NOT NULL
);

CREATE TABLE public.audit_checkpoint (
    tenant text NOT NULL,
    number bigint NOT NULL,
    at bigint NOT NULL,
    records bigint NOT NULL,
    ends jsonb NOT NULL,
    retired jsonb NOT NULL,
    prev_hash bytea NOT NULL,
    hash bytea NOT NULL,
    key_id text NOT NULL,
    signature bytea NOT NULL
);

CREATE TABLE public.audit_retired (
    tenant text NOT NULL,
    writer text NOT NULL,
    number bigint NOT NULL
);

CREATE TABLE public.delivery (
    id uuid NOT NULL,
    tenant text NOT NULL,
    incident_id uuid NOT NULL,
    channel text NOT NULL,
    route text NOT NULL,
    reason text NOT NULL,
    dedup_key text NOT NULL,
    state text NOT NULL,
    attempts integer NOT NULL,
    error text NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    CONSTRAINT delivery_state_check CHECK ((state = ANY (ARRAY['pending'::text, 'sent'::text, 'dead'::text])))
);

CREATE TABLE public.denied_certificate (
    fingerprint text NOT NULL,
    reason text NOT NULL,
    actor text NOT NULL,
    created_at bigint NOT NULL,
    revision bigint NOT NULL
);

CREATE TABLE public.directive (
    id text NOT NULL,
    tenant text NOT NULL,
    state text NOT NULL,
    made_for text NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    approved_by text NOT NULL,
    approved_at bigint,
    expire_at bigint,
    revert_requested boolean NOT NULL,
    revision bigint NOT NULL,
    body text NOT NULL
);

CREATE TABLE public.directive_delivery (
    directive_id text NOT NULL,
    agent_id text NOT NULL,
    tenant text NOT NULL,
    state text NOT NULL,
    reason text NOT NULL,
    updated_at bigint NOT NULL,
    applied_at bigint,
    attempts integer NOT NULL,
    due_at bigint,
    wanted smallint NOT NULL
);

CREATE TABLE public.edge_agent (
    tenant text NOT NULL,
    agent_id text NOT NULL,
    subject text NOT NULL,
    state text NOT NULL,
    service text NOT NULL,
    epoch bigint NOT NULL,
    server text NOT NULL,
    created_at bigint NOT NULL,
    connected_at bigint NOT NULL,
    last_seen_at bigint NOT NULL,
    due_at bigint,
    reported_lost boolean NOT NULL,
    body text NOT NULL,
    telemetry bytea NOT NULL,
    CONSTRAINT edge_agent_state_check CHECK ((state = ANY (ARRAY['CONNECTED'::text, 'DISCONNECTED'::text, 'LOST'::text])))
);

CREATE TABLE public.edge_inference (
    tenant text NOT NULL,
    request_id text NOT NULL,
    digest bytea NOT NULL,
    subject text NOT NULL,
    model_id text NOT NULL,
    wanted_agent text NOT NULL,
    priority smallint NOT NULL,
    offline boolean NOT NULL,
    status text NOT NULL,
    created_at bigint NOT NULL,
    due_at bigint NOT NULL,
    body bytea NOT NULL,
    agent_id text NOT NULL,
    epoch bigint NOT NULL,
    server text NOT NULL,
    result bytea NOT NULL,
    error text NOT NULL,
    CONSTRAINT edge_inference_status_check CHECK ((status = ANY (ARRAY['QUEUED'::text, 'PROCESSING'::text, 'COMPLETED'::text, 'FAILED'::text])))
);

CREATE TABLE public.event (
    id uuid NOT NULL,
    tenant text NOT NULL,
    incident_id uuid,
    disposition smallint NOT NULL,
    reason text NOT NULL,
    event_time bigint NOT NULL,
    received_at bigint NOT NULL,
    duplicate_of uuid,
    CONSTRAINT event_disposition_check CHECK (((disposition >= 1) AND (disposition <= 6)))
)
PARTITION BY RANGE (id);

CREATE TABLE public.event_body (
    event_id uuid NOT NULL,
    tenant text NOT NULL,
    body bytea NOT NULL,
    decision jsonb NOT NULL
)
PARTITION BY RANGE (event_id);

CREATE TABLE public.event_body_default (
    event_id uuid CONSTRAINT event_body_event_id_not_null NOT NULL,
    tenant text CONSTRAINT event_body_tenant_not_null NOT NULL,
    body bytea CONSTRAINT event_body_body_not_null NOT NULL,
    decision jsonb CONSTRAINT event_body_decision_not_null NOT NULL
);

CREATE TABLE public.event_default (
    id uuid CONSTRAINT event_id_not_null NOT NULL,
    tenant text CONSTRAINT event_tenant_not_null NOT NULL,
    incident_id uuid,
    disposition smallint CONSTRAINT event_disposition_not_null NOT NULL,
    reason text CONSTRAINT event_reason_not_null NOT NULL,
    event_time bigint CONSTRAINT event_event_time_not_null NOT NULL,
    received_at bigint CONSTRAINT event_received_at_not_null NOT NULL,
    duplicate_of uuid,
    CONSTRAINT event_disposition_check CHECK (((disposition >= 1) AND (disposition <= 6)))
);

CREATE TABLE public.idempotency (
    tenant text NOT NULL,
    key text NOT NULL,
    event_id uuid NOT NULL,
    incident_id uuid,
    at bigint NOT NULL
);

CREATE TABLE public.incident (
    id uuid NOT NULL,
    tenant text NOT NULL,
    number text NOT NULL,
    state text NOT NULL,
    severity smallint NOT NULL,
    incident_type text NOT NULL,
    kind text NOT NULL,
    source text NOT NULL,
    title text NOT NULL,
    description text NOT NULL,
    fp_version smallint NOT NULL,
    fingerprint text NOT NULL,
    fp_components jsonb NOT NULL,
    labels jsonb NOT NULL,
    service text NOT NULL,
    affected_services jsonb NOT NULL,
    environment text NOT NULL,
    application text NOT NULL,
    provider text NOT NULL,
    model text NOT NULL,
    deployment text NOT NULL,
    runbook_url text NOT NULL,
    assignees jsonb NOT NULL,
    route text NOT NULL,
    event_count bigint NOT NULL,
    tokens bigint NOT NULL,
    cost_usd double precision NOT NULL,
    users_affected bigint NOT NULL,
    historical boolean NOT NULL,
    recurred boolean NOT NULL,
    previous_id uuid,
    merged_into uuid,
    resolution jsonb,
    first_seen_at bigint NOT NULL,
    last_seen_at bigint NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    acknowledged_at bigint,
    resolved_at bigint,
    closed_at bigint,
    revision bigint NOT NULL,
    traceparent text NOT NULL,
    keys jsonb,
    unmerge jsonb,
    first_received_at bigint,
    snoozed_until bigint,
    acknowledge_breached_at bigint,
    resolve_breached_at bigint,
    CONSTRAINT incident_severity_check CHECK (((severity >= 0) AND (severity <= 4))),
    CONSTRAINT incident_state_check CHECK ((state = ANY (ARRAY['NEW'::text, 'ACKNOWLEDGED'::text, 'IN_PROGRESS'::text, 'ESCALATED'::text, 'RESOLVED'::text, 'CLOSED'::text])))
);

CREATE TABLE public.incident_analysis (
    id uuid NOT NULL,
    tenant text NOT NULL,
    incident_id uuid NOT NULL,
    question text NOT NULL,
    state text NOT NULL,
    requested_by text NOT NULL,
    requested_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    attempts integer NOT NULL,
    error text NOT NULL,
    confidence double precision,
    recommended smallint,
    applied boolean NOT NULL,
    findings bytea NOT NULL,
    CONSTRAINT incident_analysis_state_check CHECK ((state = ANY (ARRAY['pending'::text, 'answered'::text, 'failed'::text])))
);

CREATE TABLE public.incident_attachment (
    id uuid NOT NULL,
    tenant text NOT NULL,
    incident_id uuid NOT NULL,
    url text NOT NULL,
    title text NOT NULL,
    media_type text NOT NULL,
    actor text NOT NULL,
    at bigint NOT NULL
);

CREATE TABLE public.incident_change (
    sequence bigint NOT NULL,
    transaction xid8 DEFAULT pg_current_xact_id() NOT NULL,
    tenant text NOT NULL,
    incident_id uuid NOT NULL,
    kind text NOT NULL,
    at bigint NOT NULL
);

ALTER TABLE public.incident_change ALTER COLUMN sequence ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.incident_change_sequence_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.incident_count (
    tenant text NOT NULL,
    state text NOT NULL,
    severity smallint NOT NULL,
    incident_type text NOT NULL,
    source text NOT NULL,
    incidents bigint NOT NULL
);

CREATE TABLE public.incident_document (
    incident_id uuid NOT NULL,
    tenant text NOT NULL,
    words tsvector NOT NULL
);
ALTER TABLE ONLY public.incident_document ALTER COLUMN words SET STATISTICS 500;

CREATE TABLE public.incident_index (
    tenant text NOT NULL,
    id uuid NOT NULL,
    number text NOT NULL,
    state text NOT NULL,
    severity smallint NOT NULL,
    incident_type text NOT NULL,
    kind text NOT NULL,
    source text NOT NULL,
    service text NOT NULL,
    environment text NOT NULL,
    application text NOT NULL,
    provider text NOT NULL,
    model text NOT NULL,
    deployment text NOT NULL,
    affected_services jsonb NOT NULL,
    assignees jsonb NOT NULL,
    labels jsonb NOT NULL,
    recurred boolean NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    acknowledged_at bigint,
    resolved_at bigint,
    closed_at bigint
);

CREATE TABLE public.incident_key (
    tenant text NOT NULL,
    fp_version smallint NOT NULL,
    fingerprint text NOT NULL,
    incident_id uuid NOT NULL,
    event_count bigint
);

CREATE TABLE public.incident_key_released (
    tenant text NOT NULL,
    fp_version smallint NOT NULL,
    fingerprint text NOT NULL,
    incident_id uuid NOT NULL,
    released_at bigint NOT NULL
);

CREATE TABLE public.incident_link (
    tenant text NOT NULL,
    incident_id uuid NOT NULL,
    relation smallint NOT NULL,
    other_id uuid NOT NULL,
    at bigint NOT NULL,
    actor text NOT NULL,
    reason text NOT NULL,
    CONSTRAINT incident_link_relation_check CHECK ((relation = ANY (ARRAY[1, 2, 3, 4, 7])))
);

CREATE TABLE public.incident_number (
    tenant text NOT NULL,
    day text NOT NULL,
    next bigint NOT NULL
);

CREATE TABLE public.incident_term (
    tenant text NOT NULL,
    name text NOT NULL,
    value text NOT NULL,
    id uuid NOT NULL
);

CREATE TABLE public.index_position (
    name text NOT NULL,
    transaction xid8 NOT NULL,
    sequence bigint NOT NULL
);

CREATE TABLE public.lease (
    name text NOT NULL,
    owner text NOT NULL,
    fence bigint NOT NULL,
    lease_until bigint NOT NULL
);

CREATE TABLE public.outbox (
    id uuid NOT NULL,
    tenant text NOT NULL,
    topic text NOT NULL,
    lane text NOT NULL,
    incident_id uuid NOT NULL,
    payload text NOT NULL,
    traceparent text NOT NULL,
    created_at bigint NOT NULL,
    due_at bigint NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    last_error text DEFAULT ''::text NOT NULL,
    lease_owner text DEFAULT ''::text NOT NULL,
    lease_until bigint DEFAULT 0 NOT NULL,
    fence bigint DEFAULT 0 NOT NULL,
    dead boolean DEFAULT false NOT NULL
);

CREATE TABLE public.process (
    owner text NOT NULL,
    roles text NOT NULL,
    version text NOT NULL,
    started_at bigint NOT NULL,
    seen_at bigint NOT NULL
);

CREATE TABLE public.producer (
    tenant text NOT NULL,
    principal text NOT NULL,
    producer_id text NOT NULL,
    epoch bigint NOT NULL,
    last_sequence bigint NOT NULL,
    updated_at bigint NOT NULL
);

CREATE TABLE public.producer_segment (
    tenant text NOT NULL,
    principal text NOT NULL,
    producer_id text NOT NULL,
    first_sequence bigint NOT NULL,
    count integer NOT NULL,
    first_event_id uuid NOT NULL,
    at bigint NOT NULL
);

CREATE TABLE public.request_answer (
    tenant text NOT NULL,
    request_id text NOT NULL,
    digest bytea NOT NULL,
    answer bytea NOT NULL,
    at bigint NOT NULL
);

CREATE TABLE public.role (
    tenant text NOT NULL,
    name text NOT NULL,
    description text NOT NULL,
    permissions text NOT NULL,
    updated_at bigint NOT NULL,
    revision bigint NOT NULL
);

CREATE TABLE public.schema_migration (
    version integer NOT NULL,
    name text NOT NULL,
    checksum text NOT NULL,
    applied_at bigint NOT NULL
);

CREATE TABLE public.tenant (
    id text NOT NULL,
    display_name text NOT NULL,
    state text NOT NULL,
    events_per_second integer NOT NULL,
    calls_per_minute integer NOT NULL,
    burst integer NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    revision bigint NOT NULL,
    CONSTRAINT tenant_state_check CHECK ((state = ANY (ARRAY['ACTIVE'::text, 'SUSPENDED'::text, 'ERASING'::text, 'ERASED'::text])))
);

CREATE TABLE public.timeline (
    id uuid NOT NULL,
    tenant text NOT NULL,
    incident_id uuid NOT NULL,
    at bigint NOT NULL,
    kind text NOT NULL,
    actor text NOT NULL,
    text text NOT NULL,
    details jsonb NOT NULL
);

CREATE TABLE public.timer (
    incident_id uuid NOT NULL,
    key text NOT NULL,
    tenant text NOT NULL,
    kind text NOT NULL,
    due_at bigint NOT NULL,
    created_at bigint NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    last_error text DEFAULT ''::text NOT NULL,
    lease_owner text DEFAULT ''::text NOT NULL,
    lease_until bigint DEFAULT 0 NOT NULL,
    fence bigint DEFAULT 0 NOT NULL
);

ALTER TABLE ONLY public.event_body ATTACH PARTITION public.event_body_default DEFAULT;

ALTER TABLE ONLY public.event ATTACH PARTITION public.event_default DEFAULT;

ALTER TABLE ONLY public.access_revision
    ADD CONSTRAINT access_revision_pkey PRIMARY KEY (only_row);

ALTER TABLE ONLY public.api_key
    ADD CONSTRAINT api_key_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.audit_checkpoint
    ADD CONSTRAINT audit_checkpoint_pkey PRIMARY KEY (tenant, number);

ALTER TABLE ONLY public.audit
    ADD CONSTRAINT audit_pkey PRIMARY KEY (tenant, writer, sequence);

ALTER TABLE ONLY public.audit_retired
    ADD CONSTRAINT audit_retired_pkey PRIMARY KEY (tenant, writer);

ALTER TABLE ONLY public.delivery
    ADD CONSTRAINT delivery_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.denied_certificate
    ADD CONSTRAINT denied_certificate_pkey PRIMARY KEY (fingerprint);

ALTER TABLE ONLY public.directive_delivery
    ADD CONSTRAINT directive_delivery_pkey PRIMARY KEY (directive_id, agent_id);

ALTER TABLE ONLY public.directive
    ADD CONSTRAINT directive_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.edge_agent
    ADD CONSTRAINT edge_agent_pkey PRIMARY KEY (tenant, agent_id);

ALTER TABLE ONLY public.edge_inference
    ADD CONSTRAINT edge_inference_pkey PRIMARY KEY (tenant, request_id);

ALTER TABLE ONLY public.event_body
    ADD CONSTRAINT event_body_pkey PRIMARY KEY (event_id);

ALTER TABLE ONLY public.event_body_default
    ADD CONSTRAINT event_body_default_pkey PRIMARY KEY (event_id);

ALTER TABLE ONLY public.event
    ADD CONSTRAINT event_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.event_default
    ADD CONSTRAINT event_default_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.idempotency
    ADD CONSTRAINT idempotency_pkey PRIMARY KEY (tenant, key);

ALTER TABLE ONLY public.incident_analysis
    ADD CONSTRAINT incident_analysis_pkey PRIMARY KEY (incident_id, id);

ALTER TABLE ONLY public.incident_attachment
    ADD CONSTRAINT incident_attachment_pkey PRIMARY KEY (incident_id, id);

ALTER TABLE ONLY public.incident_change
    ADD CONSTRAINT incident_change_pkey PRIMARY KEY (sequence);

ALTER TABLE ONLY public.incident_count
    ADD CONSTRAINT incident_count_pkey PRIMARY KEY (tenant, state, severity, incident_type, source);

ALTER TABLE ONLY public.incident_document
    ADD CONSTRAINT incident_document_pkey PRIMARY KEY (incident_id);

ALTER TABLE ONLY public.incident_index
    ADD CONSTRAINT incident_index_pkey PRIMARY KEY (tenant, id);

ALTER TABLE ONLY public.incident_key
    ADD CONSTRAINT incident_key_pkey PRIMARY KEY (tenant, fp_version, fingerprint);

ALTER TABLE ONLY public.incident_key_released
    ADD CONSTRAINT incident_key_released_pkey PRIMARY KEY (tenant, fp_version, fingerprint);

ALTER TABLE ONLY public.incident_link
    ADD CONSTRAINT incident_link_pkey PRIMARY KEY (incident_id, relation, other_id);

ALTER TABLE ONLY public.incident_number
    ADD CONSTRAINT incident_number_pkey PRIMARY KEY (tenant, day);

ALTER TABLE ONLY public.incident
    ADD CONSTRAINT incident_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.incident_term
    ADD CONSTRAINT incident_term_pkey PRIMARY KEY (tenant, name, value, id);

ALTER TABLE ONLY public.index_position
    ADD CONSTRAINT index_position_pkey PRIMARY KEY (name);

ALTER TABLE ONLY public.lease
    ADD CONSTRAINT lease_pkey PRIMARY KEY (name);

ALTER TABLE ONLY public.outbox
    ADD CONSTRAINT outbox_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.process
    ADD CONSTRAINT process_pkey PRIMARY KEY (owner);

ALTER TABLE ONLY public.producer
    ADD CONSTRAINT producer_pkey PRIMARY KEY (tenant, principal, producer_id);

ALTER TABLE ONLY public.producer_segment
    ADD CONSTRAINT producer_segment_pkey PRIMARY KEY (tenant, principal, producer_id, first_sequence);

ALTER TABLE ONLY public.request_answer
    ADD CONSTRAINT request_answer_pkey PRIMARY KEY (tenant, request_id);

ALTER TABLE ONLY public.role
    ADD CONSTRAINT role_pkey PRIMARY KEY (tenant, name);

ALTER TABLE ONLY public.schema_migration
    ADD CONSTRAINT schema_migration_pkey PRIMARY KEY (version);

ALTER TABLE ONLY public.tenant
    ADD CONSTRAINT tenant_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.timeline
    ADD CONSTRAINT timeline_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.timer
    ADD CONSTRAINT timer_pkey PRIMARY KEY (incident_id, key);

CREATE INDEX ix_api_key_revision ON public.api_key USING btree (revision);

CREATE INDEX ix_api_key_tenant ON public.api_key USING btree (tenant, id);

CREATE INDEX ix_audit_at ON public.audit USING btree (tenant, at);

CREATE INDEX ix_denied_certificate_created ON public.denied_certificate USING btree (created_at, fingerprint);

CREATE INDEX ix_directive_delivery_agent ON public.directive_delivery USING btree (tenant, agent_id, directive_id);

CREATE INDEX ix_directive_delivery_due ON public.directive_delivery USING btree (due_at) WHERE (due_at IS NOT NULL);

CREATE INDEX ix_directive_delivery_wanted ON public.directive_delivery USING btree (tenant, agent_id) WHERE (wanted > 0);

CREATE INDEX ix_directive_incident ON public.directive USING btree (tenant, made_for, id) WHERE (made_for <> ''::text);

CREATE INDEX ix_directive_tenant ON public.directive USING btree (tenant, id);

CREATE INDEX ix_edge_agent_due ON public.edge_agent USING btree (due_at) WHERE (due_at IS NOT NULL);

CREATE INDEX ix_edge_agent_lost ON public.edge_agent USING btree (tenant, agent_id) WHERE reported_lost;

CREATE INDEX ix_edge_agent_server ON public.edge_agent USING btree (server) WHERE (server <> ''::text);

CREATE INDEX ix_edge_inference_agent ON public.edge_inference USING btree (tenant, agent_id) WHERE (status = 'PROCESSING'::text);

CREATE INDEX ix_edge_inference_due ON public.edge_inference USING btree (due_at);

CREATE INDEX ix_edge_inference_queued ON public.edge_inference USING btree (priority, created_at) WHERE (status = 'QUEUED'::text);

CREATE INDEX ix_incident_change_order ON public.incident_change USING btree (transaction, sequence);

CREATE INDEX ix_incident_document_words ON public.incident_document USING gin (words);

CREATE INDEX ix_incident_finished ON public.incident USING btree (COALESCE(closed_at, resolved_at)) WHERE (state = ANY (ARRAY['RESOLVED'::text, 'CLOSED'::text]));

CREATE INDEX ix_incident_index_application ON public.incident_index USING btree (tenant, application, id, state, severity);

CREATE INDEX ix_incident_index_created_at ON public.incident_index USING btree (tenant, created_at, id);

CREATE INDEX ix_incident_index_deployment ON public.incident_index USING btree (tenant, deployment, id, state, severity);

CREATE INDEX ix_incident_index_environment ON public.incident_index USING btree (tenant, environment, id, state, severity);

CREATE INDEX ix_incident_index_incident_type ON public.incident_index USING btree (tenant, incident_type, id, state, severity);

CREATE INDEX ix_incident_index_kind ON public.incident_index USING btree (tenant, kind, id, state, severity, source);

CREATE INDEX ix_incident_index_model ON public.incident_index USING btree (tenant, model, id, state, severity);

CREATE INDEX ix_incident_index_number ON public.incident_index USING btree (tenant, (("left"(number, 13) ||
CASE
    WHEN (length(number) > 13) THEN "right"(('0000000000'::text || substr(number, 14)), 10)
    ELSE ''::text
END)) COLLATE "C", id);

CREATE INDEX ix_incident_index_provider ON public.incident_index USING btree (tenant, provider, id, state, severity);

CREATE INDEX ix_incident_index_service ON public.incident_index USING btree (tenant, service, id, state, severity, kind);

CREATE INDEX ix_incident_index_severity ON public.incident_index USING btree (tenant, severity, id DESC, created_at, state);

CREATE INDEX ix_incident_index_source ON public.incident_index USING btree (tenant, source, id, state, severity);

CREATE INDEX ix_incident_index_state ON public.incident_index USING btree (tenant, state, id, severity);

CREATE INDEX ix_incident_index_updated_at ON public.incident_index USING btree (tenant, updated_at, id);

CREATE INDEX ix_incident_previous ON public.incident USING btree (previous_id) WHERE (previous_id IS NOT NULL);

CREATE INDEX ix_outbox_dead ON public.outbox USING btree (incident_id) WHERE dead;

CREATE INDEX ix_outbox_dead_letters ON public.outbox USING btree (tenant, id, topic) WHERE dead;

CREATE INDEX ix_outbox_lane ON public.outbox USING btree (topic, lane, id);

CREATE INDEX ix_outbox_topic ON public.outbox USING btree (topic, dead, id);

CREATE INDEX ix_timeline_incident ON public.timeline USING btree (incident_id, id);

CREATE INDEX ix_timer_due ON public.timer USING btree (due_at, lease_until);

CREATE UNIQUE INDEX ux_delivery_dedup ON public.delivery USING btree (incident_id, dedup_key, channel);

CREATE UNIQUE INDEX ux_incident_number ON public.incident USING btree (tenant, number);

ALTER INDEX public.event_body_pkey ATTACH PARTITION public.event_body_default_pkey;

ALTER INDEX public.event_pkey ATTACH PARTITION public.event_default_pkey;

CREATE TRIGGER incident_index_changed AFTER INSERT OR DELETE OR UPDATE ON public.incident_index FOR EACH ROW EXECUTE FUNCTION public.incident_index_changed();

CREATE TRIGGER incident_removed AFTER DELETE ON public.incident FOR EACH ROW EXECUTE FUNCTION public.incident_removed();
