//! Schedules: examples of months and weeks, and the properties of every schedule.

use chrono::Weekday;

use super::*;
use crate::standing_orders::{DueDate, check_schedule, dates_from, dues_from};

fn day(text: &str) -> NaiveDate {
    text.parse().expect("a day")
}

fn schedule(first: &str, repeat: Option<Repeat>) -> Schedule {
    Schedule { first: day(first), repeat, last: None, times: None }
}

fn months(every: u32, day: u32) -> Option<Repeat> {
    Some(Repeat::Months { every, day })
}

/// The first dates of a schedule.
fn first_dates(schedule: &Schedule, count: usize) -> Vec<String> {
    dates_from(schedule, schedule.first).take(count).map(|day| day.to_string()).collect()
}

#[test]
fn a_month_that_is_shorter_has_its_last_day_instead() {
    for (first, on, expected) in [
        ("2026-11-30", 31, ["2026-11-30", "2026-12-31", "2027-01-31", "2027-02-28"]),
        ("2027-12-31", 30, ["2028-01-30", "2028-02-29", "2028-03-30", "2028-04-30"]),
        ("2028-01-29", 29, ["2028-01-29", "2028-02-29", "2028-03-29", "2028-04-29"]),
        ("2026-11-15", 14, ["2026-12-14", "2027-01-14", "2027-02-14", "2027-03-14"]),
        ("2026-11-15", 15, ["2026-11-15", "2026-12-15", "2027-01-15", "2027-02-15"]),
    ] {
        assert_eq!(first_dates(&schedule(first, months(1, on)), 4), expected, "{first} {on}");
    }
    let quarters = first_dates(&schedule("2026-08-31", months(3, 31)), 4);
    assert_eq!(quarters, ["2026-08-31", "2026-11-30", "2027-02-28", "2027-05-31"]);
}

#[test]
fn days_weeks_and_once_are_counted_from_the_first_day() {
    // 2026-11-25 is a Wednesday.
    for (repeat, expected) in [
        (None, vec!["2026-11-25"]),
        (Some(Repeat::Days { every: 1 }), vec!["2026-11-25", "2026-11-26", "2026-11-27"]),
        (Some(Repeat::Days { every: 10 }), vec!["2026-11-25", "2026-12-05", "2026-12-15"]),
        (
            Some(Repeat::Weeks { every: 1, on: Weekday::Wed }),
            vec!["2026-11-25", "2026-12-02", "2026-12-09"],
        ),
        (
            Some(Repeat::Weeks { every: 2, on: Weekday::Mon }),
            vec!["2026-11-30", "2026-12-14", "2026-12-28"],
        ),
    ] {
        assert_eq!(first_dates(&schedule("2026-11-25", repeat), 3), expected);
    }
}

#[test]
fn a_schedule_ends_with_its_last_day_or_its_number_of_dates() {
    let daily = schedule("2026-11-25", Some(Repeat::Days { every: 1 }));
    let until = Schedule { last: Some(day("2026-11-26")), ..daily.clone() };
    assert_eq!(first_dates(&until, 9), ["2026-11-25", "2026-11-26"]);
    let twice = Schedule { times: Some(2), ..daily.clone() };
    assert_eq!(first_dates(&twice, 9), ["2026-11-25", "2026-11-26"]);
    assert_eq!(dates_from(&twice, day("2026-11-27")).next(), None);
    let both = Schedule { times: Some(3), ..until };
    assert_eq!(first_dates(&both, 9).len(), 2);
    assert_eq!(dates_from(&daily, day("2199-12-31")).count(), 1);
}

#[test]
fn a_schedule_that_breaks_a_rule_is_refused_by_the_rules_name() {
    let good = schedule("2026-11-25", months(1, 31));
    let today = day("2026-11-25");
    assert_eq!(check_schedule(&good, today), Ok(()));
    let with = |repeat| Schedule { repeat: Some(repeat), ..good.clone() };
    for (wrong, field) in [
        (schedule("2006-11-25", None), "first"),
        (schedule("2046-11-25", None), "first"),
        (Schedule { last: Some(day("2026-11-24")), ..good.clone() }, "last"),
        (Schedule { last: Some(day("2200-01-01")), ..good.clone() }, "last"),
        (Schedule { times: Some(0), ..good.clone() }, "times"),
        (Schedule { times: Some(10_001), ..good.clone() }, "times"),
        (with(Repeat::Days { every: 0 }), "repeat.every"),
        (with(Repeat::Weeks { every: 367, on: Weekday::Fri }), "repeat.every"),
        (with(Repeat::Months { every: 0, day: 1 }), "repeat.every"),
        (with(Repeat::Months { every: 1, day: 0 }), "repeat.months.day"),
        (with(Repeat::Months { every: 1, day: 32 }), "repeat.months.day"),
    ] {
        let broken = check_schedule(&wrong, today).expect_err(field);
        assert_eq!(broken.field, format!("terms.schedule.{field}"));
    }
}

fn any_repeat() -> impl Strategy<Value = Option<Repeat>> {
    let week = (0..7_u8).prop_map(|n| Weekday::try_from(n).expect("a day of the week"));
    prop_oneof![
        Just(None),
        (1..60_u32).prop_map(|every| Some(Repeat::Days { every })),
        (1..9_u32, week).prop_map(|(every, on)| Some(Repeat::Weeks { every, on })),
        (1..14_u32, 1..=31_u32).prop_map(|(every, day)| Some(Repeat::Months { every, day })),
    ]
}

fn any_day() -> impl Strategy<Value = NaiveDate> {
    (0..4_000_u64).prop_map(|days| day("2020-01-01") + chrono::Days::new(days))
}

fn any_schedule() -> impl Strategy<Value = Schedule> {
    let last = prop::option::of(0..4_000_u64);
    let times = prop::option::of(1..80_u32);
    (any_day(), any_repeat(), last, times).prop_map(|(first, repeat, last, times)| Schedule {
        first,
        repeat,
        last: last.map(|days| first + chrono::Days::new(days)),
        times,
    })
}

/// Whether a day has the form that the repetition asks for, apart from how often it comes.
fn fits(schedule: &Schedule, date: NaiveDate) -> bool {
    use chrono::Datelike;
    match schedule.repeat {
        None => date == schedule.first,
        Some(Repeat::Days { .. }) => true,
        Some(Repeat::Weeks { on, .. }) => date.weekday() == on,
        Some(Repeat::Months { day, .. }) => {
            let is_last = date.succ_opt().is_some_and(|next| next.month() != date.month());
            date.day() == day || (is_last && date.day() < day)
        }
    }
}

/// The same by looking at each day from the first on: slow, and hard to get wrong.
fn day_by_day(schedule: &Schedule, until: NaiveDate) -> Vec<NaiveDate> {
    let fitting = schedule.first.iter_days().take_while(|item| *item <= until);
    let fitting = fitting.filter(|item| fits(schedule, *item));
    let every = match schedule.repeat {
        None => 1,
        Some(
            Repeat::Days { every } | Repeat::Weeks { every, .. } | Repeat::Months { every, .. },
        ) => every,
    };
    fitting
        .step_by(usize::try_from(every).expect("it is small"))
        .take_while(|item| schedule.last.is_none_or(|last| *item <= last))
        .take(
            schedule.times.map_or(usize::MAX, |item| usize::try_from(item).expect("item is small")),
        )
        .collect()
}

fn terms(schedule: Schedule, on_holiday: HolidayRule) -> OrderTerms {
    OrderTerms {
        creditor: own("cash"),
        money: Money::new(1.into(), currency("EUR")),
        allow_partial: false,
        reference: None,
        end_to_end_id: None,
        schedule,
        on_holiday,
        retry_days: 0,
    }
}

proptest! {
    #[test]
    fn the_dates_are_those_of_a_walk_from_the_start(
        schedule in any_schedule(),
        from in any_day(),
    ) {
        let until = day("2031-01-01");
        let walked = day_by_day(&schedule, until);
        let dates: Vec<NaiveDate> =
            dates_from(&schedule, schedule.first).take_while(|item| *item <= until).collect();
        prop_assert_eq!(&dates, &walked);
        prop_assert!(dates.windows(2).all(|pair| pair[0] < pair[1]));
        // The dates from a day in the middle are the rest of all dates.
        let rest: Vec<NaiveDate> = walked.into_iter().filter(|item| *item >= from).collect();
        let found: Vec<NaiveDate> =
            dates_from(&schedule, from).take_while(|item| *item <= until).collect();
        prop_assert_eq!(found, rest);
    }

    #[test]
    fn holidays_never_reorder_dates_and_only_skip_leaves_any_out(schedule in any_schedule()) {
        let calendar = Calendar::default();
        let count = 100;
        let all = dates_from(&schedule, schedule.first).take(count).count();
        for rule in [HolidayRule::After, HolidayRule::Before, HolidayRule::Same] {
            let terms = terms(schedule.clone(), rule);
            let dues: Vec<DueDate> = dues_from(&terms, schedule.first, &calendar).take(count).collect();
            prop_assert_eq!(dues.len(), all);
            for pair in dues.windows(2) {
                prop_assert!(pair[0].date < pair[1].date && pair[0].day <= pair[1].day);
            }
            for due in dues {
                let banking = calendar.is_banking_day(due.day);
                let as_the_rule_says = match rule {
                    HolidayRule::After => banking && due.day >= due.date,
                    HolidayRule::Before => banking && due.day <= due.date,
                    HolidayRule::Same | HolidayRule::Skip => due.day == due.date,
                };
                prop_assert!(as_the_rule_says, "{:?} {:?}", rule, due);
                // Nothing lies between a date and its day but holidays.
                let (from, to) = (due.day.min(due.date), due.day.max(due.date));
                let between = from.iter_days().skip(1).take_while(|item| *item < to);
                prop_assert_eq!(between.filter(|text| calendar.is_banking_day(*text)).count(), 0);
            }
        }
        let skipping = terms(schedule.clone(), HolidayRule::Skip);
        let left = dues_from(&skipping, schedule.first, &calendar);
        let kept: Vec<NaiveDate> = left.take(count).map(|item| item.date).collect();
        let banking = dates_from(&schedule, schedule.first);
        let banking: Vec<NaiveDate> =
            banking.filter(|text| calendar.is_banking_day(*text)).take(count).collect();
        prop_assert_eq!(kept, banking);
    }
}
