-- The months to come have a parent of their own, so that a new one is never looked for among all that lies in `journal_rest`.
--
-- Attaching a partition reads the whole default partition of its parent under a lock that nobody can post beside. Up to here
-- that was `journal_rest`: everything from before there were months, and every id that is random. Of the ids between this
-- migration's last month and 2050 only random ones lie in `journal_ahead_rest`, some three in a thousand of them.
--
-- This once `journal_rest` is read: a second or two for each gigabyte, in which the ledger waits.
SET LOCAL statement_timeout = 0;
SELECT keep_journal(2);

DO $$
DECLARE
    first_month date := date_trunc('month', now() AT TIME ZONE 'UTC');
    first_id uuid;
    end_id constant uuid := bus.first_id('2050-01-01');
BEGIN
    WHILE to_regclass('journal_' || to_char(first_month, 'YYYYMM')) IS NOT NULL LOOP
        first_month := first_month + interval '1 month';
    END LOOP;
    first_id := bus.first_id(first_month);
    LOCK TABLE journal_rest IN ACCESS EXCLUSIVE MODE;
    CREATE TABLE journal_ahead (LIKE journal INCLUDING ALL) PARTITION BY RANGE (transfer_id);
    CREATE TABLE journal_ahead_rest (LIKE journal INCLUDING ALL, UNIQUE (chain, place));
    ALTER TABLE journal_ahead ATTACH PARTITION journal_ahead_rest DEFAULT;
    ALTER TABLE journal_rest DISABLE TRIGGER append_only;
    INSERT INTO journal_ahead_rest
        SELECT * FROM journal_rest WHERE transfer_id >= first_id AND transfer_id < end_id;
    DELETE FROM journal_rest WHERE transfer_id >= first_id AND transfer_id < end_id;
    ALTER TABLE journal_rest ENABLE TRIGGER append_only;
    CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON journal_ahead
        FOR EACH STATEMENT EXECUTE FUNCTION refuse();
    CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON journal_ahead_rest
        FOR EACH STATEMENT EXECUTE FUNCTION refuse();
    EXECUTE format('ALTER TABLE journal ATTACH PARTITION journal_ahead FOR VALUES FROM (%L) TO (%L)',
        first_id, end_id);
    EXECUTE format('CREATE FUNCTION journal_ahead_from() RETURNS date LANGUAGE sql IMMUTABLE AS
        $f$ SELECT date %L $f$', first_month);
END
$$;

-- Makes the tables of this month and of those to come. What lies in the rest already moves there, to the letter.
CREATE OR REPLACE FUNCTION keep_journal(months_ahead integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    this_month constant timestamp := date_trunc('month', now() AT TIME ZONE 'UTC');
    month date;
    made text;
    parent text;
    rest text;
    first_id uuid;
    end_id uuid;
BEGIN
    -- One instance at a time. While this waits for a lock, others wait behind it: it gives up soon, and is tried again.
    PERFORM pg_advisory_xact_lock(hashtext('keep_journal'));
    SET LOCAL lock_timeout = '500ms';
    FOR month IN SELECT generate_series(this_month, this_month + make_interval(months => months_ahead),
        '1 month')::date
    LOOP
        made := 'journal_' || to_char(month, 'YYYYMM');
        CONTINUE WHEN to_regclass(made) IS NOT NULL;
        parent := CASE WHEN month >= journal_ahead_from() AND month < date '2050-01-01'
            THEN 'journal_ahead' ELSE 'journal' END;
        rest := parent || '_rest';
        first_id := bus.first_id(month);
        end_id := bus.first_id((month + interval '1 month')::date);
        EXECUTE format('LOCK TABLE %I IN ACCESS EXCLUSIVE MODE', rest);
        EXECUTE format('CREATE TABLE %I (LIKE journal INCLUDING ALL, UNIQUE (chain, place))', made);
        EXECUTE format('ALTER TABLE %I DISABLE TRIGGER append_only', rest);
        EXECUTE format('INSERT INTO %I SELECT * FROM %I WHERE transfer_id >= %L AND transfer_id < %L',
            made, rest, first_id, end_id);
        EXECUTE format('DELETE FROM %I WHERE transfer_id >= %L AND transfer_id < %L', rest, first_id, end_id);
        EXECUTE format('ALTER TABLE %I ENABLE TRIGGER append_only', rest);
        EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON %I
            FOR EACH STATEMENT EXECUTE FUNCTION refuse()', made);
        EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
            parent, made, first_id, end_id);
    END LOOP;
END
$$;
