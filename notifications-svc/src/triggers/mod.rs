//! Triggers: the holders that an event concerns, and the facts for each. Promise: of a transfer
//! each customer on either side is notified once, of legs each customer of their own; of a rejected
//! transfer and of a hold the debtor; internal accounts of the bank are never notified.
//!
//! ```text
//! facts    the parts of an event that the rules need, borrowed from the message
//! rules    facts ──> triggers
//! trigger  one account and the payload of its notification
//! payload  the facts of one notification, as they are stored and as a webhook carries them
//! ```

mod facts;
mod payload;
pub(crate) mod rules;
mod trigger;

pub(crate) use facts::{
    AccountAfter, Booking, DebtorParty, PostedLeg, PostedLegs, PostedTransfer, RejectedTransfer,
};
pub(crate) use payload::{
    Blocks, EndedHold, Freeze, Movement, NotificationPayload, PlacedHold, Rejection, ReleaseCause,
};
pub(crate) use trigger::NotificationTrigger;
