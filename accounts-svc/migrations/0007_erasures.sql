-- Erasure of a closed customer's data.

ALTER TABLE accounts DROP CONSTRAINT IF EXISTS accounts_status_check;
ALTER TABLE accounts ADD CONSTRAINT accounts_status_check
    CHECK (status IN ('pending', 'active', 'frozen', 'closing', 'closed', 'erased'));

-- Erased holders, and when the other services have erased their data. NULL: not yet.
CREATE TABLE IF NOT EXISTS erasures (
    account_id       uuid        PRIMARY KEY REFERENCES accounts,
    erased_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    ledger_at        timestamptz,
    notifications_at timestamptz
);
-- Serves the count of erasures that are not completed.
CREATE INDEX IF NOT EXISTS erasures_waiting ON erasures (erased_at)
    WHERE ledger_at IS NULL OR notifications_at IS NULL;

-- Erases the texts and salts beside all records of erased accounts, but those of the erasures themselves. It runs with the rights
-- of the owner: the role of the service may change nothing in the history.
CREATE OR REPLACE FUNCTION erase_texts(of_accounts uuid[]) RETURNS void LANGUAGE sql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    UPDATE history SET texts = NULL, salt = NULL
    FROM accounts
    WHERE accounts.id = ANY(of_accounts) AND accounts.status = 'erased' AND history.account_id = accounts.id
        AND (history.texts IS NOT NULL OR history.salt IS NOT NULL)
        AND strpos(history.record, '"change":"erased"') = 0
$$;
