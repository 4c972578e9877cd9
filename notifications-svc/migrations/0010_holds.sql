-- Holders are told of holds, too.

ALTER TYPE topic ADD VALUE 'transfer_held' BEFORE 'account_frozen';
ALTER TYPE topic ADD VALUE 'hold_released' BEFORE 'account_frozen';
