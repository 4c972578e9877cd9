//! The accounts that a role may debit. Promise: a role that is given none debits none.

/// The bank's own accounts that a role may debit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnAccounts {
    /// None.
    None,
    /// Cash.
    Cash,
    /// All of them.
    All,
}

/// The accounts that a role may debit. Every role that pays may credit any account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Debits {
    /// Whether it may debit customers' accounts.
    pub customers: bool,
    /// The bank's own accounts that it may debit.
    pub own: OwnAccounts,
    /// Whether it may take the money of any posted transfer back from the transfer's creditor.
    pub reversals: bool,
}

impl Debits {
    pub(super) const NONE: Self =
        Self { customers: false, own: OwnAccounts::None, reversals: false };
    pub(super) const OF_CUSTOMERS: Self = Self { customers: true, ..Self::NONE };
    pub(super) const OF_CUSTOMERS_AND_CASH: Self =
        Self { own: OwnAccounts::Cash, ..Self::OF_CUSTOMERS };
    pub(super) const OF_THE_BANK: Self =
        Self { own: OwnAccounts::All, reversals: true, ..Self::NONE };
}
