//! The changes of an account at the accounts service, and their results at the ledger.

use shared_events::{AccountId, Currency, Total, TransferId};

use crate::accounts::{Blocks, Limits};

/// A change of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccountChange {
    /// The account is new.
    Opened {
        /// The currency of the account.
        currency: Currency,
        /// The limits.
        limits: Limits,
        /// The branch that keeps the account. `None`: the main branch.
        branch: Option<String>,
    },
    /// No money moves, or none in one direction.
    Frozen {
        /// The directions that are refused.
        blocks: Blocks,
    },
    /// Money moves again.
    Unfrozen,
    /// The account is to be locked, if it is empty.
    Closing {
        /// The account to which the rest is paid out first.
        payout: Option<AccountId>,
    },
    /// The account is closed for ever.
    Closed,
    /// The limits have changed.
    LimitsChanged {
        /// The new limits.
        limits: Limits,
    },
}

/// Why an account cannot be locked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseRefusal {
    /// The balance is not zero.
    BalanceNotZero,
    /// Money is reserved or expected.
    HoldsOpen,
    /// The rest cannot be paid out.
    PayoutRejected,
    /// The account was frozen first.
    AccountFrozen,
    /// With the interest that is settled at closing, money would be owed.
    InterestOwed,
    /// Interest or fees cannot be posted now.
    InterestNotSettled,
}

/// The result of applying a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Applied {
    /// The account is open at the ledger, too.
    Opened {
        /// The currency of the account.
        currency: Currency,
        /// The account's first version.
        version: i64,
    },
    /// The account is empty, and stays so.
    Locked {
        /// The version by which the account is locked.
        version: i64,
        /// The transfer that paid out the rest, if there was any.
        payout: Option<TransferId>,
    },
    /// The account cannot be locked.
    CloseRefused {
        /// The reason.
        reason: CloseRefusal,
        /// The balance.
        balance: Total,
        /// The account's version.
        version: i64,
    },
    /// The change is applied, now or before, and nothing is announced.
    Quietly,
    /// The account is not open yet: the change is early.
    Early,
}
