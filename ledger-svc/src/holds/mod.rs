//! Holds: money of a debtor that is reserved for a creditor, until it is captured, released or
//! expired; and the sums of reversals, which limit later ones as a hold limits its captures.
//!
//! ```text
//! entity   the hold, and the rules of its status
//! repo     the tables of holds and reversals
//! ```

mod entity;
pub(crate) mod repo;

pub use entity::{Hold, HoldRefusal, HoldStatus};
