//! The days that can be booked on. Promise: nothing is booked in a closed period; today is always
//! open, or the first day after the closed periods if the clock says that today is closed.

use std::ops::RangeInclusive;

use chrono::{Days, NaiveDate};

/// The years of booking and value dates. Other years are typing errors, and some of them no
/// database can store.
pub const BOOKING_YEARS: RangeInclusive<i32> = 1900..=2199;

/// How many days after today a booking date may lie if the bank is not configured otherwise.
pub const BOOKING_DAYS_AHEAD: u16 = 31;

/// The booking dates that the bank allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BookingDates {
    /// The last day of the closed periods, if any period is closed.
    pub closed_through: Option<NaiveDate>,
    /// How many days after today a booking date may lie.
    pub days_ahead: u16,
}

/// Why a day cannot be booked on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotBookable {
    /// The day lies in a closed period.
    PeriodClosed,
    /// The day is too far ahead.
    TooLate,
}

impl Default for BookingDates {
    fn default() -> Self {
        Self { closed_through: None, days_ahead: BOOKING_DAYS_AHEAD }
    }
}

impl BookingDates {
    /// Whether an instruction may name this booking date.
    ///
    /// # Errors
    /// If the day lies in a closed period, or too far ahead.
    pub fn check(self, day: NaiveDate, today: NaiveDate) -> Result<(), NotBookable> {
        if self.closed_through.is_some_and(|closed| day <= closed) {
            return Err(NotBookable::PeriodClosed);
        }
        match day > self.latest(today) {
            true => Err(NotBookable::TooLate),
            false => Ok(()),
        }
    }

    /// The latest day that can be booked on.
    #[must_use]
    pub fn latest(self, today: NaiveDate) -> NaiveDate {
        today.checked_add_days(Days::new(self.days_ahead.into())).unwrap_or(NaiveDate::MAX)
    }
}
