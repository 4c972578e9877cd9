-- The grants of all principals, as the accounts service has announced them last (accounts.access.current.v1). One row.
CREATE TABLE bus.access (
    one       boolean     PRIMARY KEY DEFAULT true CHECK (one),
    -- The number of the last change.
    version   bigint      NOT NULL,
    -- The instant at which these were the grants.
    at        timestamptz NOT NULL,
    -- The announcement as JSON.
    announced text        NOT NULL
);
