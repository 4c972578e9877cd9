//! The outcome of an instruction, and the record of both. Promise: an instruction has one outcome
//! for ever.

use chrono::{DateTime, NaiveDate, Utc};
use shared_events::{Amount, CommandId, Money, TransferId, ledger::Direction};

use super::{
    instruction::Instruction,
    kinds::{Kind, MultiLeg},
    reason::RejectReason,
};
use crate::accounts::AccountAfter;

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

/// The outcome of an instruction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InstructionOutcome {
    /// Money moved.
    Posted(Posted),
    /// Money was reserved.
    Held(Held),
    /// Reserved money was released.
    Released(Released),
    /// Nothing happened.
    Rejected(Rejected),
}

impl InstructionOutcome {
    /// The posted legs, if the outcome has any.
    pub(crate) const fn posted(&self) -> Option<&Posted> {
        match self {
            Self::Posted(posted) => Some(posted),
            Self::Held(_) | Self::Released(_) | Self::Rejected(_) => None,
        }
    }

    /// The reason for the rejection, if the outcome is one.
    pub(crate) const fn rejection(&self) -> Option<RejectReason> {
        match self {
            Self::Rejected(rejected) => Some(rejected.reason),
            Self::Posted(_) | Self::Held(_) | Self::Released(_) => None,
        }
    }
}

/// Money moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Posted {
    /// The legs in the order of posting: of a transfer the debtor's, then the creditor's.
    pub legs: Vec<PostedLeg>,
    /// The hold of a capture.
    pub hold: Option<HoldAfter>,
    /// The transfer that a reversal reverses.
    pub reverses: Option<TransferId>,
}

/// A posted leg.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostedLeg {
    /// The account after the leg.
    pub account: AccountAfter,
    /// Debit or credit.
    pub direction: Direction,
    /// The amount.
    pub money: Money,
}

/// A hold as a capture left it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HoldAfter {
    /// The hold.
    pub hold_id: TransferId,
    /// The amount that is still reserved.
    pub remaining: Amount,
    /// The amount that the capture released.
    pub released: Amount,
}

/// Money was reserved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The debtor's account after the hold.
    pub debtor: AccountAfter,
    /// The creditor's account after the hold.
    pub creditor: AccountAfter,
    /// The reserved amount.
    pub money: Money,
    /// The instant at which the hold expires.
    pub expires_at: DateTime<Utc>,
}

/// The cause of a release.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReleaseCause {
    /// An instruction.
    Released,
    /// The hold's time was over.
    Expired,
    /// The last capture.
    Captured,
}

/// Reserved money was released.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Released {
    /// The hold.
    pub hold_id: TransferId,
    /// The cause.
    pub cause: ReleaseCause,
    /// The debtor's account after the release.
    pub debtor: AccountAfter,
    /// The creditor's account after the release.
    pub creditor: AccountAfter,
    /// The released amount.
    pub money: Money,
}

/// Nothing happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// The reason.
    pub reason: RejectReason,
    /// The debtor's account, if there is one.
    pub account: Option<AccountAfter>,
}

impl JournalRecord {
    /// The posted legs; none if no money moved.
    #[must_use]
    pub fn posted_legs(&self) -> &[PostedLeg] {
        self.outcome.posted().map_or(&[], |posted| &posted.legs)
    }
}

impl Posted {
    /// The debit and the credit, if money moved from one debtor to one creditor.
    pub(crate) fn two_sides(&self) -> Option<[&PostedLeg; 2]> {
        match self.legs.as_slice() {
            [debit, credit]
                if (debit.direction, credit.direction) == (Direction::Debit, Direction::Credit) =>
            {
                Some([debit, credit])
            }
            _ => None,
        }
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
