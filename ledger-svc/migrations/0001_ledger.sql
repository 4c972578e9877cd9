-- The ledger: accounts with their balances, transfers with their outcomes, entries as the journal.

-- An account as the ledger knows it. The bank's own accounts have a code instead of a holder.
CREATE TABLE accounts (
    id               uuid     PRIMARY KEY,
    -- The code of one of the bank's own accounts; NULL for customers' accounts.
    code             text,
    currency         char(3)  NOT NULL,
    status           text     NOT NULL CHECK (status IN ('active', 'frozen', 'locked', 'closed')),
    -- How far below zero the account may go; NULL: without limit.
    overdraft_limit  numeric  CHECK (overdraft_limit >= 0),
    posted_debits    numeric  NOT NULL CHECK (posted_debits >= 0),
    posted_credits   numeric  NOT NULL CHECK (posted_credits >= 0),
    pending_debits   numeric  NOT NULL CHECK (pending_debits >= 0),
    pending_credits  numeric  NOT NULL CHECK (pending_credits >= 0),
    -- Counts what the ledger announces of the account: its opening, its postings, its locking.
    version          bigint   NOT NULL CHECK (version >= 1),
    -- The last changes of the accounts service's account that were followed here: of its status, and
    -- of its limit. One may overtake the other when an instance of that service dies.
    followed_status  bigint   NOT NULL,
    followed_limit   bigint   NOT NULL,
    -- A new version of a row stays on its page: balances change with every posting.
    CHECK (code IS NULL OR overdraft_limit IS NULL)
) WITH (fillfactor = 70);

-- Every transfer that was ever asked for, with its outcome: the same id is answered from here.
CREATE TABLE transfers (
    id                 uuid        PRIMARY KEY,
    -- BLAKE3 of the content: the same id with other content is a conflict.
    digest             bytea       NOT NULL CHECK (length(digest) = 32),
    command_id         uuid        NOT NULL,
    -- The parties as they were named: by id, or by the code of one of the bank's own accounts.
    -- A code that the bank does not have leads to no account, and leaves the id NULL.
    debtor_id          uuid,
    debtor_code        text,
    creditor_id        uuid,
    creditor_code      text,
    amount             numeric     NOT NULL,
    currency           char(3)     NOT NULL,
    reference          text,
    end_to_end_id      text,
    booking_date       date        NOT NULL,
    -- Why it was rejected; NULL: it was posted.
    reason             text,
    -- The accounts as the outcome left them: both when posted, the debtor's when rejected and known.
    debtor_version     bigint,
    debtor_balance     numeric,
    debtor_available   numeric,
    creditor_version   bigint,
    creditor_balance   numeric,
    creditor_available numeric,
    decided_at         timestamptz NOT NULL,
    CHECK (reason IS NOT NULL OR (debtor_version IS NOT NULL AND creditor_version IS NOT NULL))
);

-- The journal: two entries for each posted transfer, never updated, never deleted.
CREATE TABLE entries (
    account_id    uuid    NOT NULL REFERENCES accounts,
    -- The account's version after this entry.
    version       bigint  NOT NULL,
    transfer_id   uuid    NOT NULL,
    -- Negative: a debit. Positive: a credit.
    amount        numeric NOT NULL CHECK (amount <> 0),
    balance_after numeric NOT NULL,
    booking_date  date    NOT NULL,
    -- Serves statements: an account's entries in the order of posting.
    PRIMARY KEY (account_id, version)
);
