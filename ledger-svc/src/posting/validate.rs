//! What can be said of an instruction without looking at any account. Promise: the checks run in
//! the order of [`RejectReason::ALL`], so every reader of a rejection knows which rules held.

use std::{collections::BTreeMap, ops::RangeInclusive};

use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, Utc};
use rust_decimal::{Decimal, RoundingStrategy};
use shared_events::{
    Amount, Currency, Money,
    ledger::{
        Action, Direction, END_TO_END_ID_CHARS_MAX, Exchange, HOLD_DAYS_MAX, Instruction, LEGS,
        Leg, RATE_DIGITS_MAX, REFERENCE_CHARS_MAX, RejectReason, Rounding,
    },
    money::exact::{exact_add, exact_mul},
    text::is_visible_line,
};

use crate::legacy::domain::plan::Now;

/// The years in which a transfer can be booked. Other dates are slips of the pen, and some of them
/// no database can store.
pub const BOOKING_YEARS: RangeInclusive<i32> = 1900..=2199;

pub(crate) type Checked = Result<(), RejectReason>;

/// Whether the rest of the instruction is well formed.
pub(crate) fn check_form(instruction: &Instruction, now: Now) -> Checked {
    let invalid = |text: &Option<String>, chars_max| {
        let text = text.as_deref().unwrap_or_default();
        text.chars().count() > chars_max || !is_visible_line(text)
    };
    if invalid(&instruction.reference, REFERENCE_CHARS_MAX)
        || invalid(&instruction.end_to_end_id, END_TO_END_ID_CHARS_MAX)
    {
        return Err(RejectReason::InvalidText);
    }
    let invalid =
        |date: Option<NaiveDate>| date.is_some_and(|it| !BOOKING_YEARS.contains(&it.year()));
    if invalid(instruction.booking_date) {
        return Err(RejectReason::InvalidBookingDate);
    }
    if let Some(day) = instruction.booking_date {
        now.bookable.check(day, now.today)?;
    }
    if invalid(instruction.value_date) {
        return Err(RejectReason::InvalidValueDate);
    }
    match &instruction.action {
        Action::Hold(it) => check_expiry(it.expires_at, now.instant),
        Action::Legs(it) => check_legs(&it.legs),
        Action::Exchange(it) => check_exchange(it),
        Action::Transfer(_) | Action::Capture(_) | Action::Release(_) | Action::Reverse(_) => {
            Ok(())
        }
    }
}

/// Whether the amounts can move at all.
pub(crate) fn check_amounts(action: &Action) -> Checked {
    match action {
        Action::Transfer(it) => check_money(it.money),
        Action::Hold(it) => check_money(it.money),
        // What the creditor gets is asked where there is a rate.
        Action::Exchange(it) if check_exchange(it).is_err() => check_money(it.sell),
        Action::Exchange(it) => {
            let bought = bought(it).and_then(|(_, amount)| check_money(Money::new(amount, it.buy)));
            first_of([check_money(it.sell), bought].into_iter())
        }
        // More legs than allowed are not looked at one by one.
        Action::Legs(it) => {
            first_of(it.legs.iter().take(*LEGS.end()).map(|leg| check_money(leg.money)))
        }
        Action::Capture(it) => check_part(it.amount),
        Action::Reverse(it) => check_part(it.amount),
        Action::Release(_) => Ok(()),
    }
}

/// Of what stands against any of several, the first in the order of the reasons.
pub(crate) fn first_of(checked: impl Iterator<Item = Checked>) -> Checked {
    checked.filter_map(Result::err).min().map_or(Ok(()), Err)
}

/// Whether an amount can move at all.
pub(crate) fn check_money(money: Money) -> Checked {
    check_part(Some(money.amount))?;
    if !money.fits_currency() {
        return Err(RejectReason::TooManyDigits);
    }
    match money.is_within_bounds() {
        true => Ok(()),
        false => Err(RejectReason::AmountTooLarge),
    }
}

/// A part of something whose currency is not known here.
fn check_part(amount: Option<Amount>) -> Checked {
    match amount.is_some_and(|it| it.decimal() <= Decimal::ZERO) {
        true => Err(RejectReason::AmountNotPositive),
        false => Ok(()),
    }
}

fn check_expiry(expires_at: DateTime<Utc>, now: DateTime<Utc>) -> Checked {
    match expires_at > now && expires_at <= now + TimeDelta::days(HOLD_DAYS_MAX) {
        true => Ok(()),
        false => Err(RejectReason::InvalidExpiry),
    }
}

fn check_legs(legs: &[Leg]) -> Checked {
    if legs.len() < *LEGS.start() {
        return Err(RejectReason::TooFewLegs);
    }
    if legs.len() > *LEGS.end() {
        return Err(RejectReason::TooManyLegs);
    }
    let mut sums = BTreeMap::<Currency, Decimal>::new();
    for leg in legs {
        let amount = leg.money.amount.decimal();
        let signed = if leg.direction == Direction::Debit { -amount } else { amount };
        let sum = sums.entry(leg.money.currency).or_default();
        *sum = exact_add(*sum, signed).ok_or(RejectReason::UnbalancedLegs)?;
    }
    match sums.values().all(Decimal::is_zero) {
        true => Ok(()),
        false => Err(RejectReason::UnbalancedLegs),
    }
}

/// What an exchange comes to: exactly, and rounded to what the creditor gets. Exactly it has as
/// many digits after the point as the amount and the rate together, 14 at most.
pub(crate) fn bought(it: &Exchange) -> Result<(Decimal, Decimal), RejectReason> {
    let sold = it.sell.amount.decimal();
    let exact = exact_mul(sold, it.rate.decimal()).ok_or(RejectReason::AmountTooLarge)?;
    Ok((exact, round(exact, it.buy, it.rounding)))
}

/// An amount with the digits of its currency.
pub(crate) fn round(exact: Decimal, currency: Currency, rounding: Rounding) -> Decimal {
    let strategy = match rounding {
        Rounding::HalfEven => RoundingStrategy::MidpointNearestEven,
        Rounding::HalfUp => RoundingStrategy::MidpointAwayFromZero,
        Rounding::Down => RoundingStrategy::ToZero,
    };
    exact.round_dp_with_strategy(currency.digits(), strategy)
}

fn check_exchange(exchange: &Exchange) -> Checked {
    let rate = exchange.rate.decimal();
    if rate <= Decimal::ZERO || rate.normalize().scale() > RATE_DIGITS_MAX {
        return Err(RejectReason::InvalidRate);
    }
    if exchange.sell.currency == exchange.buy {
        return Err(RejectReason::SameCurrency);
    }
    Ok(())
}
