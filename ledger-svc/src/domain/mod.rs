//! The rules of the ledger, as values in and values out: no clock, no ids, no database.

mod account;
mod books;
mod calendar;
mod capitalise;
mod carry;
mod currency;
mod dates;
mod digits;
mod due;
mod execute;
mod follow;
mod form;
mod hold;
mod interest;
mod monitor;
mod order;
mod plan;
mod record;
mod rule;
mod schedule;
mod settle;
mod tracked;

pub use account::{Account, Limits, Spent, Status, own_account_id};
pub use books::{Books, Decided, Loaded, Outcome};
pub use calendar::{Calendar, InvalidCalendar};
pub use capitalise::{Capitalised, Charge, DueMonth, MonthlyInterest, charge_id};
pub use dates::BookingDates;
pub use execute::{Attempt, Execution, execution_id};
pub use follow::{AccountEvent, Followed};
pub use form::BOOKING_YEARS;
pub use hold::Held;
pub use interest::{Bearing, TooMuchInterest, check_terms, day_fraction, next_month};
pub use monitor::Monitor;
pub use order::{Due, Order, check_order};
pub use plan::Now;
pub(crate) use plan::account_id;
pub use record::{expiry_id, is_own_id, own_id, payout_id, posted_legs, two_sides};
pub use rule::BrokenRule;

#[cfg(test)]
mod properties;
