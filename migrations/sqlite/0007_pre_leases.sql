-- Who does what only one process may do, and who is alive: for one process as for several.

-- Who may do what only one process may do at a time. fence: counts how often it was taken; whoever knows an older number
-- has lost it. lease_until: others may take it from then on.
CREATE TABLE lease (
    name TEXT NOT NULL PRIMARY KEY,
    owner TEXT NOT NULL,
    fence INTEGER NOT NULL,
    lease_until INTEGER NOT NULL
) WITHOUT ROWID;

-- The processes of this deployment, by the name they have in leases. seen_at: when they last said that they are alive.
CREATE TABLE process (
    owner TEXT NOT NULL PRIMARY KEY,
    roles TEXT NOT NULL,
    version TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    seen_at INTEGER NOT NULL
) WITHOUT ROWID;
