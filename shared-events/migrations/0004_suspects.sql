-- Messages that came back too often, each while it is tried alone. A row that is still there when
-- the message comes again says that the process which tried it has died meanwhile.
CREATE TABLE bus.suspects (
    -- BLAKE3 of what is tried: of a delivery while it is read, of a message while it is handled.
    message  bytea       NOT NULL PRIMARY KEY,
    tries    integer     NOT NULL,
    begun_at timestamptz NOT NULL DEFAULT now()
);
