-- Who has asked for what: one row for each query of an author, stored before its answer leaves the service.
--
-- The entry's id is a UUIDv7 that the service makes when it takes the query up, so days are ranges of ids as in the inbox, the
-- primary key is in the order of time, and new rows are added at its end. A table for each day keeps the other two indexes small.
-- They serve the two questions: what has this principal asked for, and who has asked for this subject.
CREATE TABLE bus.access_log (
    entry_id   uuid        NOT NULL PRIMARY KEY,
    -- The time within the id.
    asked_at   timestamptz NOT NULL,
    -- Missing where the query could not be read that far.
    query_id   uuid,
    query_type text        NOT NULL,
    -- The user of the broker who sent the query, and the person behind it in that user's own words.
    principal  text        NOT NULL,
    actor      text,
    -- The account, transfer or command that was asked for; missing for lists of the whole bank.
    subject    text,
    -- `answered`, or the code of the refusal.
    outcome    text        NOT NULL
) PARTITION BY RANGE (entry_id);
CREATE INDEX access_log_by_principal ON bus.access_log (principal, entry_id);
CREATE INDEX access_log_by_subject ON bus.access_log (subject, entry_id) WHERE subject IS NOT NULL;
-- Entries of a day without a table. Empty, as long as the service's upkeep runs.
CREATE TABLE bus.access_log_rest PARTITION OF bus.access_log DEFAULT;

-- Makes the tables of today and of the days to come, and drops those of more than `days_kept` days ago, 30 at a time, with the rights of the
-- owner: the service's role adds entries, and changes and deletes none. Returns the number of dropped days.
CREATE FUNCTION bus.keep_access_log(days_ahead integer, days_kept integer) RETURNS integer LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '2s' AS $$
DECLARE
    today constant date := (now() AT TIME ZONE 'UTC')::date;
    day date;
    dropped integer := 0;
BEGIN
    IF days_kept IS NULL OR days_kept < 1 THEN
        RAISE EXCEPTION 'the access log keeps one day at least, not %', days_kept;
    END IF;
    -- One instance at a time; the others have nothing to do then.
    IF NOT pg_try_advisory_xact_lock(hashtext('bus.keep_access_log')) THEN
        RETURN 0;
    END IF;
    FOR day IN SELECT generate_series(today, today + days_ahead, '1 day')::date LOOP
        CONTINUE WHEN to_regclass(format('bus.access_log_%s', to_char(day, 'YYYYMMDD'))) IS NOT NULL;
        -- The upkeep came late: the whole day stays where its first entries are.
        CONTINUE WHEN EXISTS (SELECT FROM bus.access_log_rest
            WHERE entry_id >= bus.first_id(day) AND entry_id < bus.first_id(day + 1));
        EXECUTE format('CREATE TABLE bus.access_log_%s PARTITION OF bus.access_log FOR VALUES FROM (%L) TO (%L)',
            to_char(day, 'YYYYMMDD'), bus.first_id(day), bus.first_id(day + 1));
    END LOOP;
    FOR day IN SELECT to_date(right(relname, 8), 'YYYYMMDD') FROM pg_class
        WHERE relnamespace = 'bus'::regnamespace AND relkind = 'r'
            AND relname ~ '^access_log_[0-9]{8}$'
            AND relname < 'access_log_' || to_char(today - days_kept, 'YYYYMMDD')
        ORDER BY relname LIMIT 30
    LOOP
        EXECUTE format('DROP TABLE bus.access_log_%s', to_char(day, 'YYYYMMDD'));
        dropped := dropped + 1;
    END LOOP;
    DELETE FROM bus.access_log_rest WHERE entry_id < bus.first_id(today - days_kept);
    RETURN dropped;
END
$$;
REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA bus FROM PUBLIC;
