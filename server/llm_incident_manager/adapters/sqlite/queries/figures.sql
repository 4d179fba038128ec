-- Figures over many incidents. {group} is a column or '' and {matching} the condition of a query: adapters.sql.figures
-- fills them in.

-- name: figures
-- Of each of the largest groups: one row of counts (measure 0: how many, how many open, nothing, how many groups there
-- are) and one for each time that was measured (how many, sum, median, 95th percentile by nearest rank).
WITH matched AS MATERIALIZED (
    SELECT {group} AS part,
        CASE WHEN state IN ('NEW', 'ACKNOWLEDGED', 'IN_PROGRESS', 'ESCALATED') THEN 1 ELSE 0 END AS is_open,
        CASE WHEN event_count > 0 AND NOT historical THEN created_at - first_seen_at END AS detect,
        CASE WHEN event_count > 0 AND NOT historical THEN created_at - coalesce(first_received_at, created_at) END
            AS detect_received,
        acknowledged_at - created_at AS acknowledge,
        resolved_at - created_at AS resolve
    FROM incident
    {matching} AND merged_into IS NULL
), largest AS MATERIALIZED (
    SELECT part FROM matched GROUP BY part ORDER BY count(*) DESC, part LIMIT 1000
), measured AS (
    SELECT part, 1 AS measure, detect AS value FROM matched
    UNION ALL
    SELECT part, 2, detect_received FROM matched
    UNION ALL
    SELECT part, 3, acknowledge FROM matched
    UNION ALL
    SELECT part, 4, resolve FROM matched
), ranked AS (
    SELECT part, measure, value,
        row_number() OVER (PARTITION BY part, measure ORDER BY value) AS place,
        count(*) OVER (PARTITION BY part, measure) AS size
    FROM measured
    WHERE value IS NOT NULL AND part IN (SELECT part FROM largest)
)
SELECT part, measure, max(size), CAST(sum(value) AS BIGINT),
    min(CASE WHEN place * 100 >= size * 50 THEN value END),
    min(CASE WHEN place * 100 >= size * 95 THEN value END)
FROM ranked
GROUP BY part, measure
UNION ALL
SELECT part, 0, count(*), CAST(sum(is_open) AS BIGINT), NULL, (SELECT count(DISTINCT part) FROM matched)
FROM matched
WHERE part IN (SELECT part FROM largest)
GROUP BY part
