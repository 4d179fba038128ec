-- Merged, split and linked incidents, and attachments.

-- The fingerprints an incident holds while it is open: JSON pairs of version and value. NULL: its own and no other.
ALTER TABLE incident ADD COLUMN keys TEXT;

-- What a merge changed and unmerging restores, as JSON. NULL: it never took part in one.
ALTER TABLE incident ADD COLUMN unmerge TEXT;

-- When the earliest event was received. NULL: when the incident was opened.
ALTER TABLE incident ADD COLUMN first_received_at INTEGER;

-- Of an incident that holds several fingerprints: how many of its events had this one. NULL: not counted.
ALTER TABLE incident_key ADD COLUMN event_count INTEGER;

-- Successors of an incident. Few have a predecessor.
CREATE INDEX ix_incident_previous ON incident (previous_id) WHERE previous_id IS NOT NULL;

-- How incidents stand to each other, one row for each side. relation: 1 MERGED_INTO, 2 MERGED_FROM, 3 SPLIT_FROM,
-- 4 SPLIT_INTO, 7 LINKED (5 PREVIOUS and 6 NEXT follow from incident.previous_id).
CREATE TABLE incident_link (
    tenant TEXT NOT NULL,
    incident_id BLOB NOT NULL,
    relation INTEGER NOT NULL CHECK (relation IN (1, 2, 3, 4, 7)),
    other_id BLOB NOT NULL,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (incident_id, relation, other_id)
) WITHOUT ROWID;

-- Links to material elsewhere.
CREATE TABLE incident_attachment (
    id BLOB NOT NULL,
    tenant TEXT NOT NULL,
    incident_id BLOB NOT NULL,
    url TEXT NOT NULL,
    title TEXT NOT NULL,
    media_type TEXT NOT NULL,
    actor TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (incident_id, id)
) WITHOUT ROWID;
