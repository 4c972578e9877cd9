//! Interest and fees: the terms of an account, the interest of each day, and its capitalisation once
//! a month.
//!
//! ```text
//! terms           the terms of an account, and the rules for them
//! accrual         the interest of a day, and of a period
//! capitalisation  a month's interest and fee become postings
//! settlement      the interest of accounts that are to be closed
//! command         setting terms
//! query           the interest of a period, day by day
//! job             capitalises the months that are over
//! repo, repo_due  the tables of terms and capitalised months; the due months with their balances
//! ```

mod accrual;
mod capitalisation;
pub(crate) mod command;
mod job;
pub(crate) mod query;
pub(crate) mod repo;
pub(crate) mod repo_due;
mod settlement;
mod terms;

pub(crate) use accrual::ACCRUAL_DIGITS;
pub use accrual::{AccruedDay, Bearing, TooMuchInterest, day_fraction, next_month};
pub use capitalisation::{Capitalised, Charge, DueMonth, MonthlyInterest, capitalise, charge_id};
pub(crate) use job::{CapitalisedMonths, InterestJob};
pub use settlement::{NotSettled, Settlement};
pub use terms::{AtClosing, DayCount, InterestTerms, check_terms};
pub(crate) use terms::{INTEREST_RATE_DIGITS_MAX, INTEREST_RATE_MAX, TERMS_DAYS_MAX};
