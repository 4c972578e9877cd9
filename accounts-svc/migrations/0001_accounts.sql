-- Who has which account, on what terms, in what state.

-- What account numbers are made of (src/domain/bank.rs): eight digits, the first not zero. Never
-- the same one twice; a refused command or a repeated transaction leaves a gap, which is harmless.
CREATE SEQUENCE account_serials AS bigint MINVALUE 10000001 MAXVALUE 99999999 NO CYCLE;

-- The checks repeat the service's own rules (src/domain/rules.rs), for whoever writes past it.
CREATE TABLE accounts (
    -- Serves `get` by id, the locks of a batch, and `list` in the order of ids.
    id                 uuid        PRIMARY KEY,
    iban               text        NOT NULL CHECK (iban ~ '^[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}$'),
    holder_name        text        NOT NULL CHECK (char_length(holder_name) BETWEEN 1 AND 140),
    holder_email       text        CHECK (octet_length(holder_email) <= 254),
    holder_webhook     text        CHECK (char_length(holder_webhook) <= 2000),
    holder_language    text        NOT NULL CHECK (holder_language ~ '^[a-z]{2}$'),
    product            text        NOT NULL CHECK (product ~ '^[a-z0-9-]{1,40}$'),
    currency           char(3)     NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    -- How far below zero it may go, in units of the currency.
    overdraft_limit    numeric     NOT NULL
                       CHECK (overdraft_limit BETWEEN 0 AND 1000000000000000),
    -- What another system calls it. Byte order, so that its index serves prefixes too.
    external_reference text COLLATE "C"
                       CHECK (char_length(external_reference) BETWEEN 1 AND 64),
    status             text        NOT NULL
                       CHECK (status IN ('pending', 'active', 'frozen', 'closing', 'closed')),
    -- Counts the account's changes; the order of its events.
    version            bigint      NOT NULL CHECK (version >= 1),
    -- For people who look for an account that is stuck; the service reads neither.
    opened_at          timestamptz NOT NULL DEFAULT now(),
    changed_at         timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 80);

-- Serves `get` by IBAN. No two accounts have the same.
CREATE UNIQUE INDEX accounts_by_iban ON accounts (iban);

-- Serves `get` by external reference, `list` by its prefix, and the check that it is free.
CREATE UNIQUE INDEX accounts_by_external_reference ON accounts (external_reference);

-- Serves `list` by status, in the order of ids.
CREATE INDEX accounts_by_status ON accounts (status, id);
