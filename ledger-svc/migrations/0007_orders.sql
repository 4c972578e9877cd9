-- Standing orders, and what became of their dates.

-- Orders that have a date left.
CREATE TABLE orders (
    account_id uuid    NOT NULL REFERENCES accounts,
    id         uuid    NOT NULL,
    -- What was ordered, as JSON text of the contract's type.
    terms      json    NOT NULL,
    -- The next date of the schedule, and the day on which it is executed or tried again.
    next_date  date    NOT NULL,
    next_day   date    NOT NULL,
    -- How often that date was tried.
    attempts   integer NOT NULL CHECK (attempts >= 0),
    -- Serves questions about an account's orders.
    PRIMARY KEY (account_id, id)
);
-- Serves the search for orders that are due.
CREATE INDEX orders_next_day ON orders (next_day);

-- The dates that were tried. They stay when the order is over.
CREATE TABLE order_executions (
    account_id  uuid        NOT NULL REFERENCES accounts,
    order_id    uuid        NOT NULL,
    due_date    date        NOT NULL,
    status      text        NOT NULL CHECK (status IN ('waiting', 'executed', 'missed')),
    attempts    integer     NOT NULL CHECK (attempts >= 1),
    -- Why nothing moved when it was tried last.
    reason      text,
    -- The transfer that was posted or rejected, and what moved.
    transfer_id uuid,
    amount      numeric,
    currency    text,
    -- When it was tried last, or given up.
    at          timestamptz NOT NULL,
    -- Serves an order's executions, the newest first.
    PRIMARY KEY (account_id, order_id, due_date),
    CHECK ((status = 'executed') = (amount IS NOT NULL)),
    CHECK ((amount IS NULL) = (currency IS NULL)),
    CHECK (status = 'executed' OR reason IS NOT NULL)
);
