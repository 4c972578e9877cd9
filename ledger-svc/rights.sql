-- The rights of the role that the service runs as (:role). `migrate` grants them anew after each
-- migration, after those of shared-events/rights.sql.

-- What happened is added to and never changed.
GRANT SELECT, INSERT ON journal, entries, interest_terms, interest_capitalised, periods_closed TO :role;
-- The state that follows from it.
GRANT SELECT, INSERT, UPDATE, DELETE ON accounts, orders, monitors, set_aside, interest_due TO :role;
GRANT SELECT, INSERT, UPDATE ON holds, order_executions TO :role;
GRANT SELECT, INSERT, UPDATE (amount) ON reversals TO :role;
GRANT SELECT, UPDATE ON chains TO :role;

GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO :role;
GRANT SELECT, INSERT, DELETE ON erasures TO :role;
