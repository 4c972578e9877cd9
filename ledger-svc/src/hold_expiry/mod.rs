//! The expiry of holds: a hold whose time is over is released.
//!
//! ```text
//! rules   the release of one hold
//! job     releases the holds that are due
//! ```

mod job;
mod rules;

pub(crate) use job::{ExpiredHolds, HoldExpiry};
pub use rules::expire;
