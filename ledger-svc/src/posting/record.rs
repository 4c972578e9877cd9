//! The record of an instruction and its outcome. Promise: an instruction has one outcome for ever.

use chrono::{DateTime, NaiveDate, Utc};
use shared_events::{AccountId, CommandId};

use super::{
    instruction::Instruction,
    kinds::{Kind, MultiLeg},
    lock_set::LockSet,
    outcome::{InstructionOutcome, PostedLeg},
    reason::RejectReason,
};

/// A decided instruction: the instruction, and its outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalRecord {
    /// The instruction.
    pub instruction: Instruction,
    /// The command that first carried the instruction; of the ledger's own, an id that it made.
    pub command_id: CommandId,
    /// The instant of the decision, by the database's clock.
    pub decided_at: DateTime<Utc>,
    /// The booking date.
    pub booking_date: NaiveDate,
    /// The value date.
    pub value_date: NaiveDate,
    /// The outcome.
    pub outcome: InstructionOutcome,
}

/// A record, with the digest of its instruction's content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decided {
    /// The digest of the instruction as it was submitted.
    pub digest: [u8; 32],
    /// The record.
    pub record: JournalRecord,
}

impl JournalRecord {
    /// The posted legs; none if no money moved.
    #[must_use]
    pub fn posted_legs(&self) -> &[PostedLeg] {
        self.outcome.posted().map_or(&[], |posted| &posted.legs)
    }

    /// The accounts that the instruction names, and those that it has changed.
    pub(crate) fn accounts(&self) -> Vec<AccountId> {
        let mut set = LockSet::default();
        self.instruction.refers(&mut set);
        let named = set.account_ids().into_iter().map(AccountId);
        let posted = self.posted_legs().iter().map(|leg| leg.account.account_id);
        let mut all: Vec<AccountId> = named.chain(posted).collect();
        match &self.outcome {
            InstructionOutcome::Held(held) => {
                all.extend([held.debtor.account_id, held.creditor.account_id]);
            }
            InstructionOutcome::Released(released) => {
                all.extend([released.debtor.account_id, released.creditor.account_id]);
            }
            InstructionOutcome::Posted(_) | InstructionOutcome::Rejected(_) => {}
        }
        all
    }
}

/// The instruction as the journal keeps it. Text and dates that break the rules are left out, since
/// no database takes all of them, and so are legs beyond the limit. The digest still tells one such
/// instruction from another.
pub(super) fn storable(instruction: Instruction, outcome: &InstructionOutcome) -> Instruction {
    match outcome.rejection() {
        Some(RejectReason::InvalidText) => {
            Instruction { reference: None, end_to_end_id: None, ..instruction }
        }
        Some(RejectReason::InvalidBookingDate | RejectReason::InvalidValueDate) => {
            Instruction { booking_date: None, value_date: None, ..instruction }
        }
        // Only an instruction of several legs has too many.
        Some(RejectReason::TooManyLegs) => {
            Instruction { kind: Kind::MultiLeg(MultiLeg { legs: vec![] }), ..instruction }
        }
        Some(_) | None => instruction,
    }
}
