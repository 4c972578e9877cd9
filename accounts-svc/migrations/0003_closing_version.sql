-- Which closing the ledger's answer must be to: a late answer to a closing before changes nothing.
-- NULL: the account is not closing, or an older instance has begun it; any answer is to it then.
ALTER TABLE accounts ADD COLUMN closing_version bigint CHECK (closing_version >= 1);

-- Besides those of frozen accounts: what a pending or closing account will refuse as soon as it is
-- open, or its closing was refused.
COMMENT ON COLUMN accounts.blocks IS 'what a frozen account refuses, or one that is to be frozen';
