-- The delivery tables of a service. They live in the service's own database, because a change of
-- state, the proof that its message was seen and the events it announces are one transaction.
CREATE SCHEMA IF NOT EXISTS bus;

-- Events that are committed and not yet confirmed by the broker. A queue, not a log: a row is
-- deleted when confirmed, so the table stays small for ever.
CREATE TABLE bus.outbox (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- The relay that publishes the row. A relay holds its lane by an advisory lock.
    lane           smallint    NOT NULL,
    event_id       uuid        NOT NULL,
    kind           text        NOT NULL,
    correlation_id uuid        NOT NULL,
    partition_key  text,
    body           bytea COMPRESSION lz4 NOT NULL,
    created_at     timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 100, autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 5000);

-- Messages whose effect is committed, where nothing in the domain says so already.
CREATE TABLE bus.inbox (
    message_id  uuid        NOT NULL PRIMARY KEY,
    -- BLAKE3 of the canonical content: the same id with other content is a conflict.
    digest      bytea       NOT NULL,
    -- The events that answered it, to tell again; NULL where nobody is told.
    outcome     bytea COMPRESSION lz4,
    received_at timestamptz NOT NULL DEFAULT now()
    -- Room on each page for the answer, which is written after the claim.
) WITH (fillfactor = 80);

-- Serves the deletion of messages that are too old to come again.
CREATE INDEX inbox_by_age ON bus.inbox (received_at);
