-- Leases and the processes that have them. Whoever has a lease knows its fence.

-- name: take_lease
-- Takes a lease that is free or has run out. No row: somebody has it.
INSERT INTO lease AS l (name, owner, fence, lease_until) VALUES (:name, :owner, 1, :until)
ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, fence = l.fence + 1, lease_until = excluded.lease_until
WHERE l.lease_until <= :now
RETURNING fence

-- name: renew_lease
UPDATE lease SET lease_until = ? WHERE name = ? AND fence = ? RETURNING fence

-- name: release_lease
UPDATE lease SET lease_until = 0 WHERE name = ? AND fence = ?

-- name: holds_lease
-- Whether the lease is as it was taken.
SELECT fence FROM lease WHERE name = ? AND fence = ?

-- name: known_process
SELECT count(*) FROM process WHERE owner = ?

-- name: beat
-- Says that a process is alive; tells the moment.
INSERT INTO process (owner, roles, version, started_at, seen_at)
VALUES (?, ?, ?, ?, CAST(unixepoch('subsec') * 1000000 AS INTEGER))
ON CONFLICT (owner) DO UPDATE SET seen_at = excluded.seen_at
RETURNING seen_at

-- name: processes
-- The processes that are known, with how long ago each was heard of.
SELECT owner, roles, version, started_at, CAST(unixepoch('subsec') * 1000000 AS INTEGER) - seen_at
FROM process ORDER BY started_at, owner

-- name: silent_processes
-- Those that have not been heard of for so long.
SELECT owner FROM process WHERE seen_at <= CAST(unixepoch('subsec') * 1000000 AS INTEGER) - ? ORDER BY owner

-- name: free_work
-- Takes work away from its owner.
UPDATE outbox SET lease_owner = '', lease_until = 0, fence = fence + 1 WHERE lease_owner = ?

-- name: free_timers
-- The same for timers.
UPDATE timer SET lease_owner = '', lease_until = 0, fence = fence + 1 WHERE lease_owner = ?

-- name: free_leases
-- The same for leases of a name.
UPDATE lease SET owner = '', lease_until = 0, fence = fence + 1 WHERE owner = ?

-- name: forget_process
DELETE FROM process WHERE owner = ?

-- name: reset_named_leases
-- Ends the leases of a process that is no more; fences stay.
UPDATE lease SET owner = '', lease_until = 0

-- name: reset_processes
DELETE FROM process
