//! The days on which can be booked. Promise: nothing is booked in a closed period; today is always
//! open, or the first day after the period where the clock says that today is closed.

use chrono::{Days, NaiveDate};
use shared_events::ledger::{BOOKING_DAYS_AHEAD, RejectReason};

use crate::legacy::domain::plan::Now;

/// Which booking dates the bank allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BookingDates {
    /// The last day that is closed, if any is.
    pub closed_through: Option<NaiveDate>,
    /// How many days after today a booking date may lie.
    pub days_ahead: u16,
}

impl Default for BookingDates {
    fn default() -> Self {
        Self { closed_through: None, days_ahead: BOOKING_DAYS_AHEAD }
    }
}

impl BookingDates {
    /// Whether a day that was asked for can be booked on.
    pub(crate) fn check(self, day: NaiveDate, today: NaiveDate) -> Result<(), RejectReason> {
        if self.closed_through.is_some_and(|closed| day <= closed) {
            return Err(RejectReason::PeriodClosed);
        }
        match day > self.latest(today) {
            true => Err(RejectReason::BookingDateTooLate),
            false => Ok(()),
        }
    }

    /// The latest day that can be booked on.
    #[must_use]
    pub fn latest(self, today: NaiveDate) -> NaiveDate {
        today.checked_add_days(Days::new(self.days_ahead.into())).unwrap_or(NaiveDate::MAX)
    }
}

impl Now {
    /// The day on which is booked what names none.
    #[must_use]
    pub fn booking_day(self) -> NaiveDate {
        let open = self.bookable.closed_through.and_then(|closed| closed.succ_opt());
        open.map_or(self.today, |open| open.max(self.today))
    }
}
