//! Interest and fees: the terms of an account, and the daily accruals.
//!
//! The interest of a day is the closing balance by value date, times the yearly rate, times the
//! day's fraction of the year; rounded to 10 digits, ties to even. Once a month, the sum of all
//! accruals since the first terms is rounded to the digits of the currency, and the interest that
//! is already capitalised is subtracted. The next capitalisation therefore corrects an entry or
//! terms with a date in an earlier month, and no rounding is ever lost.

use chrono::{DateTime, NaiveDate, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Rounding;
use crate::{
    ids::AccountId,
    message::{Query, messages},
    money::{Amount, Currency},
};

/// The maximal rate, in percent a year.
pub const INTEREST_RATE_MAX: i64 = 1_000;
/// The maximal number of digits after the point of a rate in percent.
pub const INTEREST_RATE_DIGITS_MAX: u32 = 6;
/// The maximal number of days between today and the first day of terms, before or after.
pub const TERMS_DAYS_MAX: i64 = 3_660;
/// The maximal number of terms of one account, including past ones.
pub const TERMS_MAX: usize = 1_000;
/// The maximal number of days in one query about interest.
pub const INTEREST_DAYS_MAX: i64 = 366;
/// The digits after the point to which a day's interest is rounded.
pub const ACCRUAL_DIGITS: u32 = 10;

/// The day count convention: the fraction of a year that a day is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum DayCount {
    /// Every day is 1/365 (ISDA 2006, 4.16 (d): Actual/365 Fixed).
    #[default]
    #[serde(rename = "act/365")]
    Act365,
    /// Every day is 1/360 (ISDA 2006, 4.16 (e): Actual/360).
    #[serde(rename = "act/360")]
    Act360,
    /// Every month has 30 days of 360 (ISDA 2006, 4.16 (g): 30E/360, Eurobond Basis): the 30th
    /// counts zero days if a 31st follows, and the last day of February also counts the days up to
    /// the 30th.
    #[serde(rename = "30e/360")]
    ThirtyE360,
}

/// The treatment of the interest of the current month when an account is closed. The interest of
/// finished months is always settled first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AtClosing {
    /// The interest is forfeited, on both sides.
    #[default]
    Forfeit,
    /// The interest of all days before the day of closing is paid, on both sides.
    Pay,
}

impl AtClosing {
    /// Whether this is the value of terms without the field.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// The terms of interest and fees of an account, from a day on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InterestTerms {
    /// The first day of these terms, which hold until the next terms begin: at most 3,660 days from
    /// today, before or after.
    pub valid_from: NaiveDate,
    /// The credit interest rate, which the bank pays on a balance above zero, in percent a year: 0
    /// to 1,000, at most 6 digits after the point.
    pub credit_rate: Amount,
    /// The debit interest rate, which the holder pays on a balance below zero, in percent a year: 0
    /// to 1,000, at most 6 digits after the point.
    pub debit_rate: Amount,
    /// The day count convention: the fraction of a year that a day is.
    #[serde(default)]
    pub day_count: DayCount,
    /// The rounding of the capitalised amount.
    #[serde(default)]
    pub rounding: Rounding,
    /// The monthly fee for the statement, in the account's currency; none if absent. The terms of
    /// the month's last day decide.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statement_fee: Option<Amount>,
    /// The treatment of the interest of the current month when the account is closed. The terms of
    /// the day of closing decide.
    #[serde(default, skip_serializing_if = "AtClosing::is_default")]
    pub at_closing: AtClosing,
}

/// `ledger.terms.set.v1`: sets the terms of interest and fees of an account. New terms replace
/// earlier ones with the same first day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SetTerms {
    /// The account of a customer.
    pub account_id: AccountId,
    /// The terms.
    pub terms: InterestTerms,
}

/// `ledger.terms.changed.v1`: the terms of interest and fees of an account have changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TermsChanged {
    /// The account.
    pub account_id: AccountId,
    /// The terms.
    pub terms: InterestTerms,
}

/// `ledger.interest.get.v1`: asks for the interest of each day of a period, computed from the
/// entries and the terms, and for the capitalised amounts. Answered by `ledger.interest.found.v1`,
/// or refused as `not_found`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GetInterest {
    /// The account of a customer.
    pub account_id: AccountId,
    /// The first day.
    pub from: NaiveDate,
    /// The last day: the period has at most 366 days and ends today at the latest.
    pub to: NaiveDate,
    /// The instant of knowledge: later entries and terms are left out. All entries and terms if
    /// absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_at: Option<DateTime<Utc>>,
}

/// The interest of one day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AccruedDay {
    /// The day.
    pub day: NaiveDate,
    /// The closing balance of the day, by value date.
    pub balance: Amount,
    /// The rate for this balance, in percent a year.
    pub rate: Amount,
    /// The number of days for which the day counts: 1; in 30e/360 also 0, 2 or 3.
    pub days: u32,
    /// The number of days of a year.
    pub of: u32,
    /// The interest: above zero in favour of the holder, below zero in favour of the bank.
    pub accrued: Amount,
}

/// The capitalisation of a month.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CapitalisedMonth {
    /// The month's first day.
    pub month: NaiveDate,
    /// The credit interest that the holder received; below zero a correction of earlier months.
    pub credit_interest: Amount,
    /// The debit interest that the holder paid; below zero a correction of earlier months.
    pub debit_interest: Amount,
    /// The statement fee that the holder paid.
    pub statement_fee: Amount,
    /// The instant of the capitalisation.
    pub capitalised_at: DateTime<Utc>,
}

/// Terms, and the instant at which they were set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TermsSet {
    /// The terms.
    pub terms: InterestTerms,
    /// The instant at which the terms were set.
    pub set_at: DateTime<Utc>,
}

/// `ledger.interest.found.v1`: the interest of a period, day by day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InterestFound {
    /// The account.
    pub account_id: AccountId,
    /// The currency of all amounts in this message.
    pub currency: Currency,
    /// The days of the period with terms, in order.
    pub days: Vec<AccruedDay>,
    /// The capitalised months with a day in the period, in order.
    pub capitalised: Vec<CapitalisedMonth>,
    /// All terms of the account, past ones included, in the order in which they were set.
    pub terms: Vec<TermsSet>,
}

messages! {
    Command "ledger.terms.set.v1" SetTerms, subject |message| message.account_id.to_string();
    Event "ledger.terms.changed.v1" TermsChanged,
        subject |message| message.account_id.to_string(), key |_| None;
    Query "ledger.interest.get.v1" GetInterest, subject |message| message.account_id.to_string();
    Reply "ledger.interest.found.v1" InterestFound,
        subject |message| message.account_id.to_string();
}

impl Query for GetInterest {
    type Reply = InterestFound;
}
