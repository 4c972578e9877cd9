//! The rules of an instruction's form, which need no account.

use std::collections::BTreeMap;

use chrono::{Datelike, NaiveDate};
use rust_decimal::{Decimal, RoundingStrategy};
use shared_events::{
    Currency, Money,
    ledger::{
        AccountCode, Direction, Exchange, Instruction, Legs, Party, RejectReason as R, Rounding,
    },
    money::AMOUNT_MAX,
    text::is_visible_line,
};

use super::{
    Now, account_id,
    currency::is_unholdable,
    numbers::{end, product},
    plan::{Broken, Line},
};

/// The rules of an amount.
pub(super) fn money(money: Money, broken: &mut Broken) {
    let amount = money.amount.decimal();
    let too_many = amount.normalize().scale() > money.currency.digits();
    broken.extend((amount <= Decimal::ZERO).then_some(R::AmountNotPositive));
    broken.extend(too_many.then_some(R::TooManyDigits));
    let most = AMOUNT_MAX.min(end(money.currency) - Decimal::new(1, money.currency.digits()));
    broken.extend((amount > most).then_some(R::AmountTooLarge));
}

/// The rules of texts and dates.
pub(super) fn texts_and_dates(instruction: &Instruction, now: Now, broken: &mut Broken) {
    let invalid = |text: &Option<String>, most| {
        text.as_ref().is_some_and(|text| text.chars().count() > most || !is_visible_line(text))
    };
    let outside =
        |day: Option<NaiveDate>| day.is_some_and(|day| day.year() < 1900 || day.year() > 2199);
    let text = invalid(&instruction.reference, 140) || invalid(&instruction.end_to_end_id, 35);
    broken.extend(text.then_some(R::InvalidText));
    broken.extend(outside(instruction.booking_date).then_some(R::InvalidBookingDate));
    if let Some(booked) = instruction.booking_date {
        let closed = now.closed_through.is_some_and(|last| booked <= last);
        broken.extend(closed.then_some(R::PeriodClosed));
        let late = booked.signed_duration_since(now.today).num_days() > 31;
        broken.extend(late.then_some(R::BookingDateTooLate));
    }
    broken.extend(outside(instruction.value_date).then_some(R::InvalidValueDate));
}

/// Resolves parties to accounts. An unknown party is left out.
pub(super) fn lines(all: &[(&Party, Decimal, Currency)], broken: &mut Broken) -> Vec<Line> {
    let mut lines: Vec<Line> = vec![];
    for (party, amount, currency) in all {
        match account_id(party, *currency) {
            None => drop(broken.insert(R::UnknownAccount)),
            Some(id) => {
                broken.extend(lines.iter().any(|line| line.0 == id).then_some(R::SameAccount));
                lines.push((id, Money::new(*amount, *currency)));
            }
        }
    }
    lines
}

/// The lines of a transfer with several legs.
pub(super) fn legs(legs: &Legs, broken: &mut Broken) -> Vec<Line> {
    broken.extend((legs.legs.len() < 2).then_some(R::TooFewLegs));
    for leg in legs.legs.iter().take(100).filter(|leg| is_unholdable(leg.money.currency)) {
        let leaves = match leg.direction {
            Direction::Debit => matches!(leg.account, Party::AccountId(_)),
            Direction::Credit => matches!(leg.account, Party::Code(_)),
        };
        broken.extend((!leaves).then_some(R::UnsupportedCurrency));
    }
    if legs.legs.len() > 100 {
        legs.legs.iter().take(100).for_each(|leg| money(leg.money, broken));
        broken.insert(R::TooManyLegs);
        return vec![];
    }
    let (mut sums, mut all) = (BTreeMap::<Currency, Decimal>::new(), vec![]);
    for leg in &legs.legs {
        money(leg.money, broken);
        let amount = leg.money.amount.decimal();
        let signed = if leg.direction == Direction::Debit { -amount } else { amount };
        *sums.entry(leg.money.currency).or_default() += signed;
        all.push((&leg.account, signed, leg.money.currency));
    }
    broken.extend(sums.values().any(|sum| !sum.is_zero()).then_some(R::UnbalancedLegs));
    lines(&all, broken)
}

/// The lines of an exchange, if its rate and currencies allow any.
pub(super) fn exchange(exchange: &Exchange, broken: &mut Broken) -> Option<Vec<Line>> {
    money(exchange.sell, broken);
    let leaves =
        !is_unholdable(exchange.sell.currency) || matches!(exchange.debtor, Party::AccountId(_));
    let unsupported = !leaves || is_unholdable(exchange.buy);
    broken.extend(unsupported.then_some(R::UnsupportedCurrency));
    let rate = exchange.rate.decimal();
    let invalid = rate <= Decimal::ZERO || rate.normalize().scale() > 10;
    broken.extend(invalid.then_some(R::InvalidRate));
    broken.extend((exchange.sell.currency == exchange.buy).then_some(R::SameCurrency));
    if invalid || exchange.sell.currency == exchange.buy {
        return None;
    }
    let sold = exchange.sell.amount.decimal();
    let Some(exact) = product(sold, rate) else {
        broken.insert(R::AmountTooLarge);
        return None;
    };
    let bought = exact.round_dp_with_strategy(
        exchange.buy.digits(),
        match exchange.rounding {
            Rounding::HalfEven => RoundingStrategy::MidpointNearestEven,
            Rounding::HalfUp => RoundingStrategy::MidpointAwayFromZero,
            Rounding::Down => RoundingStrategy::ToZero,
        },
    );
    money(Money::new(bought, exchange.buy), broken);
    let (position, rounding) =
        (Party::Code(AccountCode::fx_position()), Party::Code(AccountCode::fx_rounding()));
    let mut all = vec![
        (&exchange.debtor, -sold, exchange.sell.currency),
        (&position, sold, exchange.sell.currency),
        (&position, -exact, exchange.buy),
        (&exchange.creditor, bought, exchange.buy),
    ];
    if exact != bought {
        all.push((&rounding, exact - bought, exchange.buy));
    }
    Some(lines(&all, broken))
}
