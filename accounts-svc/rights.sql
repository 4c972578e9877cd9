-- The rights of the role that the service runs as (:role). `migrate` grants them anew after each
-- migration, after those of shared-events/rights.sql.
GRANT SELECT, INSERT, UPDATE ON accounts TO :role;
-- Who may do what is added to and never changed.
GRANT SELECT, INSERT ON access_changes TO :role;
GRANT USAGE ON SEQUENCE account_serials TO :role;
-- What has changed is added to and never changed.
GRANT SELECT, INSERT ON history TO :role;
GRANT SELECT, UPDATE (place, hash) ON history_end TO :role;
GRANT EXECUTE ON FUNCTION erase_texts(uuid[]) TO :role;
GRANT SELECT, INSERT, UPDATE (erased_at, ledger_at, notifications_at) ON erasures TO :role;
