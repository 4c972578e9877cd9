//! What the journal keeps of an instruction.

use shared_events::{
    AccountId, TransferId,
    ledger::{
        Action, Direction, Instruction, InstructionOutcome, JournalRecord, Legs, PostedLeg,
        RejectReason,
    },
};
use uuid::{Builder, Uuid, Variant};

/// Text that breaks the rules is not kept: no database takes all of it. Nor are legs beyond number.
/// The digest still tells one such instruction from another.
pub(crate) fn storable(instruction: Instruction, outcome: &InstructionOutcome) -> Instruction {
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

/// The id of something that the ledger does by itself: a UUID of version 8, whose content is the
/// maker's own (RFC 9562, 5.8); here it follows from what it is about and a name, as a version 5
/// does. Whoever does it, it is done once; and as nobody else may give such an id
/// ([`is_own_id`]), nobody can be there first.
#[must_use]
pub fn own_id(about: Uuid, name: &str) -> Uuid {
    let derived = Uuid::new_v5(&about, name.as_bytes());
    Builder::from_custom_bytes(derived.into_bytes()).into_uuid()
}

/// Whether only the ledger may give this id.
#[must_use]
pub fn is_own_id(id: TransferId) -> bool {
    id.uuid().get_variant() == Variant::RFC4122 && id.uuid().get_version_num() == 8
}

/// The id of the instruction by which the ledger ends a hold whose time is over.
#[must_use]
pub fn expiry_id(hold: TransferId) -> TransferId {
    TransferId(own_id(hold.uuid(), "expiry"))
}

/// The id of the transfer by which the ledger empties an account that is closed.
#[must_use]
pub fn payout_id(account: AccountId, version: i64) -> TransferId {
    TransferId(own_id(account.uuid(), &format!("payout:{version}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ledgers_own_ids_are_known_as_such_and_nobody_elses_are() {
        let hold = TransferId(Uuid::from_u128(1));
        assert_eq!(expiry_id(hold).to_string(), "574d2d16-5e00-8fa2-9934-135a70599b2c");
        for own in [expiry_id(hold), payout_id(AccountId(hold.uuid()), 3)] {
            assert!(is_own_id(own), "{own}");
        }
        let of_clients = [Uuid::new_v5(&hold.uuid(), b"expiry"), Uuid::now_v7(), Uuid::max()];
        for other in of_clients {
            assert!(!is_own_id(TransferId(other)), "{other}");
        }
    }
}
