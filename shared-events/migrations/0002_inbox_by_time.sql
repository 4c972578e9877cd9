-- The inbox in one table a day, so that what is old goes at once and leaves no holes behind.
--
-- A message id is a UUIDv7 (RFC 9562): it begins with the milliseconds of its making. So days are
-- ranges of ids, and one unique index over all days still sees each id once. Ids of another kind,
-- or of another time, lie in `inbox_rest` and go by their age.
ALTER TABLE bus.inbox RENAME TO inbox_before;
ALTER TABLE bus.inbox_before RENAME CONSTRAINT inbox_pkey TO inbox_before_pkey;
ALTER INDEX bus.inbox_by_age RENAME TO inbox_before_by_age;

CREATE TABLE bus.inbox (
    message_id  uuid        NOT NULL PRIMARY KEY,
    -- BLAKE3 of the canonical content: the same id with other content is a conflict.
    digest      bytea       NOT NULL,
    -- The events that answered it, to tell again; NULL where nobody is told.
    outcome     bytea COMPRESSION lz4,
    received_at timestamptz NOT NULL DEFAULT now()
) PARTITION BY RANGE (message_id);
-- Room on each page for the answer, which is written after the claim.
CREATE TABLE bus.inbox_rest PARTITION OF bus.inbox DEFAULT WITH (fillfactor = 80);
-- Serves the deletion of messages that are too old to come again.
CREATE INDEX inbox_rest_by_age ON bus.inbox_rest (received_at);

-- The first id of a day.
CREATE FUNCTION bus.first_id(day date) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
    SELECT rpad(lpad(to_hex(extract(epoch FROM day)::bigint * 1000), 12, '0'), 32, '0')::uuid
$$;

-- Makes the tables of the days to come, and drops those of days that are too long ago. What cannot
-- be made now, because somebody's clock runs ahead, is not missed: its ids lie in `inbox_rest`.
CREATE FUNCTION bus.keep_inbox(days_ahead integer, days_kept integer) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    today constant date := (now() AT TIME ZONE 'UTC')::date;
    day date;
    old text;
BEGIN
    -- One instance at a time; never in the way of the others for long.
    PERFORM pg_advisory_xact_lock(hashtext('bus.keep_inbox'));
    SET LOCAL lock_timeout = '2s';
    FOR day IN SELECT generate_series(today - 1, today + days_ahead, '1 day')::date LOOP
        CONTINUE WHEN to_regclass(format('bus.inbox_%s', to_char(day, 'YYYYMMDD'))) IS NOT NULL;
        BEGIN
            EXECUTE format(
                'CREATE TABLE bus.inbox_%s PARTITION OF bus.inbox FOR VALUES FROM (%L) TO (%L)
                 WITH (fillfactor = 80)',
                to_char(day, 'YYYYMMDD'), bus.first_id(day), bus.first_id(day + 1));
        EXCEPTION WHEN check_violation THEN
            RAISE NOTICE 'ids of % lie in bus.inbox_rest', day;
        END;
    END LOOP;
    FOR old IN SELECT relname FROM pg_class
        WHERE relnamespace = 'bus'::regnamespace AND relkind = 'r'
            AND relname ~ '^inbox_[0-9]{8}$'
            AND relname < 'inbox_' || to_char(today - days_kept, 'YYYYMMDD')
    LOOP
        EXECUTE format('DROP TABLE bus.%I', old);
    END LOOP;
END
$$;

SELECT bus.keep_inbox(7, 28);
INSERT INTO bus.inbox SELECT * FROM bus.inbox_before;
DROP TABLE bus.inbox_before;
