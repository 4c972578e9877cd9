//! The dates of a schedule. Promise: each date is after the one before, none is outside of the
//! schedule's first and last day, and finding the next date walks over none of the earlier ones.

use chrono::{Datelike, Days, Months, NaiveDate, Weekday};

use crate::refusals::BrokenRule;

/// The most days, weeks or months from one date to the next.
pub(crate) const SCHEDULE_EVERY_MAX: u32 = 366;
/// The most dates to which a schedule can be limited.
pub(crate) const SCHEDULE_TIMES_MAX: u32 = 10_000;
/// How many days before or after today the first day may be.
pub(crate) const SCHEDULE_DAYS_MAX: i64 = 3_660;

/// A schedule: each date is after the one before, none is before `first` or after `last`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// The first day that can be a date.
    pub first: NaiveDate,
    /// The repetition; once if absent.
    pub repeat: Option<Repeat>,
    /// The last day that can be a date; no end if absent.
    pub last: Option<NaiveDate>,
    /// The most dates; any number if absent.
    pub times: Option<u32>,
}

/// The repetition of a schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// Every so many days.
    Days {
        /// The number of days.
        every: u32,
    },
    /// On a day of the week, every so many weeks.
    Weeks {
        /// The number of weeks.
        every: u32,
        /// The day of the week.
        on: Weekday,
    },
    /// On a day of the month, every so many months.
    Months {
        /// The number of months.
        every: u32,
        /// The day, 1 to 31; the last day of a shorter month.
        day: u32,
    },
}

/// The last year with dates.
const YEAR_MAX: i32 = 2199;

/// Whether a schedule keeps the rules. Only a schedule that does has dates.
///
/// # Errors
/// The first rule that a field breaks.
pub fn check_schedule(schedule: &Schedule, today: NaiveDate) -> Result<(), BrokenRule> {
    let Schedule { first, repeat, last, times } = schedule;
    if first.signed_duration_since(today).num_days().abs() > SCHEDULE_DAYS_MAX {
        let rule = format!("at most {SCHEDULE_DAYS_MAX} days before or after today");
        return Err(BrokenRule::new("terms.schedule.first", rule));
    }
    if last.is_some_and(|last| last < *first || last.year() > YEAR_MAX) {
        let rule = format!("not before `first`, nor after the year {YEAR_MAX}");
        return Err(BrokenRule::new("terms.schedule.last", rule));
    }
    if times.is_some_and(|times| !(1..=SCHEDULE_TIMES_MAX).contains(&times)) {
        let rule = format!("1 to {SCHEDULE_TIMES_MAX}");
        return Err(BrokenRule::new("terms.schedule.times", rule));
    }
    let (every, day) = match repeat {
        None => return Ok(()),
        Some(Repeat::Days { every } | Repeat::Weeks { every, .. }) => (*every, 1),
        Some(Repeat::Months { every, day }) => (*every, *day),
    };
    if !(1..=SCHEDULE_EVERY_MAX).contains(&every) {
        let rule = format!("1 to {SCHEDULE_EVERY_MAX}");
        return Err(BrokenRule::new("terms.schedule.repeat.every", rule));
    }
    match (1..=31).contains(&day) {
        true => Ok(()),
        false => Err(BrokenRule::new("terms.schedule.repeat.months.day", "1 to 31")),
    }
}

/// The dates of a schedule on or after a day, in order.
pub fn dates_from(
    schedule: &Schedule,
    day: NaiveDate,
) -> impl Iterator<Item = NaiveDate> + use<'_> {
    // From one date to the next is a day or more, so the date at this index is not too early.
    let days = day.signed_duration_since(schedule.first).num_days().max(0);
    let (mut low, mut high) = (0, u32::try_from(days).unwrap_or(u32::MAX));
    while low < high {
        let middle = low + (high - low) / 2;
        match nth(schedule, middle).is_some_and(|date| date < day) {
            true => low = middle + 1,
            false => high = middle,
        }
    }
    (low..).map_while(move |n| nth(schedule, n))
}

/// The date at this index, from 0.
fn nth(schedule: &Schedule, n: u32) -> Option<NaiveDate> {
    let Schedule { first, repeat, last, times } = schedule;
    let date = match repeat {
        None if n > 0 => None,
        None => Some(*first),
        Some(Repeat::Days { every }) => {
            first.checked_add_days(Days::new(u64::from(*every) * u64::from(n)))
        }
        Some(Repeat::Weeks { every, on }) => {
            let ahead = on.days_since(first.weekday());
            let days = u64::from(ahead) + 7 * u64::from(*every) * u64::from(n);
            first.checked_add_days(Days::new(days))
        }
        Some(Repeat::Months { every, day }) => {
            let over = u32::from(in_month(*first, 0, *day)? < *first);
            in_month(*first, over.checked_add(every.checked_mul(n)?)?, *day)
        }
    };
    let ended = times.is_some_and(|times| n >= times);
    let in_time =
        |date: &NaiveDate| last.is_none_or(|last| *date <= last) && date.year() <= YEAR_MAX;
    date.filter(in_time).filter(|_| !ended)
}

/// The day of the month that is so many months after the month of `first`; the last day of a shorter
/// month.
fn in_month(first: NaiveDate, months: u32, day: u32) -> Option<NaiveDate> {
    let month = first.with_day(1)?.checked_add_months(Months::new(months))?;
    (28..=day).rev().chain([day.min(28)]).find_map(|day| month.with_day(day))
}
