//! On which dates something is to happen: once, or every so many days, weeks or months.

use chrono::NaiveDate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The most days, weeks or months from one date to the next.
pub const SCHEDULE_EVERY_MAX: u32 = 366;
/// The most dates that a schedule can be limited to.
pub const SCHEDULE_TIMES_MAX: u32 = 10_000;
/// How many days the first day may be before or after today.
pub const SCHEDULE_DAYS_MAX: i64 = 3_660;

/// Dates: each is after the one before, none is before `first` or after `last`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Schedule {
    /// The first day that can be a date: at most 3,660 days from today, before or after. The first
    /// date is this day, or the next one that the repetition asks for.
    pub first: NaiveDate,
    /// How it goes on; once if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeat: Option<Repeat>,
    /// The last day that can be a date: not before `first`, not after the year 2199; without end if
    /// not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<NaiveDate>,
    /// How many dates there are at most, 1 to 10,000; any number if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 10_000))]
    pub times: Option<u32>,
}

/// How a schedule goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Repeat {
    /// Every so many days.
    Days {
        /// How many, 1 to 366.
        #[schemars(range(min = 1, max = 366))]
        every: u32,
    },
    /// On a day of the week, every so many weeks.
    Weeks {
        /// How many, 1 to 366.
        #[schemars(range(min = 1, max = 366))]
        every: u32,
        /// Which day of the week.
        on: Weekday,
    },
    /// On a day of the month, every so many months.
    Months {
        /// How many, 1 to 366.
        #[schemars(range(min = 1, max = 366))]
        every: u32,
        /// Which day, 1 to 31; the last day of a month that is shorter. So 31 is always the last.
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

/// What happens on a date that is no banking day: a weekend, a holiday of TARGET (the Eurosystem's
/// payment system), or another that the bank keeps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HolidayRule {
    /// It is done on the next banking day.
    #[default]
    After,
    /// It is done on the banking day before.
    Before,
    /// It is left out. It counts as one of the `times` all the same.
    Skip,
    /// It is done on the day itself.
    Same,
}
