-- Interest of accounts that wait does not stand in the way of the others, and what cannot be done is set aside.

-- What becomes of the interest of the month that has begun when the account is closed.
ALTER TABLE interest_terms
    ADD COLUMN at_closing text NOT NULL DEFAULT 'forfeit' CHECK (at_closing IN ('forfeit', 'pay'));

-- Whether the account is frozen: its months wait until it is active again.
ALTER TABLE interest_due ADD COLUMN waits boolean NOT NULL DEFAULT false;
DELETE FROM interest_due USING accounts
WHERE accounts.id = account_id AND accounts.status IN ('locked', 'closed');
UPDATE interest_due SET waits = true FROM accounts
WHERE accounts.id = account_id AND accounts.status = 'frozen';
-- Serves the search for months that are over and can be capitalised.
CREATE INDEX interest_due_ready ON interest_due (month) WHERE NOT waits;

-- In the transaction that changes the status, whichever version of the service does it. A posting never names the status,
-- and pays nothing for this.
CREATE FUNCTION interest_follows_status() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.status IN ('locked', 'closed') THEN
        DELETE FROM interest_due WHERE account_id = NEW.id;
    ELSE
        UPDATE interest_due SET waits = NEW.status <> 'active' WHERE account_id = NEW.id;
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER interest_follows_status AFTER UPDATE OF status ON accounts
    FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION interest_follows_status();

-- Orders, holds and accounts whose turn has come and that cannot be handled. They are tried again later, and hold up
-- nothing else.
CREATE TABLE set_aside (
    kind         text        NOT NULL CHECK (kind IN ('hold', 'interest', 'order')),
    -- The hold, or the account.
    about        uuid        NOT NULL,
    -- The order, where it is one.
    part         uuid        NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    failures     integer     NOT NULL CHECK (failures >= 1),
    why          text        NOT NULL,
    first_failed timestamptz NOT NULL DEFAULT now(),
    try_again    timestamptz NOT NULL,
    PRIMARY KEY (kind, about, part)
);
