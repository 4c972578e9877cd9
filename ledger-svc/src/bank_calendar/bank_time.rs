//! The bank's day and the days that can be booked on, at an instant of the ledger.

use chrono_tz::Tz;

use crate::{
    legacy::domain::{BookingDates, Now},
    legacy::store::periods::Clock,
};

/// How the bank reads its clock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BankTime {
    zone: Tz,
    days_ahead: u16,
}

impl BankTime {
    /// In the bank's time zone; booking dates may lie so many days after today.
    pub(crate) const fn new(zone: Tz, days_ahead: u16) -> Self {
        Self { zone, days_ahead }
    }

    /// What the clock says, as the rules need it.
    pub(crate) fn now(self, clock: Clock) -> Now {
        let Clock { instant, closed_through } = clock;
        let bookable = BookingDates { closed_through, days_ahead: self.days_ahead };
        Now { instant, today: instant.with_timezone(&self.zone).date_naive(), bookable }
    }
}
