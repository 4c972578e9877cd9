-- The branch, brand or partner that keeps an account, for which grants may be given. NULL: the main branch, as almost all.
ALTER TABLE accounts ADD COLUMN IF NOT EXISTS branch text CHECK (branch ~ '^[a-z0-9-]{1,40}$');
