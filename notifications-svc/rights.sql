-- The rights of the role that the service runs as (:role). `migrate` grants them anew after each
-- migration, after those of shared-events/rights.sql.

GRANT SELECT, INSERT, UPDATE ON recipients TO :role;
GRANT SELECT, INSERT, UPDATE, DELETE ON notifications, deliveries, attempts TO :role;
