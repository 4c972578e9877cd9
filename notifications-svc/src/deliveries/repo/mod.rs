//! The tables of deliveries and attempts. Promise: one function is one statement; a batch of any
//! size is one statement, too.
//!
//! ```text
//! deliveries   made, listed, sent again
//! claims       due deliveries, their claims, and the ends of claims
//! attempts     the results of attempts
//! ```

mod attempts;
mod claims;
mod deliveries;

pub(crate) use attempts::{AttemptRow, insert_attempts_in_tx};
pub(crate) use claims::{
    ClaimResult, UnreadableDelivery, backlog_in_tx, claim_in_tx, due_in_tx, set_aside_in_tx,
    settle_in_tx,
};
pub(crate) use deliveries::{insert_in_tx, of_notifications_in_tx, recover_in_tx, resend_in_tx};
