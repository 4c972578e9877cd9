//! The usage of an account's limits. Promise: a day that has begun for the account never comes
//! again: if the clock goes back, the amounts of the later day still count.

use chrono::{Datelike, NaiveDate};
use shared_events::Total;

/// Before the first day of any bank.
const LONG_AGO: NaiveDate = NaiveDate::from_ymd_opt(1900, 1, 1).expect("a day");

/// The amounts that an account has posted to others and reserved for them, lately.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LimitUsage {
    /// The last day with any usage.
    pub day: NaiveDate,
    /// The amount of that day.
    pub on_day: Total,
    /// The amount of that day's month, up to that day.
    pub in_month: Total,
}

impl LimitUsage {
    /// No usage.
    pub const NOTHING: Self = Self { day: LONG_AGO, on_day: Total::ZERO, in_month: Total::ZERO };

    /// The usage as seen on `today`.
    pub(super) fn on(&self, today: NaiveDate) -> Self {
        let day = self.day.max(today);
        let same_month = (self.day.year(), self.day.month()) == (day.year(), day.month());
        Self {
            day,
            on_day: if self.day == day { self.on_day } else { Total::ZERO },
            in_month: if same_month { self.in_month } else { Total::ZERO },
        }
    }

    /// The usage after an amount. Below zero: an amount that was reserved on `since` and is not
    /// spent after all.
    #[must_use]
    pub(super) fn plus(&self, amount: Total, since: NaiveDate, today: NaiveDate) -> Self {
        let mut usage = self.on(today);
        let since = if since == today { usage.day } else { since };
        if since == usage.day {
            usage.on_day = usage.on_day.plus_at_most(amount).max(Total::ZERO);
        }
        if (since.year(), since.month()) == (usage.day.year(), usage.day.month()) {
            usage.in_month = usage.in_month.plus_at_most(amount).max(Total::ZERO);
        }
        usage
    }
}
