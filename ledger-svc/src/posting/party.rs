//! A party of an instruction: a customer's account or an internal account.

use shared_events::{AccountId, Currency, ledger::AccountCode};

use crate::accounts::internal_account_id;

/// A party of an instruction: a customer's account by its id, an internal account by its code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Party {
    /// A customer's account.
    AccountId(AccountId),
    /// An internal account.
    Code(AccountCode),
}

impl Party {
    /// The id of the party's account for this currency. `None`: the bank has no such code.
    pub(crate) fn account_id(&self, currency: Currency) -> Option<AccountId> {
        match self {
            Self::AccountId(id) => Some(*id),
            Self::Code(code) => code.is_known().then(|| internal_account_id(code, currency)),
        }
    }
}
