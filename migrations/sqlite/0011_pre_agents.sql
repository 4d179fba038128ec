-- Edge-Agents, the directives they are given, and the models they are asked to run.

-- `server` names the process that has the agent's session, empty when none has, and `epoch` counts its sessions.
-- `due_at`: when it counts as lost; null when nobody misses it. `body` is JSON, `telemetry` as the door encodes it.
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
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    approved_by TEXT NOT NULL,
    approved_at INTEGER,
    expire_at INTEGER,
    revert_requested INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    body TEXT NOT NULL
) WITHOUT ROWID;

CREATE INDEX ix_directive_tenant ON directive (tenant, id);
CREATE INDEX ix_directive_incident ON directive (tenant, made_for, id) WHERE made_for <> '';

-- How a directive stands at each agent. `wanted`: 1 it is to be applied, 2 reverted, and the agent has not said so yet.
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
CREATE INDEX ix_directive_delivery_wanted ON directive_delivery (tenant, agent_id) WHERE wanted > 0;
CREATE INDEX ix_directive_delivery_due ON directive_delivery (due_at) WHERE due_at IS NOT NULL;

-- `due_at`: its deadline, or when it is forgotten. `body` and `result` are as the door encodes them.
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

CREATE INDEX ix_edge_inference_queued ON edge_inference (priority, created_at) WHERE status = 'QUEUED';
CREATE INDEX ix_edge_inference_agent ON edge_inference (tenant, agent_id) WHERE status = 'PROCESSING';
CREATE INDEX ix_edge_inference_due ON edge_inference (due_at);
