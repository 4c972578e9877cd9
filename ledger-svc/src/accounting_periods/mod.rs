//! Accounting periods: the days that are closed for booking.
//!
//! ```text
//! command   closes a period
//! query     the closed days, and the days that can be booked on
//! repo      the table of closed periods, and the closed day at the ends of the chains
//! ```

pub(crate) mod command;
pub(crate) mod query;
mod repo;
