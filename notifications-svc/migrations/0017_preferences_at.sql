-- When the holder asked for what they want now: a command that had to wait for its account does not
-- take the place of a later one. NULL: never, or by an instance that did not note it.
ALTER TABLE recipients ADD COLUMN preferences_at timestamptz;
