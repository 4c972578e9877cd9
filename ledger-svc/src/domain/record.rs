//! What the journal keeps of an instruction.

use shared_events::{
    AccountId, TransferId,
    ledger::{
        Action, Direction, Instruction, InstructionOutcome, JournalRecord, Legs, PostedLeg,
        RejectReason,
    },
};
use uuid::Uuid;

/// Text that breaks the rules is not kept: no database takes all of it. Nor are legs beyond number.
/// The digest still tells one such instruction from another.
pub(super) fn storable(instruction: Instruction, outcome: &InstructionOutcome) -> Instruction {
    let InstructionOutcome::Rejected(rejected) = outcome else { return instruction };
    match (rejected.reason, &instruction.action) {
        (RejectReason::InvalidText, _) => {
            Instruction { reference: None, end_to_end_id: None, ..instruction }
        }
        (RejectReason::InvalidBookingDate | RejectReason::InvalidValueDate, _) => {
            Instruction { booking_date: None, value_date: None, ..instruction }
        }
        (RejectReason::TooManyLegs, Action::Legs(_)) => {
            Instruction { action: Action::Legs(Legs { legs: vec![] }), ..instruction }
        }
        _ => instruction,
    }
}

/// The legs that were posted, where any were.
#[must_use]
pub fn posted_legs(record: &JournalRecord) -> &[PostedLeg] {
    match &record.outcome {
        InstructionOutcome::Posted(posted) => &posted.legs,
        InstructionOutcome::Held(_)
        | InstructionOutcome::Released(_)
        | InstructionOutcome::Rejected(_) => &[],
    }
}

/// The two sides of what moved from one debtor to one creditor.
#[must_use]
pub fn two_sides(legs: &[PostedLeg]) -> Option<[&PostedLeg; 2]> {
    match legs {
        [debit, credit]
            if (debit.direction, credit.direction) == (Direction::Debit, Direction::Credit) =>
        {
            Some([debit, credit])
        }
        _ => None,
    }
}

/// The id of the instruction by which the ledger ends a hold whose time is over (UUIDv5).
#[must_use]
pub fn expiry_id(hold: TransferId) -> TransferId {
    TransferId(Uuid::new_v5(&hold.uuid(), b"expiry"))
}

/// The id of the transfer by which the ledger empties an account that is closed (UUIDv5).
#[must_use]
pub fn payout_id(account: AccountId, version: i64) -> TransferId {
    TransferId(Uuid::new_v5(&account.uuid(), format!("payout:{version}").as_bytes()))
}
