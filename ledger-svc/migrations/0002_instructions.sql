-- Holds, reversals, legs, limits; and the journal as an append-only, hash-chained record.

-- Which direction of money a frozen account refuses, and the limits of an account.
ALTER TABLE accounts
    ADD COLUMN blocked         text    NOT NULL DEFAULT 'both'
                               CHECK (blocked IN ('debits', 'credits', 'both')),
    ADD COLUMN transfer_limit  numeric CHECK (transfer_limit >= 0),
    ADD COLUMN daily_limit     numeric CHECK (daily_limit >= 0),
    ADD COLUMN monthly_limit   numeric CHECK (monthly_limit >= 0),
    ADD COLUMN minimum_balance numeric CHECK (minimum_balance >= 0),
    -- What was spent on the last day on which anything was, and in the month until then.
    ADD COLUMN spent_day       date    NOT NULL DEFAULT '1900-01-01',
    ADD COLUMN spent_on_day    numeric NOT NULL DEFAULT 0 CHECK (spent_on_day >= 0),
    ADD COLUMN spent_in_month  numeric NOT NULL DEFAULT 0 CHECK (spent_in_month >= 0);

-- Every instruction that was ever given, with its outcome, as one JSON text: the same id is answered
-- from here, and the accounts' entries follow from here.
CREATE TABLE journal (
    transfer_id   uuid     PRIMARY KEY,
    -- BLAKE3 of the content: the same id with other content is a conflict.
    digest        bytea    NOT NULL CHECK (length(digest) = 32),
    -- Serves the proof: the records of a chain in the order of commits.
    chain         smallint NOT NULL,
    place         bigint   NOT NULL CHECK (place >= 1),
    -- SHA-256 of the hash before it, the digest and the record's text.
    hash          bytea    NOT NULL CHECK (length(hash) = 32),
    -- The contract's JournalRecord. `json` keeps the text to the letter.
    record        json     NOT NULL,
    -- From the record, to be searched for.
    reference     text,
    end_to_end_id text,
    UNIQUE (chain, place)
);
-- Serve the search for a payment by what the debtor called it.
CREATE INDEX journal_end_to_end_id ON journal (end_to_end_id) WHERE end_to_end_id IS NOT NULL;
CREATE INDEX journal_reference ON journal (reference) WHERE reference IS NOT NULL;

-- Where each chain ends. A transaction holds one chain until its commit.
CREATE TABLE chains (
    chain smallint PRIMARY KEY,
    place bigint   NOT NULL,
    hash  bytea    NOT NULL CHECK (length(hash) = 32)
);
INSERT INTO chains
SELECT chain, 0, decode(repeat('00', 32), 'hex') FROM generate_series(0, 3) AS chain;

-- What is set aside. The journal says how it came to this.
CREATE TABLE holds (
    id          uuid        PRIMARY KEY,
    debtor_id   uuid        NOT NULL,
    creditor_id uuid        NOT NULL,
    currency    char(3)     NOT NULL,
    remaining   numeric     NOT NULL CHECK (remaining >= 0),
    status      text        NOT NULL CHECK (status IN ('open', 'captured', 'released', 'expired')),
    expires_at  timestamptz NOT NULL,
    -- The bank's day on which it was placed and counted as spent.
    placed_on   date        NOT NULL,
    CHECK ((status = 'open') = (remaining > 0))
);
-- Serves the search for holds whose time is over.
CREATE INDEX holds_due ON holds (expires_at) WHERE status = 'open';

-- How much of a posted transfer was reversed.
CREATE TABLE reversals (
    original_id uuid    PRIMARY KEY,
    amount      numeric NOT NULL CHECK (amount > 0)
);

-- What was decided before now becomes the beginning of the first chain.
CREATE FUNCTION account_after(id uuid, own_code text, balance numeric, available numeric, version bigint)
RETURNS json LANGUAGE sql AS $$
    SELECT json_build_object('account_id', id, 'code', own_code,
        'balance', trim_scale(balance)::text, 'available', trim_scale(available)::text,
        'version', version)
    WHERE version IS NOT NULL
$$;
CREATE FUNCTION party(id uuid, code text) RETURNS json LANGUAGE sql AS $$
    SELECT json_strip_nulls(json_build_object('account_id', CASE WHEN code IS NULL THEN id END, 'code', code))
$$;
DO $$
DECLARE
    told  record;
    ended chains := (SELECT chains FROM chains WHERE chain = 0);
BEGIN
    FOR told IN
        SELECT id, digest, reference, end_to_end_id, json_strip_nulls(json_build_object(
            'instruction', json_build_object(
                'transfer_id', id,
                'action', json_build_object('transfer', json_build_object(
                    'debtor', party(debtor_id, debtor_code),
                    'creditor', party(creditor_id, creditor_code),
                    'money', money)),
                'reference', reference,
                'end_to_end_id', end_to_end_id,
                'booking_date', booking_date),
            'command_id', command_id,
            'decided_at', to_char(decided_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
            'booking_date', booking_date,
            'value_date', booking_date,
            'outcome', CASE WHEN reason IS NULL
                THEN json_build_object('posted', json_build_object('legs', json_build_array(
                    json_build_object('account', debtor, 'direction', 'debit', 'money', money),
                    json_build_object('account', creditor, 'direction', 'credit', 'money', money))))
                ELSE json_build_object('rejected', json_build_object(
                    'reason', reason, 'account', debtor)) END))::text AS record
        FROM (
            SELECT transfers.*,
                json_build_object('amount', amount::text, 'currency', transfers.currency) AS money,
                account_after(debtor_id, debtors.code, debtor_balance, debtor_available,
                    debtor_version) AS debtor,
                account_after(creditor_id, creditors.code, creditor_balance, creditor_available,
                    creditor_version) AS creditor
            FROM transfers
                LEFT JOIN accounts debtors ON debtors.id = debtor_id
                LEFT JOIN accounts creditors ON creditors.id = creditor_id
        ) AS decided
        ORDER BY decided_at, id
    LOOP
        ended.place := ended.place + 1;
        ended.hash := sha256(ended.hash || told.digest || convert_to(told.record, 'UTF8'));
        INSERT INTO journal (transfer_id, digest, chain, place, hash, record, reference, end_to_end_id)
        VALUES (told.id, told.digest, 0, ended.place, ended.hash, told.record::json, told.reference,
            told.end_to_end_id);
    END LOOP;
    UPDATE chains SET place = ended.place, hash = ended.hash WHERE chain = 0;
END
$$;
DROP FUNCTION account_after, party;

-- Entries carry their value date and their instant. Accounts are never deleted and are locked while
-- they are written to, so a foreign key would only cost a look-up an entry.
ALTER TABLE entries
    DROP CONSTRAINT entries_account_id_fkey,
    ADD COLUMN value_date date,
    ADD COLUMN posted_at  timestamptz;
UPDATE entries SET value_date = entries.booking_date, posted_at = decided_at
FROM transfers WHERE transfers.id = transfer_id;
ALTER TABLE entries
    ALTER COLUMN value_date SET NOT NULL,
    ALTER COLUMN posted_at SET NOT NULL;
DROP TABLE transfers;

-- What is written into the journal stays as it is.
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP;
END
$$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON journal
    FOR EACH STATEMENT EXECUTE FUNCTION refuse();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON entries
    FOR EACH STATEMENT EXECUTE FUNCTION refuse();
