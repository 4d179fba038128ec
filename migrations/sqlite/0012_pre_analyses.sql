-- What the services beside the manager were asked about incidents, and what they answered. `findings` is the contract's
-- message of the answer.
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
