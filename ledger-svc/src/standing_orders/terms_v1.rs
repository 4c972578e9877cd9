//! Version 1 of the stored terms of an order. Promise: frozen. The same terms have the same JSON
//! text, and a text of any earlier ledger is read, however the contract's messages change.

use std::borrow::Cow;

use chrono::{NaiveDate, Weekday};
use serde::{Deserialize, Serialize};
use shared_events::{AccountId, Money, ledger::AccountCode};

use super::{
    entity::OrderTerms,
    schedule::{Repeat, Schedule},
};
use crate::{bank_calendar::HolidayRule, posting::Party};

#[derive(Serialize, Deserialize)]
struct OrderTermsV1<'a> {
    #[serde(borrow)]
    creditor: CreditorV1<'a>,
    money: Money,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    up_to: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reference: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    end_to_end_id: Option<Cow<'a, str>>,
    schedule: ScheduleV1,
    #[serde(default)]
    on_holiday: HolidayRuleV1,
    #[serde(default)]
    retry_days: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum CreditorV1<'a> {
    AccountId(AccountId),
    #[serde(borrow)]
    Code(Cow<'a, str>),
}

#[derive(Serialize, Deserialize)]
struct ScheduleV1 {
    first: NaiveDate,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    repeat: Option<RepeatV1>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    last: Option<NaiveDate>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    times: Option<u32>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum RepeatV1 {
    Days { every: u32 },
    Weeks { every: u32, on: WeekdayV1 },
    Months { every: u32, day: u32 },
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum WeekdayV1 {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum HolidayRuleV1 {
    #[default]
    After,
    Before,
    Skip,
    Same,
}

/// The stored text of an order's terms.
pub(super) fn text(terms: &OrderTerms) -> String {
    let stored = OrderTermsV1 {
        creditor: match &terms.creditor {
            Party::AccountId(id) => CreditorV1::AccountId(*id),
            Party::Code(code) => CreditorV1::Code(Cow::Borrowed(&code.0)),
        },
        money: terms.money,
        up_to: terms.allow_partial,
        reference: terms.reference.as_deref().map(Cow::Borrowed),
        end_to_end_id: terms.end_to_end_id.as_deref().map(Cow::Borrowed),
        schedule: ScheduleV1 {
            first: terms.schedule.first,
            repeat: terms.schedule.repeat.map(stored_repeat),
            last: terms.schedule.last,
            times: terms.schedule.times,
        },
        on_holiday: match terms.on_holiday {
            HolidayRule::After => HolidayRuleV1::After,
            HolidayRule::Before => HolidayRuleV1::Before,
            HolidayRule::Skip => HolidayRuleV1::Skip,
            HolidayRule::Same => HolidayRuleV1::Same,
        },
        retry_days: terms.retry_days,
    };
    serde_json::to_string(&stored).expect("terms write plain JSON")
}

/// Reads a stored text.
pub(super) fn read(text: &str) -> serde_json::Result<OrderTerms> {
    let stored: OrderTermsV1<'_> = serde_json::from_str(text)?;
    let creditor = match stored.creditor {
        CreditorV1::AccountId(id) => Party::AccountId(id),
        CreditorV1::Code(code) => {
            let code = AccountCode::try_from(code.into_owned());
            Party::Code(code.map_err(serde::de::Error::custom)?)
        }
    };
    Ok(OrderTerms {
        creditor,
        money: stored.money,
        allow_partial: stored.up_to,
        reference: stored.reference.map(Cow::into_owned),
        end_to_end_id: stored.end_to_end_id.map(Cow::into_owned),
        schedule: Schedule {
            first: stored.schedule.first,
            repeat: stored.schedule.repeat.map(read_repeat),
            last: stored.schedule.last,
            times: stored.schedule.times,
        },
        on_holiday: match stored.on_holiday {
            HolidayRuleV1::After => HolidayRule::After,
            HolidayRuleV1::Before => HolidayRule::Before,
            HolidayRuleV1::Skip => HolidayRule::Skip,
            HolidayRuleV1::Same => HolidayRule::Same,
        },
        retry_days: stored.retry_days,
    })
}

const fn stored_repeat(repeat: Repeat) -> RepeatV1 {
    match repeat {
        Repeat::Days { every } => RepeatV1::Days { every },
        Repeat::Weeks { every, on } => RepeatV1::Weeks {
            every,
            on: match on {
                Weekday::Mon => WeekdayV1::Monday,
                Weekday::Tue => WeekdayV1::Tuesday,
                Weekday::Wed => WeekdayV1::Wednesday,
                Weekday::Thu => WeekdayV1::Thursday,
                Weekday::Fri => WeekdayV1::Friday,
                Weekday::Sat => WeekdayV1::Saturday,
                Weekday::Sun => WeekdayV1::Sunday,
            },
        },
        Repeat::Months { every, day } => RepeatV1::Months { every, day },
    }
}

fn read_repeat(repeat: RepeatV1) -> Repeat {
    match repeat {
        RepeatV1::Days { every } => Repeat::Days { every },
        RepeatV1::Weeks { every, on } => Repeat::Weeks {
            every,
            on: match on {
                WeekdayV1::Monday => Weekday::Mon,
                WeekdayV1::Tuesday => Weekday::Tue,
                WeekdayV1::Wednesday => Weekday::Wed,
                WeekdayV1::Thursday => Weekday::Thu,
                WeekdayV1::Friday => Weekday::Fri,
                WeekdayV1::Saturday => Weekday::Sat,
                WeekdayV1::Sunday => Weekday::Sun,
            },
        },
        RepeatV1::Months { every, day } => Repeat::Months { every, day },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Texts as the ledger wrote them before this type existed. They are never changed.
    const GOLDEN: &str = include_str!("golden/terms.jsonl");
    const WITHOUT_DEFAULTS: &str = include_str!("golden/terms_without_defaults.json");

    #[test]
    fn golden_terms_are_read_and_written_byte_for_byte() {
        assert_eq!(GOLDEN.lines().count(), 5);
        for golden in GOLDEN.lines() {
            let terms = read(golden).expect("terms of version 1");
            assert_eq!(text(&terms), golden);
        }
    }

    #[test]
    fn terms_without_a_holiday_rule_have_the_default() {
        let terms = read(WITHOUT_DEFAULTS).expect("terms of version 1");
        assert_eq!((terms.on_holiday, terms.retry_days), (HolidayRule::After, 0));
    }
}
