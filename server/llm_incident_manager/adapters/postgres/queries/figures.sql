-- Figures over many incidents. {group} is a column or '' and {matching} the condition of a query: adapters.sql.figures
-- fills them in. {step} is the number of a step of a trend or 0.

-- name: figures
-- Of each of the largest groups, in each step: one row of counts (measure 0: how many, how many open, nothing, how many
-- groups there are) and one for each time that was measured (how many, sum, median, 95th percentile by nearest rank).
WITH matched AS MATERIALIZED (
    SELECT {step} AS step, {group} AS part,
        CASE WHEN state IN ('NEW', 'ACKNOWLEDGED', 'IN_PROGRESS', 'ESCALATED') THEN 1 ELSE 0 END AS is_open,
        CASE WHEN event_count > 0 AND NOT historical THEN created_at - first_seen_at END AS detect,
        CASE WHEN event_count > 0 AND NOT historical THEN created_at - coalesce(first_received_at, created_at) END
            AS detect_received,
        acknowledged_at - created_at AS acknowledge,
        resolved_at - created_at AS resolve
    FROM incident
    {matching} AND merged_into IS NULL
), largest AS MATERIALIZED (
    SELECT part FROM matched GROUP BY part ORDER BY count(*) DESC, part LIMIT {most}
), measured AS (
    SELECT step, part, 1 AS measure, detect AS value FROM matched
    UNION ALL
    SELECT step, part, 2, detect_received FROM matched
    UNION ALL
    SELECT step, part, 3, acknowledge FROM matched
    UNION ALL
    SELECT step, part, 4, resolve FROM matched
), ranked AS (
    SELECT step, part, measure, value,
        row_number() OVER (PARTITION BY step, part, measure ORDER BY value) AS place,
        count(*) OVER (PARTITION BY step, part, measure) AS size
    FROM measured
    WHERE value IS NOT NULL AND part IN (SELECT part FROM largest)
)
SELECT step, part, measure, max(size), CAST(sum(value) AS BIGINT),
    min(CASE WHEN place * 100 >= size * 50 THEN value END),
    min(CASE WHEN place * 100 >= size * 95 THEN value END)
FROM ranked
GROUP BY step, part, measure
UNION ALL
SELECT step, part, 0, count(*), CAST(sum(is_open) AS BIGINT), NULL, (SELECT count(DISTINCT part) FROM matched)
FROM matched
WHERE part IN (SELECT part FROM largest)
GROUP BY step, part;

-- name: attainment
-- Of each of the largest groups: how many, how often it was acknowledged in time, too late, or still can be, the same of
-- resolving, and how many groups there are. {acknowledge_by} and {resolve_by} are deadlines; the first may be none.
WITH promised AS MATERIALIZED (
    SELECT {group} AS part, {acknowledge_by} AS acknowledge_by, {resolve_by} AS resolve_by, {now} AS now,
        coalesce(acknowledged_at, resolved_at) AS acknowledged, resolved_at AS resolved
    FROM incident
    {matching} AND merged_into IS NULL
)
SELECT part, count(*),
    sum(CASE WHEN acknowledged <= acknowledge_by THEN 1 ELSE 0 END),
    sum(CASE WHEN coalesce(acknowledged, now) > acknowledge_by THEN 1 ELSE 0 END),
    sum(CASE WHEN acknowledged IS NULL AND now <= acknowledge_by THEN 1 ELSE 0 END),
    sum(CASE WHEN resolved <= resolve_by THEN 1 ELSE 0 END),
    sum(CASE WHEN coalesce(resolved, now) > resolve_by THEN 1 ELSE 0 END),
    sum(CASE WHEN resolved IS NULL AND now <= resolve_by THEN 1 ELSE 0 END),
    (SELECT count(DISTINCT part) FROM promised)
FROM promised
GROUP BY part
ORDER BY count(*) DESC, part
LIMIT {most};
