-- Timers. Whoever has leased one knows its fence; setting it again moves the fence on.

-- name: claim_timers
-- Leases timers that are due, the longest due first. Kinds of a newer program are passed over.
UPDATE timer SET lease_owner = :owner, lease_until = :until, fence = fence + 1
WHERE (incident_id, key) IN (
    SELECT incident_id, key FROM timer
    WHERE due_at <= :now AND lease_until <= :now AND instr(:kinds, ' ' || kind || ' ')
    ORDER BY due_at LIMIT :limit
)
RETURNING incident_id, key, tenant, kind, due_at, created_at, attempts, last_error, fence

-- name: leased_timers
-- Which timers are leased as they were when they were claimed.
SELECT t.incident_id, t.key, t.fence
FROM (VALUES (?, ?, ?)) AS v
CROSS JOIN timer AS t ON t.incident_id = unhex(v.column1, '-') AND t.key = v.column2 AND t.fence = v.column3

-- name: set_timers
-- Sets timers; one that is set already is replaced. Their fences begin with the moment they are set, so that no fence of
-- an earlier timer of the name, which may be done and gone, is ever theirs.
INSERT INTO timer (incident_id, key, tenant, kind, due_at, created_at, fence)
SELECT unhex(column1, '-'), column2, column3, column4, column5, column6, column6
FROM (VALUES (?, ?, ?, ?, ?, ?)) WHERE column1 IS NOT NULL
ON CONFLICT (incident_id, key) DO UPDATE SET
    kind = excluded.kind, due_at = excluded.due_at, created_at = excluded.created_at, attempts = 0, last_error = '',
    lease_owner = '', lease_until = 0, fence = max(fence + 1, excluded.fence)

-- name: remove_timers
-- Timers that nobody needs any more, leased or not.
DELETE FROM timer WHERE (incident_id, key) IN (SELECT unhex(v.column1, '-'), v.column2 FROM (VALUES (?, ?)) AS v)

-- name: finish_timers
-- Timers that are done, unless they were claimed or set again since.
DELETE FROM timer WHERE (incident_id, key) IN (
    SELECT t.incident_id, t.key FROM (VALUES (?, ?, ?)) AS v
    CROSS JOIN timer AS t ON t.incident_id = unhex(v.column1, '-') AND t.key = v.column2 AND t.fence = v.column3
)

-- name: retry_timers
-- Timers whose work failed: without an owner, and not to be claimed for a while.
UPDATE timer SET attempts = v.column4, lease_until = v.column5, last_error = v.column6, lease_owner = ''
FROM (VALUES (?, ?, ?, ?, ?, ?)) AS v
WHERE timer.incident_id = unhex(v.column1, '-') AND timer.key = v.column2 AND timer.fence = v.column3

-- name: reset_timer_leases
-- Ends the leases of a process that is no more; what waits after a failure goes on waiting.
UPDATE timer SET lease_owner = '', lease_until = 0 WHERE lease_owner <> ''

-- name: overdue_timers
-- How many timers are due and not done, and since when.
SELECT count(*), min(due_at) FROM timer WHERE due_at <= ?

-- name: next_timer
-- When the first timer is due that is not due yet.
SELECT min(due_at) FROM timer WHERE due_at > ?
