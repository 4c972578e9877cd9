-- The holder's data were erased: what comes late about the holder is not stored. The IBAN is missing then,
-- too, and may not be filled in, as it is for a holder whose account's opening comes late.
ALTER TABLE recipients ADD COLUMN IF NOT EXISTS erased boolean NOT NULL DEFAULT false;
