-- The journal in one table a month: indexes stay small, and what is old can be moved, frozen and backed up by itself.
--
-- An id that a client makes is a UUIDv7 (RFC 9562): it begins with the milliseconds of its making. So months are ranges of
-- ids, and the primary key still sees each id once, whichever month it is of. Ids of another kind lie in `journal_rest`, and
-- so does what was written before this migration.
--
-- That no place of a chain is taken twice follows from the lock on the chain's end; within a month an index refuses it, and
-- the proof of the journal, which reads all records of a place, finds it anywhere.

-- A large journal takes longer than a statement of the service may.
SET LOCAL statement_timeout = 0;
ALTER TABLE journal RENAME TO journal_rest;
ALTER TABLE journal_rest RENAME CONSTRAINT journal_pkey TO journal_rest_pkey;
ALTER TABLE journal_rest RENAME CONSTRAINT journal_chain_place_key TO journal_rest_chain_place_key;
ALTER INDEX journal_end_to_end_id RENAME TO journal_rest_end_to_end_id;
ALTER INDEX journal_reference RENAME TO journal_rest_reference;

CREATE TABLE journal (
    LIKE journal_rest INCLUDING CONSTRAINTS INCLUDING STORAGE,
    PRIMARY KEY (transfer_id)
) PARTITION BY RANGE (transfer_id);
CREATE INDEX journal_end_to_end_id ON journal (end_to_end_id) WHERE end_to_end_id IS NOT NULL;
CREATE INDEX journal_reference ON journal (reference) WHERE reference IS NOT NULL;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON journal
    FOR EACH STATEMENT EXECUTE FUNCTION refuse();
ALTER TABLE journal ATTACH PARTITION journal_rest DEFAULT;

-- Makes the tables of this month and of those to come. What lies in `journal_rest` already moves there, to the letter.
CREATE FUNCTION keep_journal(months_ahead integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    this_month constant timestamp := date_trunc('month', now() AT TIME ZONE 'UTC');
    month date;
    made text;
    first_id uuid;
    end_id uuid;
BEGIN
    -- One instance at a time; never in the way of the others for long.
    PERFORM pg_advisory_xact_lock(hashtext('keep_journal'));
    SET LOCAL lock_timeout = '2s';
    FOR month IN SELECT generate_series(this_month, this_month + make_interval(months => months_ahead),
        '1 month')::date
    LOOP
        made := 'journal_' || to_char(month, 'YYYYMM');
        CONTINUE WHEN to_regclass(made) IS NOT NULL;
        first_id := bus.first_id(month);
        end_id := bus.first_id((month + interval '1 month')::date);
        LOCK TABLE journal_rest IN ACCESS EXCLUSIVE MODE;
        EXECUTE format('CREATE TABLE %I (LIKE journal INCLUDING ALL, UNIQUE (chain, place))', made);
        IF EXISTS (SELECT FROM journal_rest WHERE transfer_id >= first_id AND transfer_id < end_id) THEN
            ALTER TABLE journal_rest DISABLE TRIGGER append_only;
            EXECUTE format('INSERT INTO %I SELECT * FROM journal_rest
                WHERE transfer_id >= %L AND transfer_id < %L', made, first_id, end_id);
            DELETE FROM journal_rest WHERE transfer_id >= first_id AND transfer_id < end_id;
            ALTER TABLE journal_rest ENABLE TRIGGER append_only;
        END IF;
        EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON %I
            FOR EACH STATEMENT EXECUTE FUNCTION refuse()', made);
        EXECUTE format('ALTER TABLE journal ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
            made, first_id, end_id);
    END LOOP;
END
$$;
SELECT keep_journal(2);
