-- Balance monitors, and which accounts have any: postings to all others never ask for them.

ALTER TABLE accounts ADD COLUMN monitored boolean NOT NULL DEFAULT false;

CREATE TABLE monitors (
    account_id uuid    NOT NULL REFERENCES accounts,
    id         uuid    NOT NULL,
    kind       text    NOT NULL CHECK (kind IN ('below', 'above', 'change_by')),
    amount     numeric NOT NULL,
    -- Whether the condition did not hold when a posting was looked at last.
    armed      boolean NOT NULL,
    -- The balance when it was raised last, or set.
    since      numeric NOT NULL,
    -- Serves postings to the account.
    PRIMARY KEY (account_id, id)
);
