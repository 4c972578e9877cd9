-- The days of the inbox, made by functions with the rights of the owner: the role that the service runs as may call them, and
-- may neither create nor drop tables itself.
--
-- A procedure with the rights of its owner cannot commit, so the procedure keeps those of its caller, and each change of a
-- table is a function of the owner. The steps are those of 0005_inbox_days.sql.

-- The constraint that lets PostgreSQL attach a day without reading the default partition.
CREATE FUNCTION bus.announce_inbox_day(day date) RETURNS void LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '2s' AS $$
BEGIN
    EXECUTE format('ALTER TABLE bus.inbox_rest ADD CONSTRAINT inbox_day_to_come
        CHECK (message_id < %L OR message_id >= %L) NOT VALID', bus.first_id(day), bus.first_id(day + 1));
END
$$;

CREATE FUNCTION bus.check_inbox_day() RETURNS void LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '2s' AS $$
BEGIN
    ALTER TABLE bus.inbox_rest VALIDATE CONSTRAINT inbox_day_to_come;
END
$$;

CREATE FUNCTION bus.make_inbox_day(day date) RETURNS void LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '2s' AS $$
BEGIN
    EXECUTE format('CREATE TABLE bus.inbox_%s PARTITION OF bus.inbox FOR VALUES FROM (%L) TO (%L)
        WITH (fillfactor = 80)', to_char(day, 'YYYYMMDD'), bus.first_id(day), bus.first_id(day + 1));
    PERFORM bus.forget_inbox_day();
END
$$;

-- Takes back the constraint of a day, also of one that was not made.
CREATE FUNCTION bus.forget_inbox_day() RETURNS void LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '2s' AS $$
BEGIN
    ALTER TABLE bus.inbox_rest DROP CONSTRAINT IF EXISTS inbox_day_to_come;
END
$$;

-- Drops a day that no message needs any more: ids of the last 28 days do.
CREATE FUNCTION bus.drop_inbox_day(day date) RETURNS void LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '2s' AS $$
BEGIN
    IF day >= (now() AT TIME ZONE 'UTC')::date - 28 THEN
        RAISE EXCEPTION 'the inbox of % is not old enough to be dropped', day;
    END IF;
    EXECUTE format('DROP TABLE bus.inbox_%s', to_char(day, 'YYYYMMDD'));
END
$$;

CREATE OR REPLACE PROCEDURE bus.keep_days(days_ahead integer, days_kept integer) LANGUAGE plpgsql AS $$
DECLARE
    today constant date := (now() AT TIME ZONE 'UTC')::date;
    day date;
BEGIN
    -- One instance at a time; the others have nothing to do then.
    IF NOT pg_try_advisory_lock(hashtext('bus.keep_inbox')) THEN
        RETURN;
    END IF;
    PERFORM bus.forget_inbox_day();
    COMMIT;
    FOR day IN SELECT generate_series(today - 1, today + days_ahead, '1 day')::date LOOP
        CONTINUE WHEN to_regclass(format('bus.inbox_%s', to_char(day, 'YYYYMMDD'))) IS NOT NULL;
        -- A client's clock was ahead: the whole day stays where its first ids are.
        CONTINUE WHEN EXISTS (SELECT FROM bus.inbox_rest
            WHERE message_id >= bus.first_id(day) AND message_id < bus.first_id(day + 1));
        PERFORM bus.announce_inbox_day(day);
        COMMIT;
        PERFORM bus.check_inbox_day();
        COMMIT;
        PERFORM bus.make_inbox_day(day);
        COMMIT;
    END LOOP;
    FOR day IN SELECT to_date(right(relname, 8), 'YYYYMMDD') FROM pg_class
        WHERE relnamespace = 'bus'::regnamespace AND relkind = 'r'
            AND relname ~ '^inbox_[0-9]{8}$'
            AND relname < 'inbox_' || to_char(today - days_kept, 'YYYYMMDD')
    LOOP
        PERFORM bus.drop_inbox_day(day);
        COMMIT;
    END LOOP;
    PERFORM pg_advisory_unlock(hashtext('bus.keep_inbox'));
END
$$;

-- Nobody calls the old form.
DROP FUNCTION bus.keep_inbox(integer, integer);
REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA bus FROM PUBLIC;
REVOKE EXECUTE ON ALL PROCEDURES IN SCHEMA bus FROM PUBLIC;
