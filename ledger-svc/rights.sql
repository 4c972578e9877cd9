-- The rights of the role that the service runs as (:role). `migrate` grants them anew after each migration.
REVOKE ALL ON SCHEMA public FROM PUBLIC, :role;
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC, :role;
REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM PUBLIC, :role;
REVOKE ALL ON ALL ROUTINES IN SCHEMA public FROM PUBLIC, :role;

GRANT USAGE ON SCHEMA public TO :role;
GRANT SELECT ON _sqlx_migrations TO :role;

-- What happened is added to and never changed.
GRANT SELECT, INSERT ON journal, entries, interest_terms, interest_capitalised, periods_closed TO :role;
-- The state that follows from it.
GRANT SELECT, INSERT, UPDATE, DELETE ON accounts, orders, monitors, set_aside, interest_due TO :role;
GRANT SELECT, INSERT, UPDATE ON holds, order_executions TO :role;
GRANT SELECT, INSERT, UPDATE (amount) ON reversals TO :role;
GRANT SELECT, UPDATE ON chains TO :role;

GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO :role;
