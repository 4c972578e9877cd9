//! Bank calendar.

pub mod bank_time;
pub mod banking_days;
pub mod booking_dates;
