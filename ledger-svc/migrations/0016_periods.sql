-- Closed periods, and the instant of the last decision. Both stand at the ends of the chains: every transaction that posts
-- holds one of them, so it reads them without another statement, and whoever closes a period holds them all.

ALTER TABLE chains
    -- Nothing is booked on this day or before it; the same in all rows. NULL: no period is closed.
    ADD COLUMN closed_through date,
    -- When the chain was extended last: no decision of the ledger is dated before another that it could see.
    ADD COLUMN decided_at     timestamptz NOT NULL DEFAULT now();

-- Every closing of a period.
CREATE TABLE periods_closed (
    through    date        PRIMARY KEY,
    command_id uuid        NOT NULL,
    closed_at  timestamptz NOT NULL
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON periods_closed
    FOR EACH STATEMENT EXECUTE FUNCTION refuse();
