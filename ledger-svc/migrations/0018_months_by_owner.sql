-- The months of the journal, made with the rights of the owner: the role that the service runs as may call the function, and may
-- neither create tables nor disable triggers itself.
ALTER FUNCTION keep_journal(integer) SECURITY DEFINER;
ALTER FUNCTION keep_journal(integer) SET search_path = public, pg_temp;
