//! Schedules: single dates, and dates every so many days, weeks or months.

use chrono::NaiveDate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The maximal number of days, weeks or months from one date to the next.
pub const SCHEDULE_EVERY_MAX: u32 = 366;
/// The maximal number of dates to which a schedule can be limited.
pub const SCHEDULE_TIMES_MAX: u32 = 10_000;
/// The maximal number of days between today and the first day, before or after.
pub const SCHEDULE_DAYS_MAX: i64 = 3_660;

/// A schedule. Each date is after the one before; no date is before `first` or after `last`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Schedule {
    /// The first day that can be a date: at most 3,660 days from today, before or after. The first
    /// date is this day, or the next day that the repetition allows.
    pub first: NaiveDate,
    /// The repetition; one date if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeat: Option<Repeat>,
    /// The last day that can be a date: not before `first`, not after the year 2199; no end if
    /// absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<NaiveDate>,
    /// The maximal number of dates, 1 to 10,000; no maximum if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 10_000))]
    pub times: Option<u32>,
}

/// The repetition of a schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Repeat {
    /// Every so many days.
    Days {
        /// The number of days, weeks or months between two dates, 1 to 366.
        #[schemars(range(min = 1, max = 366))]
        every: u32,
    },
    /// On a day of the week, every so many weeks.
    Weeks {
        /// The number of days, weeks or months between two dates, 1 to 366.
        #[schemars(range(min = 1, max = 366))]
        every: u32,
        /// The day of the week.
        on: Weekday,
    },
    /// On a day of the month, every so many months.
    Months {
        /// The number of days, weeks or months between two dates, 1 to 366.
        #[schemars(range(min = 1, max = 366))]
        every: u32,
        /// The day of the month, 1 to 31; in a shorter month, the last day. So 31 is always the
        /// last day.
        #[schemars(range(min = 1, max = 31))]
        day: u32,
    },
}

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Weekday {
    /// The first by ISO 8601.
    Monday,
    /// The second.
    Tuesday,
    /// The third.
    Wednesday,
    /// The fourth.
    Thursday,
    /// The fifth.
    Friday,
    /// The sixth.
    Saturday,
    /// The last.
    Sunday,
}

impl From<chrono::Weekday> for Weekday {
    fn from(day: chrono::Weekday) -> Self {
        match day {
            chrono::Weekday::Mon => Self::Monday,
            chrono::Weekday::Tue => Self::Tuesday,
            chrono::Weekday::Wed => Self::Wednesday,
            chrono::Weekday::Thu => Self::Thursday,
            chrono::Weekday::Fri => Self::Friday,
            chrono::Weekday::Sat => Self::Saturday,
            chrono::Weekday::Sun => Self::Sunday,
        }
    }
}

impl From<Weekday> for chrono::Weekday {
    fn from(day: Weekday) -> Self {
        match day {
            Weekday::Monday => Self::Mon,
            Weekday::Tuesday => Self::Tue,
            Weekday::Wednesday => Self::Wed,
            Weekday::Thursday => Self::Thu,
            Weekday::Friday => Self::Fri,
            Weekday::Saturday => Self::Sat,
            Weekday::Sunday => Self::Sun,
        }
    }
}

/// The treatment of a date that is not a banking day: a weekend, a holiday of TARGET (the
/// Eurosystem's payment system), or another holiday of the bank.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HolidayRule {
    /// The date is executed on the next banking day.
    #[default]
    After,
    /// The date is executed on the banking day before.
    Before,
    /// The date is left out, and counts as one of the `times`.
    Skip,
    /// The date is executed on the day itself.
    Same,
}
