//! The bank's calendar: which day it is, which days can be booked on, which days are banking days.
//!
//! ```text
//! bank_time      the bank's time zone: an instant of the ledger becomes the bank's day
//! booking_dates  the days that can be booked on
//! banking_days   weekends, the holidays of TARGET and the bank's own
//! repo           the ledger's clock
//! ```

mod bank_time;
mod banking_days;
mod booking_dates;
pub(crate) mod repo;

pub use bank_time::Now;
pub(crate) use bank_time::{BankTime, Clock};
pub use banking_days::{Calendar, HolidayRule, InvalidCalendar};
pub use booking_dates::{BOOKING_DAYS_AHEAD, BOOKING_YEARS, BookingDates, NotBookable};
