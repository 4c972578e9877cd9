//! Changes of accounts, and the ids that the ledger gives itself, as the contract's documents say.

use rust_decimal::Decimal;
use shared_events::{
    AccountId, Currency, Total, TransferId,
    accounts::{Blocks, CloseRefusal},
    ledger::AccountCode,
};
use uuid::{Builder, Uuid};

/// The namespace of the ids of the bank's internal accounts.
const INTERNAL_ACCOUNTS: Uuid = Uuid::from_u128(0x6f0c_a1f5_6c6d_5b0e_9d0e_62b1_1c1f_0001);

/// The id of the internal account with this code, for this currency.
#[must_use]
pub fn own_account_id(code: &AccountCode, currency: Currency) -> AccountId {
    AccountId(Uuid::new_v5(&INTERNAL_ACCOUNTS, format!("{code} {currency}").as_bytes()))
}

/// An id of the ledger's own: a UUID of version 8 that follows from a subject and a name.
fn own_id(subject: Uuid, name: &str) -> TransferId {
    let derived = Uuid::new_v5(&subject, name.as_bytes());
    TransferId(Builder::from_custom_bytes(derived.into_bytes()).into_uuid())
}

/// The id of the release of a hold that expires.
#[must_use]
pub fn expiry_id(hold: TransferId) -> TransferId {
    own_id(hold.uuid(), "expiry")
}

/// The id of the payout of an account that is closed by its `version`-th change.
#[must_use]
pub fn payout_id(account: AccountId, version: i64) -> TransferId {
    own_id(account.uuid(), &format!("payout:{version}"))
}

/// The limits of an account. `None`: no limit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// How far below zero the balance may go.
    pub overdraft: Option<Decimal>,
    /// The most of one transfer.
    pub transfer: Option<Decimal>,
    /// The most of one day.
    pub daily: Option<Decimal>,
    /// The most of one month.
    pub monthly: Option<Decimal>,
    /// The least balance that must stay.
    pub minimum_balance: Option<Decimal>,
}

/// A change of an account at the accounts service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccountEvent {
    /// The account is new.
    Opened {
        /// The currency of the account.
        currency: Currency,
        /// The limits.
        limits: Limits,
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

/// The ledger's answer to a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Followed {
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
    /// The change is followed, now or before, and nothing is announced.
    Quietly,
    /// The account is not open yet: the change is early.
    Early,
}
