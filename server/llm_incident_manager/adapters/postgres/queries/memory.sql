-- name: still_there
-- Whether an event and a timeline entry are stored, where they are named, and the newest event that is.
SELECT
    ($1::uuid IS NULL OR EXISTS (SELECT FROM event AS e WHERE e.id = $1))
    AND ($2::uuid IS NULL OR EXISTS (SELECT FROM timeline AS t WHERE t.id = $2)) AS whole,
    (SELECT e.id FROM event AS e ORDER BY e.id DESC LIMIT 1) AS newest;
