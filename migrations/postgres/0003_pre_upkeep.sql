-- Events lie in partitions by time, so that old ones go by dropping a table. An id begins with the milliseconds of its
-- making, so a range of ids is a range of time, and a look-up by id still reads one partition.
-- The program makes a partition for each coming day; event_default takes what belongs to none, so that nothing is lost.

ALTER TABLE event RENAME TO event_past;
ALTER INDEX event_pkey RENAME TO event_past_pkey;
ALTER TABLE event_body RENAME TO event_body_past;
ALTER INDEX event_body_pkey RENAME TO event_body_past_pkey;

CREATE TABLE event (LIKE event_past INCLUDING ALL) PARTITION BY RANGE (id);
CREATE TABLE event_default PARTITION OF event DEFAULT;
CREATE TABLE event_body (LIKE event_body_past INCLUDING ALL) PARTITION BY RANGE (event_id);
CREATE TABLE event_body_default PARTITION OF event_body DEFAULT;

-- Events of before become one partition that ends with the present day. No row is moved but those with an id of later
-- than that, which a clock that runs ahead has made. Without events there is nothing to keep, and no partition.
DO $$
DECLARE
    midnight BIGINT := (extract(epoch FROM date_trunc('day', now() AT TIME ZONE 'UTC')) + 86400) * 1000;
    bound UUID := (lpad(to_hex(midnight), 12, '0') || repeat('0', 20))::UUID;
BEGIN
    IF EXISTS (SELECT FROM event_past) THEN
        WITH ahead AS (DELETE FROM event_past WHERE id >= bound RETURNING *) INSERT INTO event SELECT * FROM ahead;
        WITH ahead AS (DELETE FROM event_body_past WHERE event_id >= bound RETURNING *)
        INSERT INTO event_body SELECT * FROM ahead;
        EXECUTE format('ALTER TABLE event ATTACH PARTITION event_past FOR VALUES FROM (MINVALUE) TO (%L)', bound);
        EXECUTE format(
            'ALTER TABLE event_body ATTACH PARTITION event_body_past FOR VALUES FROM (MINVALUE) TO (%L)', bound
        );
    ELSE
        DROP TABLE event_past, event_body_past;
    END IF;
END
$$;

-- Finished incidents by the time of their end, and given-up work by its incident, for retention.
CREATE INDEX ix_incident_finished ON incident (coalesce(closed_at, resolved_at)) WHERE state IN ('RESOLVED', 'CLOSED');
CREATE INDEX ix_outbox_dead ON outbox (incident_id) WHERE dead;
