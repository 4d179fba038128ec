-- Edge-Agents, directives, and requests for models.

-- name: save_agent
-- A new agent, or what has become of it; no row when somebody else has taken the id, or a newer session.
INSERT INTO edge_agent
    (tenant, agent_id, subject, state, service, epoch, server, created_at, connected_at, last_seen_at, due_at,
    reported_lost, body, telemetry)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)
ON CONFLICT (tenant, agent_id) DO UPDATE SET
    state = excluded.state, service = excluded.service, epoch = excluded.epoch, server = excluded.server,
    connected_at = excluded.connected_at, last_seen_at = excluded.last_seen_at, due_at = excluded.due_at,
    reported_lost = excluded.reported_lost, body = excluded.body, telemetry = excluded.telemetry
WHERE edge_agent.tenant = excluded.tenant AND edge_agent.subject = excluded.subject
    AND (edge_agent.epoch < excluded.epoch
        OR (edge_agent.epoch = excluded.epoch AND edge_agent.connected_at = excluded.connected_at))
RETURNING epoch

-- name: save_directive
-- A new directive, or what has become of it.
INSERT INTO directive
    (id, tenant, state, made_for, created_at, updated_at, approved_by, approved_at, expire_at, revert_requested,
    revision, body)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
ON CONFLICT (id) DO UPDATE SET
    state = excluded.state, updated_at = excluded.updated_at, approved_by = excluded.approved_by,
    approved_at = excluded.approved_at, expire_at = excluded.expire_at,
    revert_requested = excluded.revert_requested, revision = excluded.revision

-- name: save_delivery
-- How a directive stands at an agent.
INSERT INTO directive_delivery
    (directive_id, agent_id, tenant, state, reason, updated_at, applied_at, attempts, due_at, wanted)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
ON CONFLICT (directive_id, agent_id) DO UPDATE SET
    state = excluded.state, reason = excluded.reason, updated_at = excluded.updated_at,
    applied_at = excluded.applied_at, attempts = excluded.attempts, due_at = excluded.due_at, wanted = excluded.wanted

-- name: save_inference
-- A new request for a model, or what has become of it.
INSERT INTO edge_inference
    (tenant, request_id, digest, subject, model_id, wanted_agent, priority, offline, status, created_at, due_at, body,
    agent_id, epoch, server, result, error)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)
ON CONFLICT (tenant, request_id) DO UPDATE SET
    status = excluded.status, due_at = excluded.due_at, body = excluded.body, agent_id = excluded.agent_id,
    epoch = excluded.epoch, server = excluded.server, result = excluded.result, error = excluded.error

-- name: agent
SELECT {agent} FROM edge_agent AS a WHERE a.tenant = ?1 AND a.agent_id = ?2

-- name: agents
-- A page by id; ?2 and ?3 empty: all states and services.
SELECT {agent} FROM edge_agent AS a
WHERE a.tenant = ?1 AND (?2 = '' OR a.state = ?2) AND (?3 = '' OR a.service = ?3) AND a.agent_id > ?4
ORDER BY a.agent_id LIMIT ?5

-- name: epochs
-- The sessions of a process.
SELECT a.tenant, a.agent_id, a.epoch FROM edge_agent AS a WHERE a.server = ?1 AND a.server <> ''

-- name: note_signs
-- Signs of life of sessions that are the newest of their agents; which those are.
UPDATE edge_agent AS a
SET last_seen_at = max(a.last_seen_at, v.column4), due_at = v.column5, state = 'CONNECTED',
    telemetry = CASE WHEN length(v.column6) > 0 THEN v.column6 ELSE a.telemetry END
FROM (VALUES (?, ?, ?, ?, ?, ?)) AS v
WHERE a.tenant = v.column1 AND a.agent_id = v.column2 AND a.epoch = v.column3
RETURNING tenant, agent_id

-- name: silent_agents
-- Agents that are due to count as lost.
SELECT {agent} FROM edge_agent AS a WHERE a.due_at IS NOT NULL AND a.due_at <= ?1 ORDER BY a.due_at LIMIT ?2

-- name: returned_agents
-- Agents that are back though an incident tells that they are lost.
SELECT {agent} FROM edge_agent AS a WHERE a.reported_lost AND a.state = 'CONNECTED' LIMIT ?1

-- name: directive
SELECT {directive} FROM directive AS d WHERE d.tenant = ?1 AND d.id = ?2

-- name: deliveries_of_directives
-- How directives, in a JSON list, stand at their agents.
SELECT {delivered} FROM directive_delivery AS y
WHERE y.tenant = ?1 AND y.directive_id IN (SELECT value FROM json_each(?2)) ORDER BY y.directive_id, y.agent_id

-- name: directives
-- A page, newest first; ?2, ?3 and ?4 empty: of all states, agents and incidents.
SELECT {directive} FROM directive AS d
WHERE d.tenant = ?1 AND (?2 = '' OR d.state = ?2) AND (?4 = '' OR d.made_for = ?4) AND (?5 = '' OR d.id < ?5)
    AND (?3 = '' OR EXISTS (
        SELECT 1 FROM directive_delivery AS y
        WHERE y.tenant = d.tenant AND y.agent_id = ?3 AND y.directive_id = d.id))
ORDER BY d.id DESC LIMIT ?6

-- name: due_directives
-- Directives of which something is due, unless somebody else has them.
SELECT {directive} FROM directive AS d
WHERE d.id IN (
    SELECT y.directive_id FROM directive_delivery AS y
    WHERE y.due_at IS NOT NULL AND y.due_at <= ?1 ORDER BY y.due_at LIMIT ?2)
ORDER BY d.id

-- name: errands
-- What the agents of a process are yet to be told, or to answer.
SELECT y.tenant, y.agent_id, a.epoch, y.directive_id, y.wanted
FROM directive_delivery AS y JOIN edge_agent AS a ON a.tenant = y.tenant AND a.agent_id = y.agent_id
WHERE y.wanted > 0 AND a.server = ?1 AND a.server <> ''
ORDER BY y.directive_id LIMIT ?2

-- name: inference
SELECT {inference} FROM edge_inference AS f WHERE f.tenant = ?1 AND f.request_id = ?2

-- name: queued_inferences
-- What waits for an agent, the most urgent first, unless somebody else is giving it to one.
SELECT {inference} FROM edge_inference AS f
WHERE f.status = 'QUEUED' ORDER BY f.priority, f.created_at LIMIT ?1

-- name: count_queued
SELECT count(*) FROM edge_inference AS f WHERE f.tenant = ?1 AND f.status = 'QUEUED'

-- name: inferences_of
-- What an agent has been given and has not answered.
SELECT {inference} FROM edge_inference AS f
WHERE f.tenant = ?1 AND f.agent_id = ?2 AND f.status = 'PROCESSING' ORDER BY f.request_id

-- name: due_inferences
-- Requests whose time is over, unless somebody else has them.
SELECT {inference} FROM edge_inference AS f
WHERE f.due_at <= ?1 ORDER BY f.due_at LIMIT ?2

-- name: forget_inference
DELETE FROM edge_inference WHERE tenant = ?1 AND request_id = ?2

-- name: finished_inference
SELECT {inference} FROM edge_inference AS f
WHERE f.tenant = ?1 AND f.request_id = ?2 AND f.status IN ('COMPLETED', 'FAILED')

-- name: agents_pending
-- Whether directives are due, requests are due, and requests wait for an agent.
SELECT
    EXISTS (SELECT 1 FROM directive_delivery AS y WHERE y.due_at IS NOT NULL AND y.due_at <= ?1),
    EXISTS (SELECT 1 FROM edge_inference AS f WHERE f.due_at <= ?1),
    EXISTS (SELECT 1 FROM edge_inference AS f WHERE f.status = 'QUEUED')
