//! Interest, day by day. Promise: what accrued in a period is the sum of its days, whichever way
//! the period is cut; the same entries and terms give the same days for ever.

use chrono::{Datelike, Months, NaiveDate};
use rust_decimal::{Decimal, RoundingStrategy};
use shared_events::{
    Amount,
    ledger::{
        ACCRUAL_DIGITS, AccruedDay, DayCount, INTEREST_RATE_DIGITS_MAX, INTEREST_RATE_MAX,
        InterestTerms, TERMS_DAYS_MAX,
    },
    money::{AMOUNT_MAX, Currency, Money},
};

use super::rule::BrokenRule;

const HUNDRED: Decimal = Decimal::ONE_HUNDRED;

/// Whether an account of this currency can have these terms.
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
    match (Decimal::ZERO..=AMOUNT_MAX).contains(&fee) && fits {
        true => Ok(()),
        false => {
            let rule = format!("0 to {AMOUNT_MAX}, at most {} digits", currency.digits());
            broken("terms.statement_fee", rule)
        }
    }
}

/// The part of a year that a day is: so many days, of so many.
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

/// What decides over an account's interest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bearing {
    /// All terms that were set, in the order of setting.
    pub terms: Vec<InterestTerms>,
    /// The balance from each value date on on which it changed, in order.
    pub balances: Vec<(NaiveDate, Decimal)>,
}

impl Bearing {
    /// The first day that any terms hold for.
    #[must_use]
    pub fn since(&self) -> Option<NaiveDate> {
        self.terms.iter().map(|it| it.valid_from).min()
    }

    /// The terms of a day: those that began last, and of these the ones set last.
    #[must_use]
    pub fn terms_on(&self, day: NaiveDate) -> Option<&InterestTerms> {
        self.terms.iter().filter(|it| it.valid_from <= day).max_by_key(|it| it.valid_from)
    }

    /// The balance at the end of a day.
    #[must_use]
    pub fn balance_on(&self, day: NaiveDate) -> Decimal {
        let until = self.balances.partition_point(|(from, _)| *from <= day);
        until.checked_sub(1).map_or(Decimal::ZERO, |last| self.balances[last].1)
    }

    /// What accrued on a day. `None`: no terms held.
    #[must_use]
    pub fn accrued_on(&self, day: NaiveDate) -> Option<AccruedDay> {
        let terms = self.terms_on(day)?;
        let balance = self.balance_on(day);
        let is_debit = balance < Decimal::ZERO;
        let rate = if is_debit { terms.debit_rate } else { terms.credit_rate };
        let (days, of) = day_fraction(terms.day_count, day);
        let exact = balance * rate.decimal() * Decimal::from(days) / (HUNDRED * Decimal::from(of));
        let strategy = RoundingStrategy::MidpointNearestEven;
        let accrued = Amount(exact.round_dp_with_strategy(ACCRUAL_DIGITS, strategy));
        Some(AccruedDay { day, balance: Amount(balance), rate, days, of, accrued })
    }

    /// What accrued on each day of a period on which terms held.
    pub fn accrued(
        &self,
        from: NaiveDate,
        to: NaiveDate,
    ) -> impl Iterator<Item = AccruedDay> + use<'_> {
        let days = from.iter_days().take_while(move |day| *day <= to);
        days.filter_map(|day| self.accrued_on(day))
    }

    /// What accrued until a day since the first terms: for the holder, and against.
    #[must_use]
    pub fn accrued_until(&self, to: NaiveDate) -> (Decimal, Decimal) {
        let (mut credit, mut debit) = (Decimal::ZERO, Decimal::ZERO);
        for day in self.since().into_iter().flat_map(|from| self.accrued(from, to)) {
            let accrued = day.accrued.decimal();
            if accrued < Decimal::ZERO {
                debit -= accrued;
            } else {
                credit += accrued;
            }
        }
        (credit, debit)
    }
}
