-- Broken promises: when it was recorded that an incident was not acknowledged, or not resolved, by its deadline.
-- NULL: it has not been.
ALTER TABLE incident ADD COLUMN acknowledge_breached_at BIGINT;
ALTER TABLE incident ADD COLUMN resolve_breached_at BIGINT;

-- Open incidents whose resolution is not overdue get the timer that new ones get when they are routed. Of those that
-- are overdue already, people would be told all at once. The usual targets: whatever holds is decided when it is due.
INSERT INTO timer (incident_id, key, tenant, kind, due_at, created_at)
SELECT o.id, 'sla', o.tenant, 'sla', CASE WHEN o.acknowledge_by >= o.at THEN o.acknowledge_by ELSE o.resolve_by END, o.at
FROM (
    SELECT
        i.id, i.tenant, (extract(epoch FROM now()) * 1000000)::bigint AS at,
        CASE WHEN i.acknowledged_at IS NULL THEN i.created_at + 60000000::bigint * CASE i.severity
            WHEN 0 THEN 5 WHEN 1 THEN 15 WHEN 2 THEN 60 WHEN 3 THEN 240 ELSE 4320 END ELSE 0 END AS acknowledge_by,
        i.created_at + 60000000::bigint * CASE i.severity
            WHEN 0 THEN 15 WHEN 1 THEN 60 WHEN 2 THEN 240 WHEN 3 THEN 1440 ELSE 4320 END AS resolve_by
    FROM incident AS i
    WHERE i.state NOT IN ('RESOLVED', 'CLOSED')
) AS o
WHERE o.resolve_by >= o.at;
