-- A row of the outbox is a message: neighbouring events of one transaction travel together, and are
-- stored, read and deleted together. A busy service writes one row for a hundred events.
ALTER TABLE bus.outbox
    -- How many events it carries: the body of several is a JSON array.
    ADD COLUMN events integer NOT NULL DEFAULT 1 CHECK (events >= 1);
-- The new name also keeps an older instance, which runs on for a while beside a new one, from publishing rows that it
-- would take for single events: it waits until it is replaced.
ALTER TABLE bus.outbox RENAME COLUMN event_id TO message_id;
