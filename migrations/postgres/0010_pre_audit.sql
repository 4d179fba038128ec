-- Who was proven, how, with which credential and from where; the fields that changed, as they were and as they are.
-- `version` says how a record's hash was made: the records of before keep theirs.
ALTER TABLE audit ADD COLUMN version SMALLINT NOT NULL DEFAULT 1;
ALTER TABLE audit ADD COLUMN proven_by TEXT NOT NULL DEFAULT '';
ALTER TABLE audit ADD COLUMN credential TEXT NOT NULL DEFAULT '';
ALTER TABLE audit ADD COLUMN source TEXT NOT NULL DEFAULT '';
ALTER TABLE audit ADD COLUMN before JSONB NOT NULL DEFAULT '{}';
ALTER TABLE audit ADD COLUMN after JSONB NOT NULL DEFAULT '{}';

-- Lists, newest first.
CREATE INDEX ix_audit_at ON audit (tenant, at);

-- Signed statements of where a tenant's chains end. `ends` are those that have grown since the checkpoint before, as
-- [writer, sequence, hash in hex]; `retired` are the writers whose chains retention has ended since then.
CREATE TABLE audit_checkpoint (
    tenant TEXT NOT NULL,
    number BIGINT NOT NULL,
    at BIGINT NOT NULL,
    records BIGINT NOT NULL,
    ends JSONB NOT NULL,
    retired JSONB NOT NULL,
    prev_hash BYTEA NOT NULL,
    hash BYTEA NOT NULL,
    key_id TEXT NOT NULL,
    signature BYTEA NOT NULL,
    PRIMARY KEY (tenant, number)
);

-- Those writers: what is missing of their chains was not taken away by anybody else.
CREATE TABLE audit_retired (
    tenant TEXT NOT NULL,
    writer TEXT NOT NULL,
    number BIGINT NOT NULL,
    PRIMARY KEY (tenant, writer)
);
