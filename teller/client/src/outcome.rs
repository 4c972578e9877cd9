//! The outcome of a transfer, from an event or from the journal.

use serde::Serialize;
use shared_events::{
    TransferId,
    ledger::{
        Action, Direction, InstructionOutcome, JournalRecord, PostedTransfer, RejectedTransfer,
    },
};

/// The outcome of a transfer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "status", content = "transfer")]
pub enum Outcome {
    /// It was posted.
    Posted(PostedTransfer),
    /// It was rejected; nothing was posted.
    Rejected(RejectedTransfer),
}

impl Outcome {
    /// Of which transfer.
    #[must_use]
    pub const fn transfer_id(&self) -> TransferId {
        match self {
            Self::Posted(transfer) => transfer.transfer_id,
            Self::Rejected(transfer) => transfer.transfer_id,
        }
    }
}

/// The outcome of a transfer from one debtor to one creditor, by its record in the journal.
pub(crate) fn transfer_outcome(record: JournalRecord) -> Option<Outcome> {
    let transfer_id = record.instruction.transfer_id;
    match record.outcome {
        InstructionOutcome::Posted(posted) => {
            let leg = |side| posted.legs.iter().find(|leg| leg.direction == side);
            let (debit, credit) = (leg(Direction::Debit)?, leg(Direction::Credit)?);
            Some(Outcome::Posted(PostedTransfer {
                transfer_id,
                debtor: debit.account.clone(),
                creditor: credit.account.clone(),
                money: debit.money,
                reference: record.instruction.reference,
                end_to_end_id: record.instruction.end_to_end_id,
                booking_date: record.booking_date,
                value_date: Some(record.value_date).filter(|day| *day != record.booking_date),
                hold: posted.hold.clone(),
                reverses: posted.reverses,
            }))
        }
        InstructionOutcome::Rejected(rejected) => {
            let Action::Transfer(payment) = record.instruction.action else { return None };
            Some(Outcome::Rejected(RejectedTransfer {
                transfer_id,
                reason: rejected.reason,
                debtor: payment.debtor,
                creditor: payment.creditor,
                money: payment.money,
                debtor_account: rejected.account,
            }))
        }
        InstructionOutcome::Held(_) | InstructionOutcome::Released(_) => None,
    }
}
