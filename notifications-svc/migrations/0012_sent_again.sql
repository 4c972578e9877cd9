-- What can be sent again, to whom nothing is sent any more, and which keys sign.

-- Attempts that were made before the delivery was sent again by command: its schedule begins anew.
ALTER TABLE deliveries ADD COLUMN attempts_before integer NOT NULL DEFAULT 0;

ALTER TABLE recipients
    -- The webhook that answered 410 Gone. While it is the holder's webhook, nothing is sent there.
    ADD COLUMN webhook_gone text,
    -- The key that signed before webhook_key, and until when it signs, too. A time without a key: the
    -- bank's own key.
    ADD COLUMN webhook_key_before bytea CHECK (length(webhook_key_before) BETWEEN 24 AND 64),
    ADD COLUMN webhook_key_before_until timestamptz;
