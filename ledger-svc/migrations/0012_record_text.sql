-- A large journal takes longer than a statement of the service may.
SET LOCAL statement_timeout = 0;
-- The record is the text that was hashed. As json the server would read each one again when it is stored, for the
-- sake of a search by counterparty, which can read those that it looks at.
ALTER TABLE journal ALTER COLUMN record TYPE text;
