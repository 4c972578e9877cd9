//! Decisions as events of the contract.

use shared_events::{
    AccountId, CommandId,
    accounts::{
        AccountActivated, AccountCloseRefused, AccountClosed, AccountClosing, AccountFrozen,
        AccountOpened, AccountUnfrozen, AccountsCommandRejected, AccountsReason, HolderUpdated,
        LimitsChanged,
    },
    messaging::Outcome,
};

use crate::accounts::{Change, Changed, Refusal};

/// Announces how an account changed.
pub(crate) fn announce(Changed { account, change }: &Changed) -> Outcome {
    let (account_id, version) = (account.account_id, account.version);
    match change {
        Change::Opened => Outcome::announce(&AccountOpened {
            account_id,
            iban: account.iban.clone(),
            holder: account.holder.clone(),
            product: account.product.clone(),
            currency: account.currency,
            overdraft_limit: account.overdraft_limit,
            external_reference: account.external_reference.clone(),
            version,
        }),
        Change::Activated => Outcome::announce(&AccountActivated { account_id, version }),
        Change::Frozen { reason, previous_blocks } => Outcome::announce(&AccountFrozen {
            account_id,
            reason: reason.clone(),
            blocks: account.blocks.unwrap_or_default(),
            previous_blocks: *previous_blocks,
            version,
        }),
        Change::Unfrozen => Outcome::announce(&AccountUnfrozen { account_id, version }),
        Change::Closing { payout } => {
            let payout = *payout;
            Outcome::announce(&AccountClosing { account_id, payout, version })
        }
        Change::Closed => Outcome::announce(&AccountClosed { account_id, version }),
        Change::CloseRefused { reason, balance } => {
            let (reason, balance) = (*reason, *balance);
            Outcome::announce(&AccountCloseRefused { account_id, reason, balance, version })
        }
        Change::LimitsChanged => {
            let overdraft_limit = account.overdraft_limit;
            Outcome::announce(&LimitsChanged {
                account_id,
                overdraft_limit,
                spending: account.spending,
                version,
            })
        }
        Change::HolderUpdated => {
            let holder = account.holder.clone();
            Outcome::announce(&HolderUpdated { account_id, holder, version })
        }
    }
}

/// What was done, for the log.
pub(crate) const fn done(change: &Change) -> &'static str {
    match change {
        Change::Opened => "opened account",
        Change::Activated => "activated account",
        Change::Frozen { .. } => "froze account",
        Change::Unfrozen => "unfroze account",
        Change::Closing { .. } => "began to close account",
        Change::Closed => "closed account",
        Change::CloseRefused { .. } => "gave up closing account",
        Change::LimitsChanged => "changed limits of account",
        Change::HolderUpdated => "updated holder of account",
    }
}

/// Announces that a command was refused.
pub(crate) fn reject(
    command_id: CommandId,
    command_type: &str,
    account_id: AccountId,
    refusal: &Refusal,
) -> Outcome {
    Outcome::announce(&AccountsCommandRejected {
        command_id,
        command_type: command_type.to_owned(),
        account_id,
        reason: refusal.reason(),
        field: refusal.field().map(str::to_owned),
        message: refusal.to_string(),
    })
}

/// The reason as the wire has it, for logs and metrics.
pub(crate) const fn code(reason: AccountsReason) -> &'static str {
    match reason {
        AccountsReason::UnknownAccount => "unknown_account",
        AccountsReason::AccountExists => "account_exists",
        AccountsReason::ExternalReferenceTaken => "external_reference_taken",
        AccountsReason::WrongStatus => "wrong_status",
        AccountsReason::InvalidField => "invalid_field",
        AccountsReason::IdempotencyConflict => "idempotency_conflict",
    }
}
