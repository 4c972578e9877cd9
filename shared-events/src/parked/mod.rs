//! Parked messages of a service: the same queries, commands and events for every service. The names
//! here are the latest versions.

mod owned;
pub mod v1;

pub use owned::{Accounts, Asks, Ledger, Notifications, Of, Owner, Shape};
pub use v1::*;
