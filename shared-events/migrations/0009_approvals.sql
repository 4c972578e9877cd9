-- Commands that need or needed the approval of another principal. A command that waits was not handled.
CREATE TABLE bus.approvals (
    command_id     uuid        PRIMARY KEY,
    -- The order in which commands were set aside.
    number         bigint      NOT NULL GENERATED ALWAYS AS IDENTITY UNIQUE,
    -- Of the content and the author, as in the inbox.
    digest         bytea       NOT NULL,
    kind           text        NOT NULL,
    principal      text        NOT NULL,
    actor          text,
    -- The operator that has edited the command while it was parked. It may not approve the command either.
    edited_by      text,
    correlation_id uuid        NOT NULL,
    -- What the approver's grants must cover, as JSON.
    needs          text        NOT NULL,
    requested_at   timestamptz NOT NULL,
    deadline       timestamptz NOT NULL,
    state          text        NOT NULL CHECK (state IN ('waiting', 'approved', 'handled', 'declined', 'expired')),
    decided_by     text,
    decided_at     timestamptz,
    reason         text,
    -- The command as it was delivered, and its queue. Nothing of it is kept once it is back in its queue, or has ended.
    queue          text        NOT NULL,
    content_type   text        NOT NULL,
    body           bytea,
    -- The time at which the approved command was given back to its queue.
    returned_at    timestamptz,
    CHECK (decided_by IS NULL OR state = 'declined' OR decided_by NOT IN (principal, coalesce(edited_by, principal)))
);
CREATE INDEX approvals_by_deadline ON bus.approvals (deadline) WHERE state = 'waiting';
CREATE INDEX approvals_by_author ON bus.approvals (principal) WHERE state = 'waiting';
CREATE INDEX approvals_waiting ON bus.approvals (number) WHERE state = 'waiting';
CREATE INDEX approvals_to_return ON bus.approvals (number) WHERE state = 'approved' AND returned_at IS NULL;
