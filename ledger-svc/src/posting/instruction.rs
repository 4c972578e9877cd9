//! An instruction: an order to move or to reserve money. The kinds and their rules stand in
//! [`kinds`](super::kinds).

use chrono::NaiveDate;
use shared_events::TransferId;

use super::{kinds::Kind, lock_set::LockSet};

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

    /// Adds all that the instruction refers to.
    pub(crate) fn refers(&self, set: &mut LockSet) {
        set.id(self.transfer_id);
        self.kind.rules().refers(set);
    }
}
