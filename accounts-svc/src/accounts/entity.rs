//! An account and its terms. Promise: the names in the database are those of the contract, and
//! belong to this service: a new version of the contract does not change a stored row.

use shared_events::{AccountId, Amount, Currency, Iban, code::UnknownCode};

use crate::holders::Holder;

/// An account, without its balance: the ledger alone knows that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) id: AccountId,
    pub(crate) iban: Iban,
    pub(crate) holder: Holder,
    pub(crate) product: String,
    pub(crate) currency: Currency,
    /// How far below zero the balance may go, zero or more.
    pub(crate) overdraft_limit: Amount,
    pub(crate) spending_limits: SpendingLimits,
    /// The direction of money that a frozen account refuses. On a pending or closing account: the
    /// direction that it will refuse once it is open, or its closing was refused.
    pub(crate) blocks: Option<Blocks>,
    /// The name of the account in another system. Unique.
    pub(crate) external_reference: Option<String>,
    /// The branch that keeps the account.
    pub(crate) branch: String,
    pub(crate) status: AccountStatus,
    /// The version by which the account began to close, while it is closing.
    pub(crate) closing_version: Option<i64>,
    /// Counts the account's changes, from 1.
    pub(crate) version: i64,
}

/// The states of an account's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AccountStatus {
    /// The ledger has not opened its side yet.
    Pending,
    Active,
    Frozen,
    /// The ledger checks that nothing is left on the account.
    Closing,
    Closed,
    /// Closed, and the holder's data are erased.
    Erased,
}

impl AccountStatus {
    const ALL: [Self; 6] =
        [Self::Pending, Self::Active, Self::Frozen, Self::Closing, Self::Closed, Self::Erased];

    /// The name in the database and in messages for people.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Active => "active",
            Self::Frozen => "frozen",
            Self::Closing => "closing",
            Self::Closed => "closed",
            Self::Erased => "erased",
        }
    }

    /// The status with this name.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == name)
    }
}

/// The direction of money that a freeze refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Blocks {
    /// No money leaves the account.
    Debits,
    /// No money comes in.
    Credits,
    /// No money moves.
    Both,
}

impl Blocks {
    const ALL: [Self; 3] = [Self::Debits, Self::Credits, Self::Both];

    /// The name in the database.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Debits => "debits",
            Self::Credits => "credits",
            Self::Both => "both",
        }
    }

    /// The direction with this name.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|blocks| blocks.as_str() == name)
    }
}

/// The limits of an account besides its overdraft. `None`: no such limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct SpendingLimits {
    /// The most of one transfer.
    pub(crate) transfer: Option<Amount>,
    /// The most that leaves the account on one day, in the bank's time zone.
    pub(crate) daily: Option<Amount>,
    /// The most that leaves the account in one month, in the bank's time zone.
    pub(crate) monthly: Option<Amount>,
    /// The least that must stay on the account.
    pub(crate) minimum_balance: Option<Amount>,
}

impl SpendingLimits {
    /// The limit of this kind.
    pub(crate) const fn get(&self, kind: SpendingLimit) -> Option<Amount> {
        match kind {
            SpendingLimit::Transfer => self.transfer,
            SpendingLimit::Daily => self.daily,
            SpendingLimit::Monthly => self.monthly,
            SpendingLimit::MinimumBalance => self.minimum_balance,
        }
    }
}

/// The kinds of [`SpendingLimits`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SpendingLimit {
    Transfer,
    Daily,
    Monthly,
    MinimumBalance,
}

impl SpendingLimit {
    pub(crate) const ALL: [Self; 4] =
        [Self::Transfer, Self::Daily, Self::Monthly, Self::MinimumBalance];
}

/// The ledger's reason for not locking an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum CloseRefusal {
    BalanceNotZero,
    HoldsOpen,
    PayoutRejected,
    AccountFrozen,
    InterestOwed,
    InterestNotSettled,
    /// A reason of a later ledger. The closing ends all the same, and the code is
    /// announced as it arrived.
    Other(UnknownCode),
}

impl CloseRefusal {
    /// The code in the history. In the contract it has the same name.
    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::BalanceNotZero => "balance_not_zero",
            Self::HoldsOpen => "holds_open",
            Self::PayoutRejected => "payout_rejected",
            Self::AccountFrozen => "account_frozen",
            Self::InterestOwed => "interest_owed",
            Self::InterestNotSettled => "interest_not_settled",
            Self::Other(code) => code.as_str(),
        }
    }
}
