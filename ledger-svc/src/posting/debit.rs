//! A debit, as far as its author needs a right for it.

use shared_events::{AccountId, Money};

/// A debit that an instruction names.
#[derive(Clone, Copy, Debug)]
pub(super) struct NamedDebit {
    pub(super) account: AccountId,
    pub(super) money: Money,
    pub(super) is_reversal: bool,
}

impl NamedDebit {
    pub(super) const fn new(account: AccountId, money: Money) -> Self {
        Self { account, money, is_reversal: false }
    }
}
