//! Banking days. Promise: weekends, the holidays of TARGET and the bank's own holidays are no banking
//! days; there is a banking day within weeks of any day.
//!
//! TARGET, the Eurosystem's payment system, is closed on 1 January, Good Friday, Easter Monday, 1
//! May, 25 and 26 December (European Central Bank, long-term calendar since 2002).

use std::collections::BTreeSet;

use chrono::{Datelike, Days, NaiveDate, Weekday};
use serde::Deserialize;

/// The most days that a bank names itself: with more there might be no banking day left.
const OWN_HOLIDAYS_MAX: usize = 40;

/// The day on which a date that is no banking day is executed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HolidayRule {
    /// On the next banking day.
    #[default]
    After,
    /// On the banking day before.
    Before,
    /// On no day: the date is left out.
    Skip,
    /// On the date itself.
    Same,
}

/// The banking days.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Calendar {
    /// Month and day of holidays that come back each year.
    yearly: BTreeSet<(u32, u32)>,
    once: BTreeSet<NaiveDate>,
}

/// A text that names no holidays.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidCalendar {
    /// The text is neither a day of each year nor a day.
    #[error("not a holiday such as 07-05 or 2027-07-05: {0:?}")]
    NoDay(String),
    /// The text names too many days.
    #[error("at most {OWN_HOLIDAYS_MAX} holidays")]
    TooMany,
}

impl TryFrom<String> for Calendar {
    type Error = InvalidCalendar;

    /// Reads the bank's own holidays: `07-05,09-28,2027-03-01`.
    fn try_from(text: String) -> Result<Self, InvalidCalendar> {
        let mut calendar = Self::default();
        for day in text.split(',').map(str::trim).filter(|day| !day.is_empty()) {
            let read = |text: &str| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok();
            // A leap year: 29 February is a day of some years.
            match (read(day), read(&format!("2000-{day}"))) {
                (Some(day), _) => drop(calendar.once.insert(day)),
                (None, Some(day)) => drop(calendar.yearly.insert((day.month(), day.day()))),
                (None, None) => return Err(InvalidCalendar::NoDay(day.to_owned())),
            }
        }
        match calendar.yearly.len() + calendar.once.len() > OWN_HOLIDAYS_MAX {
            true => Err(InvalidCalendar::TooMany),
            false => Ok(calendar),
        }
    }
}

impl Calendar {
    /// Whether the bank works on this day.
    #[must_use]
    pub fn is_banking_day(&self, day: NaiveDate) -> bool {
        let weekend = matches!(day.weekday(), Weekday::Sat | Weekday::Sun);
        let own = self.yearly.contains(&(day.month(), day.day())) || self.once.contains(&day);
        !weekend && !own && !is_target_holiday(day)
    }

    /// The day on which a date is executed. `None`: it is left out.
    #[must_use]
    pub fn day_of(&self, date: NaiveDate, rule: HolidayRule) -> Option<NaiveDate> {
        match rule {
            HolidayRule::Same => Some(date),
            HolidayRule::Skip => Some(date).filter(|day| self.is_banking_day(*day)),
            HolidayRule::After => date.iter_days().find(|day| self.is_banking_day(*day)),
            HolidayRule::Before => {
                let mut back = std::iter::successors(Some(date), NaiveDate::pred_opt);
                back.find(|day| self.is_banking_day(*day))
            }
        }
    }

    /// The next day of another attempt: a banking day, or any day if the rule is `Same`.
    #[must_use]
    pub fn next_day(&self, day: NaiveDate, rule: HolidayRule) -> Option<NaiveDate> {
        let any = rule == HolidayRule::Same;
        day.iter_days().skip(1).find(|next| any || self.is_banking_day(*next))
    }
}

fn is_target_holiday(day: NaiveDate) -> bool {
    let fixed = matches!((day.month(), day.day()), (1 | 5, 1) | (12, 25 | 26));
    let easter = easter_sunday(day.year());
    let good_friday = easter.and_then(|sunday| sunday.checked_sub_days(Days::new(2)));
    let easter_monday = easter.and_then(|sunday| sunday.checked_add_days(Days::new(1)));
    fixed || good_friday == Some(day) || easter_monday == Some(day)
}

/// Easter of the Gregorian calendar (J.-M. Oudin 1940, as in the Explanatory Supplement to the
/// Astronomical Almanac).
fn easter_sunday(year: i32) -> Option<NaiveDate> {
    let century = year / 100;
    let golden = year % 19;
    let corrected = (century - (century - 17) / 25) / 3;
    let epact = (century - century / 4 - corrected + 19 * golden + 15) % 30;
    let moon = epact - (epact / 28) * (1 - (29 / (epact + 1)) * ((21 - golden) / 11));
    let weekday = (year + year / 4 + moon + 2 - century + century / 4) % 7;
    let offset = moon - weekday;
    let month = 3 + (offset + 40) / 44;
    let day = offset + 28 - 31 * (month / 4);
    NaiveDate::from_ymd_opt(year, u32::try_from(month).ok()?, u32::try_from(day).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a day")
    }

    #[test]
    fn easter_is_when_the_church_says() {
        for easter in [
            "1818-03-22",
            "1943-04-25",
            "1961-04-02",
            "2000-04-23",
            "2008-03-23",
            "2011-04-24",
            "2024-03-31",
            "2025-04-20",
            "2026-04-05",
            "2027-03-28",
            "2038-04-25",
            "2049-04-18",
            "2076-04-19",
        ] {
            let easter = day(easter);
            assert_eq!(easter_sunday(easter.year()), Some(easter));
        }
    }

    #[test]
    fn target_is_closed_on_six_days_besides_weekends() {
        let calendar = Calendar::default();
        let closed: Vec<String> = day("2026-01-01")
            .iter_days()
            .take_while(|day| day.year() == 2026)
            .filter(|day| day.weekday().num_days_from_monday() < 5)
            .filter(|day| !calendar.is_banking_day(*day))
            .map(|day| day.to_string())
            .collect();
        // 26 December is a Saturday.
        let expected = ["2026-01-01", "2026-04-03", "2026-04-06", "2026-05-01", "2026-12-25"];
        assert_eq!(closed, expected);
    }

    #[test]
    fn a_bank_names_its_own_holidays() {
        let own = Calendar::try_from("07-06, 2026-11-17".to_owned()).expect("two holidays");
        for (text, banking) in [
            ("2026-07-06", false),
            ("2027-07-06", false),
            ("2026-11-17", false),
            ("2027-11-17", true),
        ] {
            assert_eq!(own.is_banking_day(day(text)), banking, "{text}");
        }
        assert_eq!(Calendar::try_from(String::new()), Ok(Calendar::default()));
        let wrong = Calendar::try_from("07-32".to_owned()).expect_err("no such day");
        assert_eq!(wrong.to_string(), r#"not a holiday such as 07-05 or 2027-07-05: "07-32""#);
        let many: Vec<String> =
            (0..41).map(|n| format!("2026-{:02}-{:02}", 1 + n / 28, 1 + n % 28)).collect();
        assert_eq!(Calendar::try_from(many.join(",")), Err(InvalidCalendar::TooMany));
    }

    #[test]
    fn a_date_is_executed_where_its_rule_says() {
        let calendar = Calendar::default();
        // Good Friday to Easter Monday.
        for (date, after, before) in [
            ("2026-04-02", "2026-04-02", "2026-04-02"),
            ("2026-04-03", "2026-04-07", "2026-04-02"),
            ("2026-04-05", "2026-04-07", "2026-04-02"),
            ("2026-04-06", "2026-04-07", "2026-04-02"),
        ] {
            let date = day(date);
            assert_eq!(calendar.day_of(date, HolidayRule::After), Some(day(after)));
            assert_eq!(calendar.day_of(date, HolidayRule::Before), Some(day(before)));
            assert_eq!(calendar.day_of(date, HolidayRule::Same), Some(date));
            let skipped = calendar.day_of(date, HolidayRule::Skip);
            assert_eq!(skipped, Some(date).filter(|date| *date == day("2026-04-02")));
        }
        let thursday = day("2026-04-02");
        assert_eq!(calendar.next_day(thursday, HolidayRule::After), Some(day("2026-04-07")));
        assert_eq!(calendar.next_day(thursday, HolidayRule::Same), Some(day("2026-04-03")));
    }
}
