-- The rights of the role that the service runs as (:role). `migrate` grants them anew after each migration.
REVOKE ALL ON SCHEMA public FROM PUBLIC, :role;
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC, :role;
REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM PUBLIC, :role;
REVOKE ALL ON ALL ROUTINES IN SCHEMA public FROM PUBLIC, :role;

GRANT USAGE ON SCHEMA public TO :role;
GRANT SELECT ON _sqlx_migrations TO :role;
GRANT SELECT, INSERT, UPDATE ON accounts TO :role;
GRANT USAGE ON SEQUENCE account_serials TO :role;
