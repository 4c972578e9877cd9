-- Erasure of a closed customer's data.

ALTER TABLE accounts DROP CONSTRAINT accounts_status_check;
ALTER TABLE accounts ADD CONSTRAINT accounts_status_check
    CHECK (status IN ('pending', 'active', 'frozen', 'closing', 'closed', 'erased'));

-- Erased holders, and when the other services have erased their data. NULL: not yet.
CREATE TABLE erasures (
    account_id       uuid        PRIMARY KEY REFERENCES accounts,
    erased_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    ledger_at        timestamptz,
    notifications_at timestamptz
);
-- Serves the count of erasures that are not completed.
CREATE INDEX erasures_waiting ON erasures (erased_at) WHERE ledger_at IS NULL OR notifications_at IS NULL;
