//! Interest and fees: on which terms an account bears them, and what came of it day by day.
//!
//! A day's interest is the balance at its end, by value date, times the rate a year, times the part
//! of a year that the day counts for; rounded to 10 digits, from the middle to the even one. Once a
//! month all that has accrued since the first terms is rounded to the currency's digits, and what
//! was capitalised before is taken off: so an entry that is dated back into an earlier month, or
//! terms that are, are made good by the next capitalisation, and no rounding is ever lost.

use chrono::{DateTime, NaiveDate, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Rounding;
use crate::{
    ids::AccountId,
    message::{Query, messages},
    money::{Amount, Currency},
};

/// The highest rate, in percent a year.
pub const INTEREST_RATE_MAX: i64 = 1_000;
/// The most digits after the point of a rate in percent.
pub const INTEREST_RATE_DIGITS_MAX: u32 = 6;
/// How many days terms may begin before or after today.
pub const TERMS_DAYS_MAX: i64 = 3_660;
/// The most terms that one account has had.
pub const TERMS_MAX: usize = 1_000;
/// The most days that one question about interest covers.
pub const INTEREST_DAYS_MAX: i64 = 366;
/// The digits after the point to which a day's interest is rounded.
pub const ACCRUAL_DIGITS: u32 = 10;

/// Which part of a year a day is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum DayCount {
    /// Every day is 1/365 (ISDA 2006, 4.16 (d): Actual/365 Fixed).
    #[default]
    #[serde(rename = "act/365")]
    Act365,
    /// Every day is 1/360 (ISDA 2006, 4.16 (e): Actual/360).
    #[serde(rename = "act/360")]
    Act360,
    /// Every month is 30 days of 360 (ISDA 2006, 4.16 (g): 30E/360, Eurobond Basis): the 30th
    /// counts for nothing where a 31st follows, the last of February for what is missing to 30.
    #[serde(rename = "30e/360")]
    ThirtyE360,
}

/// What becomes of the interest of the month that has begun when an account is closed. The months
/// that are over are always settled first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AtClosing {
    /// Neither the bank nor the holder pays any.
    #[default]
    Forfeit,
    /// It is paid, for and against the holder, for all days before the day of closing.
    Pay,
}

impl AtClosing {
    /// Whether it is what terms mean that do not say it.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// On what terms an account bears interest and fees, from a day on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InterestTerms {
    /// The first day they hold for, until the next terms do: at most 3,660 days from today, before
    /// or after.
    pub valid_from: NaiveDate,
    /// What the bank pays on a balance above zero, in percent a year: 0 to 1,000, at most 6 digits
    /// after the point.
    pub credit_rate: Amount,
    /// What the holder pays on a balance below zero, in percent a year: 0 to 1,000, at most 6
    /// digits after the point.
    pub debit_rate: Amount,
    /// Which part of a year a day is.
    #[serde(default)]
    pub day_count: DayCount,
    /// How the sum is rounded when it is capitalised.
    #[serde(default)]
    pub rounding: Rounding,
    /// What the holder pays for each month's statement, in the account's currency; nothing if not
    /// given. The terms of the month's last day decide.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statement_fee: Option<Amount>,
    /// What becomes of the interest of the month that has begun when the account is closed. The
    /// terms of the day of closing decide.
    #[serde(default, skip_serializing_if = "AtClosing::is_default")]
    pub at_closing: AtClosing,
}

/// `ledger.terms.set.v1`: an account bears interest and fees on these terms. Of terms that begin on
/// the same day the last that were set hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SetTerms {
    /// Which account: a customer's.
    pub account_id: AccountId,
    /// The terms.
    pub terms: InterestTerms,
}

/// `ledger.terms.changed.v1`: an account bears interest and fees on these terms.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TermsChanged {
    /// Which account.
    pub account_id: AccountId,
    /// The terms.
    pub terms: InterestTerms,
}

/// `ledger.interest.get.v1`: what interest accrued on each day of a period, worked out from the
/// entries and the terms, and what was capitalised. Answered by `ledger.interest.found.v1`, or
/// refused as not found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GetInterest {
    /// Which account: a customer's.
    pub account_id: AccountId,
    /// The first day.
    pub from: NaiveDate,
    /// The last day: at most 366 days in all, not after today.
    pub to: NaiveDate,
    /// Only by what the ledger knew at this instant; by all that it knows if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_at: Option<DateTime<Utc>>,
}

/// The interest of one day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AccruedDay {
    /// Which day.
    pub day: NaiveDate,
    /// The balance at its end, by value date.
    pub balance: Amount,
    /// The rate for this balance, in percent a year.
    pub rate: Amount,
    /// How many days it counts for: 1; by 30e/360 also 0, 2 or 3.
    pub days: u32,
    /// Of how many days a year has.
    pub of: u32,
    /// The interest: above zero the holder gets it, below zero the holder owes it.
    pub accrued: Amount,
}

/// What was capitalised for a month.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CapitalisedMonth {
    /// The month's first day.
    pub month: NaiveDate,
    /// What the holder got; below zero: gave back of what was too much before.
    pub credit_interest: Amount,
    /// What the holder paid; below zero: got back of what was too much before.
    pub debit_interest: Amount,
    /// What the holder paid for the statement.
    pub statement_fee: Amount,
    /// When.
    pub capitalised_at: DateTime<Utc>,
}

/// Terms and when they were set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TermsSet {
    /// The terms.
    pub terms: InterestTerms,
    /// When.
    pub set_at: DateTime<Utc>,
}

/// `ledger.interest.found.v1`: the interest of a period, day by day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InterestFound {
    /// Which account.
    pub account_id: AccountId,
    /// The currency of all amounts here.
    pub currency: Currency,
    /// The days of the period on which terms held, in order.
    pub days: Vec<AccruedDay>,
    /// The months that were capitalised and have a day in the period, in order.
    pub capitalised: Vec<CapitalisedMonth>,
    /// All terms that were ever set, in the order of setting.
    pub terms: Vec<TermsSet>,
}

messages! {
    Command "ledger.terms.set.v1" SetTerms, subject |it| it.account_id.to_string();
    Event "ledger.terms.changed.v1" TermsChanged,
        subject |it| it.account_id.to_string(), key |_| None;
    Query "ledger.interest.get.v1" GetInterest, subject |it| it.account_id.to_string();
    Reply "ledger.interest.found.v1" InterestFound, subject |it| it.account_id.to_string();
}

impl Query for GetInterest {
    type Reply = InterestFound;
}
