-- Timers, and the first thing that needs one: snoozed incidents.

-- Nobody is told of the incident before then. NULL: it is not snoozed.
ALTER TABLE incident ADD COLUMN snoozed_until BIGINT;

-- What is due at a moment. An incident has at most one timer under a key. fence: counts how often it was set or leased.
-- lease_until: nobody claims it before, while somebody works on it or after a failure (then it has no owner).
CREATE TABLE timer (
    incident_id UUID NOT NULL,
    key TEXT NOT NULL,
    tenant TEXT NOT NULL,
    kind TEXT NOT NULL,
    due_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    last_error TEXT NOT NULL DEFAULT '',
    lease_owner TEXT NOT NULL DEFAULT '',
    lease_until BIGINT NOT NULL DEFAULT 0,
    fence BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (incident_id, key)
);

CREATE INDEX ix_timer_due ON timer (due_at, lease_until);
