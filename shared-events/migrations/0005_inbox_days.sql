-- The days of the inbox, made without a scan under an exclusive lock.
--
-- A new partition may hold nothing that lies in the default one: PostgreSQL reads all of that, under
-- a lock that stops the service, unless a checked constraint says it already. So each day has three
-- steps with a commit after each: the constraint (new ids of a day that is still to come wait the
-- moment until it is there), its check, which stops nobody, and the day. `bus.keep_inbox` stays for
-- older instances.
CREATE PROCEDURE bus.keep_days(days_ahead integer, days_kept integer) LANGUAGE plpgsql AS $$
DECLARE
    today constant date := (now() AT TIME ZONE 'UTC')::date;
    day date;
    old text;
    first_id uuid;
    end_id uuid;
BEGIN
    -- One instance at a time; the others have nothing to do then.
    IF NOT pg_try_advisory_lock(hashtext('bus.keep_inbox')) THEN
        RETURN;
    END IF;
    SET LOCAL lock_timeout = '2s';
    ALTER TABLE bus.inbox_rest DROP CONSTRAINT IF EXISTS inbox_day_to_come;
    COMMIT;
    FOR day IN SELECT generate_series(today - 1, today + days_ahead, '1 day')::date LOOP
        CONTINUE WHEN to_regclass(format('bus.inbox_%s', to_char(day, 'YYYYMMDD'))) IS NOT NULL;
        first_id := bus.first_id(day);
        end_id := bus.first_id(day + 1);
        -- Somebody's clock ran ahead: all of that day stays where its first ids are.
        CONTINUE WHEN EXISTS (
            SELECT FROM bus.inbox_rest WHERE message_id >= first_id AND message_id < end_id);
        SET LOCAL lock_timeout = '2s';
        EXECUTE format('ALTER TABLE bus.inbox_rest ADD CONSTRAINT inbox_day_to_come
            CHECK (message_id < %L OR message_id >= %L) NOT VALID', first_id, end_id);
        COMMIT;
        SET LOCAL lock_timeout = '2s';
        ALTER TABLE bus.inbox_rest VALIDATE CONSTRAINT inbox_day_to_come;
        COMMIT;
        SET LOCAL lock_timeout = '2s';
        EXECUTE format('CREATE TABLE bus.inbox_%s PARTITION OF bus.inbox FOR VALUES FROM (%L) TO (%L)
            WITH (fillfactor = 80)', to_char(day, 'YYYYMMDD'), first_id, end_id);
        ALTER TABLE bus.inbox_rest DROP CONSTRAINT inbox_day_to_come;
        COMMIT;
    END LOOP;
    FOR old IN SELECT relname FROM pg_class
        WHERE relnamespace = 'bus'::regnamespace AND relkind = 'r'
            AND relname ~ '^inbox_[0-9]{8}$'
            AND relname < 'inbox_' || to_char(today - days_kept, 'YYYYMMDD')
    LOOP
        SET LOCAL lock_timeout = '2s';
        EXECUTE format('DROP TABLE bus.%I', old);
        COMMIT;
    END LOOP;
    PERFORM pg_advisory_unlock(hashtext('bus.keep_inbox'));
END
$$;
