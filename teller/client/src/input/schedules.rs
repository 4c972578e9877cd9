//! When something is to happen again and again.

use chrono::{Datelike, NaiveDate};
use shared_events::ledger::{Repeat, SCHEDULE_EVERY_MAX, Weekday};

use super::InvalidInput;

const EVERY: &str = "day, week or month, or so many of them such as 2weeks";

/// The repetition of a schedule: every `day`, `2weeks`, `3months`. Weeks have a day of the week and
/// months a day of the month; without one, the day of the first date counts. `None`: once.
pub fn repeat(
    every: Option<&str>,
    (on, day): (Option<&str>, Option<u32>),
    first: NaiveDate,
) -> Result<Option<Repeat>, InvalidInput> {
    let Some(text) = every else {
        unused("on", on.is_some(), "--every week")?;
        unused("day", day.is_some(), "--every month")?;
        return Ok(None);
    };
    let wrong = || InvalidInput::new("every", format!("must be {EVERY}"));
    let unit = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let count = &text[..text.len() - unit.len()];
    let every = if count.is_empty() { 1 } else { count.parse().map_err(|_| wrong())? };
    if !(1..=SCHEDULE_EVERY_MAX).contains(&every) {
        return Err(InvalidInput::new(
            "every",
            format!("must be 1 to {SCHEDULE_EVERY_MAX} of them"),
        ));
    }
    match unit {
        "day" | "days" => {
            unused("on", on.is_some(), "--every week")?;
            unused("day", day.is_some(), "--every month")?;
            Ok(Some(Repeat::Days { every }))
        }
        "week" | "weeks" => {
            unused("day", day.is_some(), "--every month")?;
            let on = on.map_or(Ok(first.weekday().into()), weekday)?;
            Ok(Some(Repeat::Weeks { every, on }))
        }
        "month" | "months" => {
            unused("on", on.is_some(), "--every week")?;
            let day = day.unwrap_or(first.day());
            match (1..=31).contains(&day) {
                true => Ok(Some(Repeat::Months { every, day })),
                false => Err(InvalidInput::new("day", "must be 1 to 31")),
            }
        }
        _ => Err(wrong()),
    }
}

fn weekday(text: &str) -> Result<Weekday, InvalidInput> {
    let day: Result<chrono::Weekday, _> = text.parse();
    day.map(Weekday::from)
        .map_err(|_| InvalidInput::new("on", "not a day of the week such as friday or fri"))
}

/// An option that says nothing here is a slip of the pen.
fn unused(field: &str, is_given: bool, with: &str) -> Result<(), InvalidInput> {
    match is_given {
        false => Ok(()),
        true => Err(InvalidInput::new(field, format!("goes with {with}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(every: Option<&str>, on: Option<&str>, day: Option<u32>) -> String {
        let first = NaiveDate::from_ymd_opt(2026, 11, 30).expect("a Monday");
        match repeat(every, (on, day), first) {
            Ok(None) => "once".to_owned(),
            Ok(Some(Repeat::Days { every })) => format!("{every} days"),
            Ok(Some(Repeat::Weeks { every, on })) => format!("{every} weeks on {on:?}"),
            Ok(Some(Repeat::Months { every, day })) => format!("{every} months on {day}"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn a_repetition_is_a_number_of_days_weeks_or_months() {
        for (every, on, day, expected) in [
            (None, None, None, "once"),
            (Some("day"), None, None, "1 days"),
            (Some("10days"), None, None, "10 days"),
            (Some("week"), None, None, "1 weeks on Monday"),
            (Some("2weeks"), Some("fri"), None, "2 weeks on Friday"),
            (Some("2weeks"), Some("Sunday"), None, "2 weeks on Sunday"),
            (Some("month"), None, None, "1 months on 30"),
            (Some("3months"), None, Some(31), "3 months on 31"),
        ] {
            assert_eq!(read(every, on, day), expected);
        }
    }

    #[test]
    fn a_wrong_repetition_is_named_with_its_rule() {
        let rule = format!("every: must be {EVERY}");
        for wrong in ["", "2", "fortnight", "-1week", "1.5weeks", "weeks2", "99999999999days"] {
            assert_eq!(read(Some(wrong), None, None), rule, "{wrong}");
        }
        for (every, on, day, expected) in [
            ("0days", None, None, "every: must be 1 to 366 of them"),
            ("367days", None, None, "every: must be 1 to 366 of them"),
            ("week", Some("freitag"), None, "on: not a day of the week such as friday or fri"),
            ("month", None, Some(32), "day: must be 1 to 31"),
            ("month", Some("fri"), None, "on: goes with --every week"),
            ("day", None, Some(1), "day: goes with --every month"),
        ] {
            assert_eq!(read(Some(every), on, day), expected);
        }
        assert_eq!(read(None, None, Some(1)), "day: goes with --every month");
    }
}
