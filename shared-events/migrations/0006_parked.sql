-- Commands of operators about parked messages: who asked for what, when, and the answer, which a
-- repeated command gets again.
CREATE TABLE bus.parked_commands (
    command_id  uuid        NOT NULL PRIMARY KEY,
    -- BLAKE3 of the canonical content: the same id with other content is a conflict.
    digest      bytea       NOT NULL,
    kind        text        NOT NULL,
    -- The user of the broker who sent the command.
    principal   text        NOT NULL,
    handled_at  timestamptz NOT NULL DEFAULT now(),
    answer_kind text        NOT NULL,
    answer      text        NOT NULL
);

-- Messages that left the parked queue. A row is committed before its message is acknowledged: a
-- message that is still in the queue after a crash has left it already.
CREATE TABLE bus.parked_moves (
    fingerprint  text    NOT NULL PRIMARY KEY,
    command_id   uuid    NOT NULL REFERENCES bus.parked_commands,
    acknowledged boolean NOT NULL DEFAULT false
);
-- Serves each scan of the queue.
CREATE INDEX parked_moves_unacknowledged ON bus.parked_moves (fingerprint) WHERE NOT acknowledged;
