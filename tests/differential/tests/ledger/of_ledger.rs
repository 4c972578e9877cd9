//! Account changes and their results, mapped between the ledger and the oracle.

use ledger_svc::{
    account_lifecycle::{AccountChange, Applied},
    accounts, wire,
};
use oracle::model::changes::{AccountEvent, Followed, Limits};

/// A change as the ledger's own types say it.
pub(super) fn change(event: &AccountEvent) -> AccountChange {
    match event {
        AccountEvent::Opened { currency, limits } => {
            AccountChange::Opened { currency: *currency, limits: of_ledger(limits), branch: None }
        }
        AccountEvent::Frozen { blocks } => AccountChange::Frozen { blocks: wire::blocks(*blocks) },
        AccountEvent::Unfrozen => AccountChange::Unfrozen,
        AccountEvent::Closing { payout } => AccountChange::Closing { payout: *payout },
        AccountEvent::Closed => AccountChange::Closed,
        AccountEvent::LimitsChanged { limits } => {
            AccountChange::LimitsChanged { limits: of_ledger(limits) }
        }
    }
}

fn of_ledger(limits: &Limits) -> accounts::Limits {
    accounts::Limits {
        overdraft: limits.overdraft,
        transfer: limits.transfer,
        daily: limits.daily,
        monthly: limits.monthly,
        minimum_balance: limits.minimum_balance,
    }
}

/// The ledger's answer as the contract says it.
pub(super) fn followed(applied: &Applied) -> Followed {
    match *applied {
        Applied::Opened { currency, version } => Followed::Opened { currency, version },
        Applied::Locked { version, payout } => Followed::Locked { version, payout },
        Applied::CloseRefused { reason, balance, version } => {
            Followed::CloseRefused { reason: wire::close_refusal(reason), balance, version }
        }
        Applied::Quietly => Followed::Quietly,
        Applied::Early => Followed::Early,
    }
}
