-- The history: every change of an account and of a principal's grants, as an append-only chain of records.

-- Many accounts take longer than a statement of the service may.
SET LOCAL statement_timeout = 0;

CREATE TABLE history (
    -- The order of the changes. Serves the pages of the whole chain.
    place      bigint PRIMARY KEY CHECK (place >= 1),
    -- What has changed: one account, or the grants of one principal.
    account_id uuid,
    principal  text,
    -- The account's version after the change, or the number of the change of grants.
    number     bigint NOT NULL,
    -- SHA-256 of the hash before it (32 zero bytes at first) and of the record's UTF-8.
    hash       bytea  NOT NULL CHECK (length(hash) = 32),
    -- The JSON text of src/history/record_v1.rs, to the letter. It holds no personal data.
    record     text   NOT NULL,
    -- The holder after the change and the reason, as JSON, and the salt under which the record commits to them. Both are
    -- erased together, some day, and the chain still holds.
    texts      text,
    salt       bytea  CHECK (length(salt) = 16),
    CHECK (num_nonnulls(account_id, principal) = 1)
);
-- Serves the history of one account. No change has two records.
CREATE UNIQUE INDEX history_of_account ON history (account_id, number) WHERE account_id IS NOT NULL;
-- Serves people who look for the changes of one principal's grants. No change has two records.
CREATE UNIQUE INDEX history_of_principal ON history (principal, number) WHERE principal IS NOT NULL;

-- The last record. A transaction that changes something holds this row until its commit, so places have no gap.
CREATE TABLE history_end (
    single boolean PRIMARY KEY DEFAULT true CHECK (single),
    place  bigint  NOT NULL,
    hash   bytea   NOT NULL CHECK (length(hash) = 32)
);

-- The history begins with the accounts as they are, and with all changes of grants.
CREATE FUNCTION committed(name text, content text) RETURNS bytea LANGUAGE sql AS $$
    SELECT coalesce(int8send(length(convert_to(name, 'UTF8'))) || convert_to(name, 'UTF8')
        || int8send(length(convert_to(content, 'UTF8'))) || convert_to(content, 'UTF8'), '')
$$;
CREATE FUNCTION written(at timestamptz) RETURNS text LANGUAGE sql AS $$
    SELECT to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
$$;
DO $$
DECLARE
    began constant timestamptz := clock_timestamp();
    known record;
    ended history_end := ROW(true, 0, decode(repeat('00', 32), 'hex'));
BEGIN
    -- What is changed meanwhile would have no record.
    LOCK TABLE accounts, access_changes IN SHARE ROW EXCLUSIVE MODE;
    FOR known IN
        SELECT id AS account_id, NULL::text AS principal, version AS number, salt,
            json_strip_nulls(json_build_object('name', holder_name, 'email', holder_email,
                'webhook', holder_webhook, 'language', holder_language))::text AS texts,
            json_strip_nulls(json_build_object(
                'version', 1,
                'author', json_build_object('principal', 'accounts'),
                'at', written(began),
                'account', json_build_object(
                    'account_id', id,
                    'number', version,
                    'change', 'recorded',
                    'state', json_build_object(
                        'iban', iban,
                        'product', product,
                        'currency', currency,
                        'overdraft_limit', trim_scale(overdraft_limit)::text,
                        'transfer_limit', trim_scale(transfer_limit)::text,
                        'daily_limit', trim_scale(daily_limit)::text,
                        'monthly_limit', trim_scale(monthly_limit)::text,
                        'minimum_balance', trim_scale(minimum_balance)::text,
                        'blocks', blocks,
                        'external_reference', external_reference,
                        'branch', branch,
                        'status', status,
                        'closing_version', closing_version),
                    'texts', encode(sha256(salt || committed('name', holder_name)
                        || committed('email', holder_email) || committed('webhook', holder_webhook)
                        || committed('language', holder_language)), 'hex'))))::text AS record
        FROM (SELECT accounts.*, uuid_send(gen_random_uuid()) AS salt FROM accounts OFFSET 0) AS salted
        ORDER BY id
    LOOP
        ended.place := ended.place + 1;
        ended.hash := sha256(ended.hash || convert_to(known.record, 'UTF8'));
        INSERT INTO history VALUES (ended.place, known.account_id, known.principal, known.number, ended.hash, known.record,
            known.texts, known.salt);
    END LOOP;
    FOR known IN
        -- The grants stay as they are stored, to the letter.
        SELECT principal, version AS number,
            '{"version":1,"author":{"principal":' || to_json(coalesce(changed_by, 'accounts')) || '}'
                || coalesce(',"command_id":"' || command_id || '"', '') || ',"at":"' || written(changed_at)
                || '","grants":{"principal":' || to_json(principal) || ',"number":' || version
                || ',"grants":' || grants || '}}' AS record
        FROM access_changes ORDER BY version
    LOOP
        ended.place := ended.place + 1;
        ended.hash := sha256(ended.hash || convert_to(known.record, 'UTF8'));
        INSERT INTO history (place, principal, number, hash, record)
        VALUES (ended.place, known.principal, known.number, ended.hash, known.record);
    END LOOP;
    INSERT INTO history_end SELECT ended.*;
END
$$;
DROP FUNCTION committed, written;

-- What is written into the history stays as it is, but for the texts and the salts of those who are to be forgotten.
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP;
END
$$;
CREATE TRIGGER append_only BEFORE DELETE OR TRUNCATE ON history
    FOR EACH STATEMENT EXECUTE FUNCTION refuse();
CREATE TRIGGER append_only_but_forgets BEFORE UPDATE ON history FOR EACH ROW
    WHEN (NEW.texts IS NOT NULL OR NEW.salt IS NOT NULL
        OR to_jsonb(NEW) - '{texts,salt}'::text[] IS DISTINCT FROM to_jsonb(OLD) - '{texts,salt}'::text[])
    EXECUTE FUNCTION refuse();
