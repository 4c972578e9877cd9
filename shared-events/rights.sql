-- The rights of the role that a service runs as (:role): none but those below, on the delivery tables, and those of the
-- service's own rights.sql. `migrate` grants them anew after each migration, all in one transaction.
DO $$ BEGIN
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO ', current_database()) || $role$:role$role$;
END $$;
REVOKE ALL ON SCHEMA bus, public FROM PUBLIC, :role;
REVOKE ALL ON ALL TABLES IN SCHEMA bus, public FROM PUBLIC, :role;
REVOKE ALL ON ALL SEQUENCES IN SCHEMA bus, public FROM PUBLIC, :role;
REVOKE ALL ON ALL ROUTINES IN SCHEMA bus, public FROM PUBLIC, :role;

GRANT USAGE ON SCHEMA bus, public TO :role;
GRANT SELECT ON bus._sqlx_migrations, public._sqlx_migrations TO :role;
GRANT SELECT, INSERT, UPDATE (lane), DELETE ON bus.outbox TO :role;
GRANT SELECT, INSERT, UPDATE (outcome), DELETE ON bus.inbox TO :role;
GRANT SELECT, DELETE ON bus.inbox_rest TO :role;
GRANT SELECT, INSERT, UPDATE, DELETE ON bus.suspects TO :role;
GRANT SELECT, INSERT, UPDATE ON bus.access TO :role;
-- Who asked for what about parked messages is never changed.
GRANT SELECT, INSERT ON bus.parked_commands TO :role;
GRANT SELECT, INSERT, UPDATE (acknowledged) ON bus.parked_moves TO :role;
-- Which command needed an approval, and of whom, is never changed.
GRANT SELECT, INSERT, UPDATE (state, decided_by, decided_at, reason, body, returned_at) ON bus.approvals TO :role;
-- Who has asked for what is never changed; old days are dropped with the rights of the owner.
GRANT SELECT, INSERT ON bus.access_log TO :role;
GRANT EXECUTE ON FUNCTION bus.keep_access_log TO :role;

-- The days of the inbox: made and dropped with the rights of the owner.
GRANT EXECUTE ON FUNCTION bus.first_id TO :role;
GRANT EXECUTE ON PROCEDURE bus.keep_days TO :role;
GRANT EXECUTE ON FUNCTION bus.announce_inbox_day, bus.check_inbox_day, bus.make_inbox_day, bus.forget_inbox_day,
    bus.drop_inbox_day TO :role;
