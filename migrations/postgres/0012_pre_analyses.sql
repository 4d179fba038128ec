-- What the services beside the manager were asked about incidents, and what they answered. `findings` is the contract's
-- message of the answer.
CREATE TABLE incident_analysis (
    id UUID NOT NULL,
    tenant TEXT NOT NULL,
    incident_id UUID NOT NULL,
    question TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'answered', 'failed')),
    requested_by TEXT NOT NULL,
    requested_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    attempts INTEGER NOT NULL,
    error TEXT NOT NULL,
    confidence DOUBLE PRECISION,
    recommended SMALLINT,
    applied BOOLEAN NOT NULL,
    findings BYTEA NOT NULL,
    PRIMARY KEY (incident_id, id)
);
