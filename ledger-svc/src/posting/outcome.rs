//! The outcome of an instruction: what the accounts show after it, or the reason for its rejection.

use chrono::{DateTime, Utc};
use shared_events::{Amount, Money, TransferId, ledger::Direction};

use super::reason::RejectReason;
use crate::accounts::AccountAfter;

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
