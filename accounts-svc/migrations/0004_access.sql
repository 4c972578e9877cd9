-- The branch, brand or partner that keeps an account, for which grants may be given.
ALTER TABLE accounts ADD COLUMN IF NOT EXISTS branch text NOT NULL DEFAULT 'main' CHECK (branch ~ '^[a-z0-9-]{1,40}$');

-- Serves `list` for principals whose grants are for some branches, in the order of ids.
CREATE INDEX IF NOT EXISTS accounts_by_branch ON accounts (branch, id);

-- Every change of a principal's grants, each once and for ever: the last one of a principal holds.
CREATE TABLE IF NOT EXISTS access_changes (
    -- Counts the changes of all principals.
    version    bigint      PRIMARY KEY,
    principal  text        NOT NULL CHECK (principal ~ '^[a-z][a-z0-9-]{0,31}$'),
    -- The grants after the change, as JSON of the contract (accounts.access.changed.v1).
    grants     text        NOT NULL,
    -- The principal that changed them and its command. NULL: they come from the file of principals.
    changed_by text,
    command_id uuid,
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Serves the last change of each principal.
CREATE INDEX IF NOT EXISTS access_changes_by_principal ON access_changes (principal, version DESC);
