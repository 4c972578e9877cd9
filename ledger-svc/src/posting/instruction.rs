//! An instruction: an order to move or to reserve money. The kinds and their rules stand in
//! [`kinds`](super::kinds).

use chrono::NaiveDate;
use shared_events::{AccountId, Currency, TransferId, ledger::AccountCode};

use super::kinds::Kind;
use crate::accounts::internal_account_id;

/// An instruction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instruction {
    /// The id: of the transfer, the hold or the release that the instruction leads to.
    pub transfer_id: TransferId,
    /// Instructions of one command with the same group are all done, or none of them is.
    pub group: Option<u32>,
    /// The kind, with its content.
    pub kind: Kind,
    /// The remittance information.
    pub reference: Option<String>,
    /// The debtor's own id of the payment.
    pub end_to_end_id: Option<String>,
    /// The booking date; the day of the posting if absent.
    pub booking_date: Option<NaiveDate>,
    /// The value date; the booking date if absent.
    pub value_date: Option<NaiveDate>,
}

impl Instruction {
    /// An instruction that the ledger gives itself.
    pub(crate) const fn internal(
        transfer_id: TransferId,
        kind: Kind,
        reference: Option<String>,
    ) -> Self {
        Self {
            transfer_id,
            group: None,
            kind,
            reference,
            end_to_end_id: None,
            booking_date: None,
            value_date: None,
        }
    }
}

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
