-- What an account may spend, and what it refuses while it is frozen.
ALTER TABLE accounts
    -- NULL: without that limit. In units of the currency.
    ADD COLUMN transfer_limit  numeric CHECK (transfer_limit BETWEEN 0 AND 1000000000000000),
    ADD COLUMN daily_limit     numeric CHECK (daily_limit BETWEEN 0 AND 1000000000000000),
    ADD COLUMN monthly_limit   numeric CHECK (monthly_limit BETWEEN 0 AND 1000000000000000),
    ADD COLUMN minimum_balance numeric CHECK (minimum_balance BETWEEN 0 AND 1000000000000000),
    -- NULL: both directions, where the account is frozen.
    ADD COLUMN blocks          text    CHECK (blocks IN ('debits', 'credits', 'both'));
