-- The branch, brand or partner that keeps the account, for which grants may be given. NULL: the main branch.
ALTER TABLE recipients ADD COLUMN IF NOT EXISTS branch text CHECK (branch ~ '^[a-z0-9-]{1,40}$');
