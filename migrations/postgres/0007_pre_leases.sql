-- Several processes on one database: who does what only one may do, and who is alive.

-- Who may do what only one process may do at a time. fence: counts how often it was taken; whoever knows an older number
-- has lost it. lease_until: others may take it from then on.
CREATE TABLE lease (
    name TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    fence BIGINT NOT NULL,
    lease_until BIGINT NOT NULL
);

-- The processes of this deployment, by the name they have in leases. seen_at: when they last said, by this server's
-- clock, that they are alive.
CREATE TABLE process (
    owner TEXT PRIMARY KEY,
    roles TEXT NOT NULL,
    version TEXT NOT NULL,
    started_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL
);
