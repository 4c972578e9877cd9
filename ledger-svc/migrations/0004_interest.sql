-- Interest and fees: the terms of accounts, what was capitalised, and what is due.

-- All terms that were ever set. Of those that begin on one day the last hold.
CREATE TABLE interest_terms (
    account_id    uuid        NOT NULL REFERENCES accounts,
    -- The order of setting.
    place         bigint      NOT NULL CHECK (place >= 1),
    valid_from    date        NOT NULL,
    -- In percent a year.
    credit_rate   numeric     NOT NULL CHECK (credit_rate >= 0),
    debit_rate    numeric     NOT NULL CHECK (debit_rate >= 0),
    day_count     text        NOT NULL CHECK (day_count IN ('act/365', 'act/360', '30e/360')),
    rounding      text        NOT NULL CHECK (rounding IN ('half_even', 'half_up', 'down')),
    statement_fee numeric     CHECK (statement_fee >= 0),
    set_at        timestamptz NOT NULL,
    PRIMARY KEY (account_id, place)
);

-- What was capitalised for each month. Its sums are what the next capitalisation takes off.
CREATE TABLE interest_capitalised (
    account_id      uuid        NOT NULL REFERENCES accounts,
    -- The month's first day.
    month           date        NOT NULL CHECK (extract(day FROM month) = 1),
    credit_interest numeric     NOT NULL,
    debit_interest  numeric     NOT NULL,
    statement_fee   numeric     NOT NULL CHECK (statement_fee >= 0),
    capitalised_at  timestamptz NOT NULL,
    PRIMARY KEY (account_id, month)
);

-- The next month to capitalise of each account that has terms.
CREATE TABLE interest_due (
    account_id uuid PRIMARY KEY REFERENCES accounts,
    month      date NOT NULL CHECK (extract(day FROM month) = 1)
);
-- Serves the search for months that are over.
CREATE INDEX interest_due_month ON interest_due (month);

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON interest_terms
    FOR EACH STATEMENT EXECUTE FUNCTION refuse();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON interest_capitalised
    FOR EACH STATEMENT EXECUTE FUNCTION refuse();
