-- Whom the bank tells what, and what became of it: recipient, notification -> delivery -> attempt.

CREATE TYPE topic AS ENUM (
    'transfer_posted', 'transfer_rejected', 'account_frozen', 'account_unfrozen', 'account_closed'
);
CREATE TYPE channel AS ENUM ('email', 'webhook');
CREATE TYPE delivery_status AS ENUM ('pending', 'succeeded', 'failed');
CREATE TYPE attempt_outcome AS ENUM ('succeeded', 'failed', 'refused');

-- The holder of an account as the accounts service last described them, and what they want to be
-- told. Addresses stand here and nowhere else: a delivery goes to the address of the day.
CREATE TABLE recipients (
    account_id    uuid      PRIMARY KEY,
    iban          text,
    name          text      NOT NULL,
    email         text,
    webhook       text,
    language      text      NOT NULL,
    -- The version of the account that name and addresses are from.
    version       bigint    NOT NULL CHECK (version >= 1),
    wants_email   boolean   NOT NULL DEFAULT true,
    wants_webhook boolean   NOT NULL DEFAULT true,
    topics        topic[]   NOT NULL DEFAULT enum_range(NULL::topic),
    -- The key that webhooks are signed with; NULL: the bank's.
    webhook_key   bytea     CHECK (length(webhook_key) BETWEEN 24 AND 64)
);

-- Something a holder is told, or would be if they could be reached. The id follows from the event:
-- the same event makes the same notification. No foreign key to recipients: it would lock a
-- recipient's row for every transfer, and the writer has just read that row.
CREATE TABLE notifications (
    id             uuid        PRIMARY KEY,
    account_id     uuid        NOT NULL,
    topic          topic       NOT NULL,
    event_id       uuid        NOT NULL,
    correlation_id uuid        NOT NULL,
    -- What the text is made of; NULL where there is no delivery.
    parameters     jsonb       CHECK (jsonb_typeof(parameters) = 'object'),
    created_at     timestamptz NOT NULL
);

-- Serves the list of what one holder was told, newest first.
CREATE INDEX notifications_by_account ON notifications (account_id, id);

-- A notification on its way through one channel.
CREATE TABLE deliveries (
    id              uuid            PRIMARY KEY,
    notification_id uuid            NOT NULL REFERENCES notifications,
    channel         channel         NOT NULL,
    status          delivery_status NOT NULL DEFAULT 'pending',
    -- Attempts begun. One that was interrupted has no row in attempts.
    attempts        integer         NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    -- When it is due. While an attempt runs: when others may take it for interrupted.
    next_attempt_at timestamptz,
    last_error      text            CHECK (length(last_error) <= 300),
    CHECK ((status = 'pending') = (next_attempt_at IS NOT NULL)),
    -- Serves the deliveries of listed notifications; and a channel is used once.
    UNIQUE (notification_id, channel)
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02);

-- Serves the couriers' search for what is due, and the count of what is pending.
CREATE INDEX deliveries_due ON deliveries (channel, next_attempt_at) WHERE status = 'pending';

-- One try to hand a delivery over, ended. Never updated.
CREATE TABLE attempts (
    delivery_id uuid            NOT NULL REFERENCES deliveries,
    number      integer         NOT NULL CHECK (number >= 1),
    at          timestamptz     NOT NULL,
    took_ms     integer         NOT NULL CHECK (took_ms >= 0),
    outcome     attempt_outcome NOT NULL,
    -- The HTTP status or SMTP code of the other side; NULL: there was no answer.
    status      smallint        CHECK (status BETWEEN 100 AND 999),
    -- What the other side said, shortened; or why it could not be reached.
    answer      text            CHECK (length(answer) <= 300),
    PRIMARY KEY (delivery_id, number)
);
