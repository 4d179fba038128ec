-- Edge-Agents, the directives they are given, and the models they are asked to run.

-- `server` names the process that has the agent's session, empty when none has, and `epoch` counts its sessions.
-- `due_at`: when it counts as lost; null when nobody misses it. `body` is JSON, `telemetry` as the door encodes it.
CREATE TABLE edge_agent (
    tenant TEXT NOT NULL,
    agent_id TEXT NOT NULL,
    subject TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('CONNECTED', 'DISCONNECTED', 'LOST')),
    service TEXT NOT NULL,
    epoch BIGINT NOT NULL,
    server TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    connected_at BIGINT NOT NULL,
    last_seen_at BIGINT NOT NULL,
    due_at BIGINT,
    reported_lost BOOLEAN NOT NULL,
    body TEXT NOT NULL,
    telemetry BYTEA NOT NULL,
    PRIMARY KEY (tenant, agent_id)
);

CREATE INDEX ix_edge_agent_server ON edge_agent (server) WHERE server <> '';
CREATE INDEX ix_edge_agent_due ON edge_agent (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX ix_edge_agent_lost ON edge_agent (tenant, agent_id) WHERE reported_lost;

-- `body` is what does not change, as JSON; `state` is that of its deliveries together. `made_for` is the incident, whose end
-- it outlives, or empty.
CREATE TABLE directive (
    id TEXT PRIMARY KEY,
    tenant TEXT NOT NULL,
    state TEXT NOT NULL,
    made_for TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    approved_by TEXT NOT NULL,
    approved_at BIGINT,
    expire_at BIGINT,
    revert_requested BOOLEAN NOT NULL,
    revision BIGINT NOT NULL,
    body TEXT NOT NULL
);

CREATE INDEX ix_directive_tenant ON directive (tenant, id);
CREATE INDEX ix_directive_incident ON directive (tenant, made_for, id) WHERE made_for <> '';

-- How a directive stands at each agent. `wanted`: 1 it is to be applied, 2 reverted, and the agent has not said so yet.
CREATE TABLE directive_delivery (
    directive_id TEXT NOT NULL,
    agent_id TEXT NOT NULL,
    tenant TEXT NOT NULL,
    state TEXT NOT NULL,
    reason TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    applied_at BIGINT,
    attempts INTEGER NOT NULL,
    due_at BIGINT,
    wanted SMALLINT NOT NULL,
    PRIMARY KEY (directive_id, agent_id)
);

CREATE INDEX ix_directive_delivery_agent ON directive_delivery (tenant, agent_id, directive_id);
CREATE INDEX ix_directive_delivery_wanted ON directive_delivery (tenant, agent_id) WHERE wanted > 0;
CREATE INDEX ix_directive_delivery_due ON directive_delivery (due_at) WHERE due_at IS NOT NULL;

-- `due_at`: its deadline, or when it is forgotten. `body` and `result` are as the door encodes them.
CREATE TABLE edge_inference (
    tenant TEXT NOT NULL,
    request_id TEXT NOT NULL,
    digest BYTEA NOT NULL,
    subject TEXT NOT NULL,
    model_id TEXT NOT NULL,
    wanted_agent TEXT NOT NULL,
    priority SMALLINT NOT NULL,
    offline BOOLEAN NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('QUEUED', 'PROCESSING', 'COMPLETED', 'FAILED')),
    created_at BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    body BYTEA NOT NULL,
    agent_id TEXT NOT NULL,
    epoch BIGINT NOT NULL,
    server TEXT NOT NULL,
    result BYTEA NOT NULL,
    error TEXT NOT NULL,
    PRIMARY KEY (tenant, request_id)
);

CREATE INDEX ix_edge_inference_queued ON edge_inference (priority, created_at) WHERE status = 'QUEUED';
CREATE INDEX ix_edge_inference_agent ON edge_inference (tenant, agent_id) WHERE status = 'PROCESSING';
CREATE INDEX ix_edge_inference_due ON edge_inference (due_at);
