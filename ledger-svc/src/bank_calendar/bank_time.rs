//! The bank's day, and the days that can be booked on, at an instant of the ledger.

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;

use super::booking_dates::BookingDates;

/// The ledger's clock, as the database reads it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    /// The database's clock, or the ledger's last decision if the clock has gone back.
    pub(crate) instant: DateTime<Utc>,
    /// The last day of the closed periods, if any period is closed.
    pub(crate) closed_through: Option<NaiveDate>,
}

/// The time of a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// The instant, by the database's clock; never before an earlier decision of the ledger.
    pub instant: DateTime<Utc>,
    /// The bank's day.
    pub today: NaiveDate,
    /// The days that can be booked on.
    pub bookable: BookingDates,
}

impl Now {
    /// The booking date of an instruction that names none.
    #[must_use]
    pub fn booking_day(self) -> NaiveDate {
        let open = self.bookable.closed_through.and_then(|closed| closed.succ_opt());
        open.map_or(self.today, |open| open.max(self.today))
    }
}

/// The bank's reading of the clock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BankTime {
    zone: Tz,
    days_ahead: u16,
}

impl BankTime {
    /// In the bank's time zone; booking dates may lie up to `days_ahead` days after today.
    pub(crate) const fn new(zone: Tz, days_ahead: u16) -> Self {
        Self { zone, days_ahead }
    }

    /// The time of a decision at this reading of the clock.
    pub(crate) fn now(self, clock: Clock) -> Now {
        let Clock { instant, closed_through } = clock;
        let bookable = BookingDates { closed_through, days_ahead: self.days_ahead };
        Now { instant, today: instant.with_timezone(&self.zone).date_naive(), bookable }
    }
}
