//! Interest, day by day. Promise: the interest of a period is the sum of its days, wherever the period
//! is cut; the same entries and terms give the same days for ever. Each day is computed in whole
//! numbers and rounded once; a result with more digits than an amount is an error.

use chrono::{Datelike, Months, NaiveDate};
use rust_decimal::Decimal;
use shared_events::{
    Amount,
    money::exact::{exact_add, exact_number},
};

use super::terms::{DayCount, InterestTerms};

/// The digits after the point to which a day's interest is rounded.
pub(crate) const ACCRUAL_DIGITS: u32 = 10;

/// The interest of one day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccruedDay {
    /// The day.
    pub day: NaiveDate,
    /// The balance at the end of the day, by value date.
    pub balance: Amount,
    /// The rate for this balance, in percent a year.
    pub rate: Amount,
    /// The number of days that the day counts for: 1; by 30E/360 also 0, 2 or 3.
    pub days: u32,
    /// The number of days of a year.
    pub of: u32,
    /// The interest: above zero for the holder, below zero against the holder.
    pub accrued: Amount,
}

/// The interest has more digits than an amount. Value dates are free, so the balance of a past day may
/// be more than any balance that an account has had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the interest has more than 28 digits")]
pub struct TooMuchInterest;

/// The part of a year that a day is: a number of days, of the days of a year.
#[must_use]
pub fn day_fraction(day_count: DayCount, day: NaiveDate) -> (u32, u32) {
    match day_count {
        DayCount::Act365 => (1, 365),
        DayCount::Act360 => (1, 360),
        DayCount::ThirtyE360 => {
            let next = day.succ_opt().map_or(0, thirty_e_360);
            (u32::try_from(next - thirty_e_360(day)).unwrap_or(0), 360)
        }
    }
}

/// The number of a day where every month has 30. The days of a period are the difference of two
/// such numbers, which is what 30E/360 says; so the days of adjacent periods add up. (The bond
/// basis 30/360, whose second date depends on the first, does not have that.)
fn thirty_e_360(day: NaiveDate) -> i64 {
    let month = i64::from(day.year()) * 12 + i64::from(day.month0());
    month * 30 + i64::from(day.day().min(30))
}

/// The first day of the month after this day's.
#[must_use]
pub fn next_month(day: NaiveDate) -> NaiveDate {
    day.with_day(1).and_then(|first| first.checked_add_months(Months::new(1))).unwrap_or(day)
}

/// The terms and balances that an account's interest follows from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bearing {
    /// All terms, in the order of setting.
    pub terms: Vec<InterestTerms>,
    /// The balance from each value date on which it changed, in order.
    pub balances: Vec<(NaiveDate, Decimal)>,
}

impl Bearing {
    /// Adds an amount from a value date on.
    pub fn add(&mut self, from: NaiveDate, amount: Decimal) -> Result<(), TooMuchInterest> {
        let before = self.balance_on(from);
        let at = self.balances.partition_point(|(day, _)| *day < from);
        if self.balances.get(at).is_none_or(|(day, _)| *day != from) {
            self.balances.insert(at, (from, before));
        }
        for (_, balance) in &mut self.balances[at..] {
            *balance = exact_add(*balance, amount).ok_or(TooMuchInterest)?;
        }
        Ok(())
    }

    /// The first day of any terms.
    #[must_use]
    pub fn since(&self) -> Option<NaiveDate> {
        self.terms.iter().map(|terms| terms.valid_from).min()
    }

    /// The terms of a day: the latest that have begun, and of these the last that were set.
    #[must_use]
    pub fn terms_on(&self, day: NaiveDate) -> Option<&InterestTerms> {
        self.terms
            .iter()
            .filter(|terms| terms.valid_from <= day)
            .max_by_key(|terms| terms.valid_from)
    }

    /// The balance at the end of a day.
    #[must_use]
    pub fn balance_on(&self, day: NaiveDate) -> Decimal {
        let until = self.balances.partition_point(|(from, _)| *from <= day);
        until.checked_sub(1).map_or(Decimal::ZERO, |last| self.balances[last].1)
    }

    /// The interest of a day. `None`: no terms held.
    pub fn accrued_on(&self, day: NaiveDate) -> Result<Option<AccruedDay>, TooMuchInterest> {
        let Some(terms) = self.terms_on(day) else { return Ok(None) };
        let balance = self.balance_on(day);
        let is_debit = balance < Decimal::ZERO;
        let rate = if is_debit { terms.debit_rate } else { terms.credit_rate };
        let (days, of) = day_fraction(terms.day_count, day);
        let accrued = of_a_day(balance, rate.decimal(), (days, of)).ok_or(TooMuchInterest)?;
        let (balance, accrued) = (Amount(balance), Amount(accrued));
        Ok(Some(AccruedDay { day, balance, rate, days, of, accrued }))
    }

    /// The interest of each day of a period on which terms held.
    pub fn accrued(
        &self,
        from: NaiveDate,
        to: NaiveDate,
    ) -> impl Iterator<Item = Result<AccruedDay, TooMuchInterest>> + use<'_> {
        let days = from.iter_days().take_while(move |day| *day <= to);
        days.filter_map(|day| self.accrued_on(day).transpose())
    }

    /// The interest since the first terms up to a day: for the holder, and against.
    pub fn accrued_until(&self, to: NaiveDate) -> Result<(Decimal, Decimal), TooMuchInterest> {
        let (mut credit, mut debit) = (Decimal::ZERO, Decimal::ZERO);
        for day in self.since().into_iter().flat_map(|from| self.accrued(from, to)) {
            let accrued = day?.accrued.decimal();
            let side = if accrued < Decimal::ZERO { &mut debit } else { &mut credit };
            *side = exact_add(*side, accrued.abs()).ok_or(TooMuchInterest)?;
        }
        Ok((credit, debit))
    }
}

/// Balance times rate in percent times the part of a year, to [`ACCRUAL_DIGITS`] digits, half even.
/// `None`: more digits than an amount. 128 bits hold every product that fits an amount: a balance of 28
/// digits, a rate of ten, three days.
fn of_a_day(balance: Decimal, rate: Decimal, (days, of): (u32, u32)) -> Option<Decimal> {
    let (balance, rate) = (balance.normalize(), rate.normalize());
    let mut top = balance.mantissa().checked_mul(rate.mantissa())?.checked_mul(days.into())?;
    let mut below = 100_i128.checked_mul(of.into())?;
    let scale = balance.scale().checked_add(rate.scale())?;
    match scale.checked_sub(ACCRUAL_DIGITS) {
        Some(more) => below = below.checked_mul(10_i128.checked_pow(more)?)?,
        None => {
            let less = ACCRUAL_DIGITS.checked_sub(scale)?;
            top = top.checked_mul(10_i128.checked_pow(less)?)?;
        }
    }
    let (whole, rest) = (top.checked_div(below)?, top.checked_rem(below)?.unsigned_abs());
    let beyond_half = rest.checked_mul(2)?.cmp(&below.unsigned_abs());
    let is_up = beyond_half.is_gt() || (beyond_half.is_eq() && whole % 2 != 0);
    let away = if is_up { top.signum() } else { 0 };
    let units = whole.checked_add(away)?;
    exact_number(units, ACCRUAL_DIGITS).map(|accrued| accrued.normalize())
}
