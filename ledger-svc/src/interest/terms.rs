//! The terms on which an account bears interest and fees. Promise: terms are added and never changed;
//! the next capitalisation corrects what new terms mean for earlier months.

use chrono::NaiveDate;
use rust_decimal::Decimal;
use shared_events::{Amount, Currency, Money};

use crate::{posting::Rounding, refusals::BrokenRule};

/// The highest rate, in percent a year.
pub(crate) const INTEREST_RATE_MAX: i64 = 1_000;
/// The most digits after the point of a rate in percent.
pub(crate) const INTEREST_RATE_DIGITS_MAX: u32 = 6;
/// How many days before or after today terms may begin.
pub(crate) const TERMS_DAYS_MAX: i64 = 3_660;

/// The day count convention: the part of a year that a day is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DayCount {
    /// Every day is 1/365 (ISDA 2006, 4.16 (d): Actual/365 Fixed).
    #[default]
    Act365,
    /// Every day is 1/360 (ISDA 2006, 4.16 (e): Actual/360).
    Act360,
    /// Every month has 30 days of 360 (ISDA 2006, 4.16 (g): 30E/360, Eurobond Basis).
    ThirtyE360,
}

/// The treatment of the current month's interest when an account is closed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AtClosing {
    /// Neither side pays.
    #[default]
    Forfeit,
    /// Both sides pay for all days before the day of closing.
    Pay,
}

/// The terms of an account, from a day on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InterestTerms {
    /// The first day of the terms.
    pub valid_from: NaiveDate,
    /// The rate for a balance above zero, in percent a year.
    pub credit_rate: Amount,
    /// The rate for a balance below zero, in percent a year.
    pub debit_rate: Amount,
    /// The day count convention.
    pub day_count: DayCount,
    /// The rounding of the sum at capitalisation.
    pub rounding: Rounding,
    /// The monthly fee for the statement.
    pub statement_fee: Option<Amount>,
    /// The treatment of the current month at closing.
    pub at_closing: AtClosing,
}

/// Whether an account of this currency can have these terms.
///
/// # Errors
/// The first rule that a field breaks.
pub fn check_terms(
    terms: &InterestTerms,
    currency: Currency,
    today: NaiveDate,
) -> Result<(), BrokenRule> {
    let broken = |field, rule: String| Err(BrokenRule::new(field, rule));
    let days = terms.valid_from.signed_duration_since(today).num_days();
    if days.abs() > TERMS_DAYS_MAX {
        let rule = format!("at most {TERMS_DAYS_MAX} days before or after today");
        return broken("terms.valid_from", rule);
    }
    for (field, rate) in
        [("terms.credit_rate", terms.credit_rate), ("terms.debit_rate", terms.debit_rate)]
    {
        let rate = rate.decimal();
        let in_range = (Decimal::ZERO..=Decimal::from(INTEREST_RATE_MAX)).contains(&rate);
        if !in_range || rate.normalize().scale() > INTEREST_RATE_DIGITS_MAX {
            let digits = INTEREST_RATE_DIGITS_MAX;
            let rule = format!("0 to {INTEREST_RATE_MAX} percent, at most {digits} digits");
            return broken(field, rule);
        }
    }
    let fee = terms.statement_fee.map_or(Decimal::ZERO, Amount::decimal);
    let fits = Money::new(fee, currency).fits_currency();
    let most = currency.amount_max();
    match (Decimal::ZERO..=most).contains(&fee) && fits {
        true => Ok(()),
        false => {
            let rule = format!("0 to {most}, at most {} digits", currency.digits());
            broken("terms.statement_fee", rule)
        }
    }
}
