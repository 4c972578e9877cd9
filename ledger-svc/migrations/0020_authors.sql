-- Records of version 2 name their author, and stand for texts by a commitment under a salt: SHA-256 of the salt and the texts
-- (shared_events::evidence::commitment). NULL: a record without texts, or of version 1.
ALTER TABLE journal ADD COLUMN IF NOT EXISTS salt bytea CHECK (length(salt) = 16);
