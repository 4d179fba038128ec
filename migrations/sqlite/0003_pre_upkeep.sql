-- Finished incidents by the time of their end, and given-up work by its incident, for retention.
CREATE INDEX ix_incident_finished ON incident (coalesce(closed_at, resolved_at)) WHERE state IN ('RESOLVED', 'CLOSED');
CREATE INDEX ix_outbox_dead ON outbox (incident_id) WHERE dead = 1;
