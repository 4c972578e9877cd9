-- Erasure of the texts of closed customers' payments: what stands beside a record may become NULL, and nothing else of it changes.

-- The tables of the months keep their trigger: only by way of the whole journal are texts erased.
DROP TRIGGER IF EXISTS append_only ON journal;
CREATE TRIGGER append_only BEFORE DELETE OR TRUNCATE ON journal
    FOR EACH STATEMENT EXECUTE FUNCTION refuse();
DROP TRIGGER IF EXISTS append_only_but_forgets ON journal;
CREATE TRIGGER append_only_but_forgets BEFORE UPDATE ON journal FOR EACH ROW
    WHEN (NEW.reference IS NOT NULL OR NEW.end_to_end_id IS NOT NULL OR NEW.salt IS NOT NULL
        OR (NEW.transfer_id, NEW.digest, NEW.chain, NEW.place, NEW.hash, NEW.record)
            IS DISTINCT FROM (OLD.transfer_id, OLD.digest, OLD.chain, OLD.place, OLD.hash, OLD.record))
    EXECUTE FUNCTION refuse();

-- Accounts whose texts are being erased, and how far each chain was looked through.
CREATE TABLE IF NOT EXISTS erasures (
    account_id  uuid     NOT NULL,
    chain       smallint NOT NULL,
    next_place  bigint   NOT NULL,
    -- The end of the chain when the erasure began.
    last_place  bigint   NOT NULL,
    -- Records whose texts were erased, and records of version 1, which contain their texts.
    records     bigint   NOT NULL DEFAULT 0,
    kept        bigint   NOT NULL DEFAULT 0,
    -- The event that asked for it.
    cause       uuid     NOT NULL,
    correlation uuid     NOT NULL,
    PRIMARY KEY (account_id, chain)
);

-- Erases the texts beside the next so many records of one chain that name an account. Returns whether the account's erasure is
-- done. It runs with the rights of the owner: the role of the service may change no record.
CREATE OR REPLACE FUNCTION erase_texts(of_account uuid, places bigint) RETURNS boolean LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    part erasures;
    -- As every record of version 2 names a party or an account that it has changed.
    named constant text := format('"account_id":"%s"', of_account);
    through bigint;
    erased bigint;
    left_alone bigint;
BEGIN
    SELECT * INTO part FROM erasures WHERE account_id = of_account AND next_place <= last_place
    ORDER BY chain LIMIT 1 FOR UPDATE;
    IF NOT FOUND THEN
        RETURN true;
    END IF;
    through := least(part.next_place + places - 1, part.last_place);
    UPDATE journal SET reference = NULL, end_to_end_id = NULL, salt = NULL
    WHERE chain = part.chain AND place BETWEEN part.next_place AND through
        AND salt IS NOT NULL AND strpos(record, named) > 0;
    GET DIAGNOSTICS erased = ROW_COUNT;
    SELECT count(*) INTO left_alone FROM journal
    WHERE chain = part.chain AND place BETWEEN part.next_place AND through
        AND salt IS NULL AND num_nonnulls(reference, end_to_end_id) > 0 AND strpos(record, named) > 0;
    UPDATE erasures SET next_place = through + 1, records = records + erased, kept = kept + left_alone
    WHERE account_id = of_account AND chain = part.chain;
    RETURN false;
END
$$;
