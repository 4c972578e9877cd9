//! From an instruction to what it would do. Promise: a plan that comes out breaks no rule; carrying
//! it out cannot fail.
//!
//! Whatever is posted is a list of legs: a transfer has two, an exchange four or five. The rules on
//! accounts are asked of legs, once for all kinds of instructions.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use shared_events::{
    AccountId, Amount, Currency, Money, TransferId,
    ledger::{
        AccountCode, Action, Capture, Direction, Exchange, Hold, Instruction, InstructionOutcome,
        LEGS, Leg, Party, Payment, Posted, RejectReason, Release, ReleaseCause, Reverse,
    },
    money::{Total, exact::exact_sub},
};

use crate::legacy::domain::{
    account::{Status, own_account_id},
    books::Books,
    currency::check_currency,
    dates::BookingDates,
    form::{bought, check_amounts, check_form, check_money, first_of},
    hold::Held,
};

/// When it is decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// The instant, by the database's clock; never before one by which the ledger has decided.
    pub instant: DateTime<Utc>,
    /// The bank's day.
    pub today: NaiveDate,
    /// The days on which can be booked.
    pub bookable: BookingDates,
}

/// Money in or out of one account: out of it if the amount is negative.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PlannedLeg {
    pub(crate) account: AccountId,
    pub(crate) amount: Decimal,
    pub(crate) currency: Currency,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Plan {
    /// Post these legs.
    Post { legs: Vec<PlannedLeg>, spends: bool, reverses: Option<(TransferId, Decimal)> },
    /// Set money aside.
    Hold { legs: [PlannedLeg; 2], expires_at: DateTime<Utc> },
    /// Post a part of a hold, and give another back.
    Capture { hold_id: TransferId, captured: Decimal, released: Decimal },
    /// Give back what is left of a hold.
    Release { hold_id: TransferId, cause: ReleaseCause },
}

/// The account that a party names: a customer's by its id, the bank's own by code and currency.
pub(crate) fn account_id(party: &Party, currency: Currency) -> Option<AccountId> {
    match party {
        Party::AccountId(id) => Some(*id),
        Party::Code(code) => code.is_known().then(|| own_account_id(code, currency)),
    }
}

/// The account that pays, for whoever is told of a rejection.
pub(crate) fn debtor(books: &Books, action: &Action) -> Option<AccountId> {
    let of_hold = |id| books.hold(id).map(|it| it.debtor);
    match action {
        Action::Transfer(it) => account_id(&it.debtor, it.money.currency),
        Action::Hold(it) => account_id(&it.debtor, it.money.currency),
        Action::Exchange(it) => account_id(&it.debtor, it.sell.currency),
        // Too many legs touch nothing, so nothing is known of their accounts.
        Action::Legs(it) if it.legs.len() > *LEGS.end() => None,
        Action::Legs(it) => {
            let first = it.legs.iter().find(|leg| leg.direction == Direction::Debit)?;
            account_id(&first.account, first.money.currency)
        }
        Action::Capture(it) => of_hold(it.hold_id),
        Action::Release(it) => of_hold(it.hold_id),
        Action::Reverse(it) => {
            let paid = posted(books, it.original_id)?;
            let first = paid.legs.iter().find(|leg| leg.direction == Direction::Credit)?;
            Some(first.account.account_id)
        }
    }
}

/// What the instruction comes to, or the first rule that stands against it.
pub(crate) fn plan(
    books: &Books,
    instruction: &Instruction,
    now: Now,
) -> Result<Plan, RejectReason> {
    check_amounts(&instruction.action)?;
    check_part(books, &instruction.action)?;
    check_currency(&instruction.action)?;
    check_form(instruction, now)?;
    match &instruction.action {
        Action::Transfer(it) => transfer(books, it, now),
        Action::Hold(it) => hold(books, it, now),
        Action::Capture(it) => capture(books, it, now),
        Action::Release(it) => release(books, it, now),
        Action::Reverse(it) => reverse(books, it),
        Action::Legs(it) => {
            let legs = it.legs.iter().map(|leg| planned(&leg.account, signed(leg)));
            spend(books, distinct(legs)?, now)
        }
        Action::Exchange(it) => exchange(books, it, now),
    }
}

fn transfer(books: &Books, payment: &Payment, now: Now) -> Result<Plan, RejectReason> {
    let Payment { debtor, creditor, money, up_to } = payment;
    spend(books, between(books, debtor, creditor, *money, *up_to)?.into(), now)
}

fn hold(books: &Books, hold: &Hold, now: Now) -> Result<Plan, RejectReason> {
    let Hold { debtor, creditor, money, up_to, expires_at } = hold;
    let legs = between(books, debtor, creditor, *money, *up_to)?;
    check_legs(books, &legs)?;
    check_debits(books, &legs, Some(now.today))?;
    check_holdings(books, &legs)?;
    Ok(Plan::Hold { legs, expires_at: *expires_at })
}

/// From debtor to creditor; of an "up to" amount as much as there is.
fn between(
    books: &Books,
    debtor: &Party,
    creditor: &Party,
    money: Money,
    up_to: bool,
) -> Result<[PlannedLeg; 2], RejectReason> {
    let there = account_id(debtor, money.currency)
        .and_then(|id| books.account(id))
        .filter(|_| up_to)
        .and_then(|account| account.spendable().map(|it| (it, account.currency)));
    let amount = money.amount.decimal();
    let amount = match there {
        // Of another currency: what is there says nothing.
        Some((there, currency)) if currency == money.currency && there > Total::ZERO => {
            there.decimal().map_or(amount, |there| amount.min(there))
        }
        _ => amount,
    };
    let legs = [
        planned(debtor, Money::new(-amount, money.currency)),
        planned(creditor, Money::new(amount, money.currency)),
    ];
    let [debit, credit] = legs;
    match (debit, credit) {
        (Ok(debit), Ok(credit)) if debit.account == credit.account => {
            Err(RejectReason::SameAccount)
        }
        (Ok(debit), Ok(credit)) => Ok([debit, credit]),
        (Err(reason), _) | (_, Err(reason)) => Err(reason),
    }
}

fn planned(party: &Party, signed: Money) -> Result<PlannedLeg, RejectReason> {
    let account = account_id(party, signed.currency).ok_or(RejectReason::UnknownAccount)?;
    Ok(PlannedLeg { account, amount: signed.amount.decimal(), currency: signed.currency })
}

fn signed(leg: &Leg) -> Money {
    let amount = leg.money.amount.decimal();
    let amount = if leg.direction == Direction::Debit { -amount } else { amount };
    Money::new(amount, leg.money.currency)
}

/// No account twice: its entry is found by the transfer.
fn distinct(
    legs: impl Iterator<Item = Result<PlannedLeg, RejectReason>>,
) -> Result<Vec<PlannedLeg>, RejectReason> {
    let legs: Vec<_> = legs.collect();
    let mut seen = BTreeSet::new();
    match legs.iter().flatten().all(|leg| seen.insert(leg.account)) {
        true => legs.into_iter().collect(),
        false => Err(RejectReason::SameAccount),
    }
}

/// Posts legs whose debits count as spent.
fn spend(books: &Books, legs: Vec<PlannedLeg>, now: Now) -> Result<Plan, RejectReason> {
    check_legs(books, &legs)?;
    check_debits(books, &legs, Some(now.today))?;
    check_postings(books, &legs)?;
    Ok(Plan::Post { legs, spends: true, reverses: None })
}

/// Whether an amount can be a part of what is held, or of what was posted to one creditor.
fn check_part(books: &Books, action: &Action) -> Result<(), RejectReason> {
    let (part, whole) = match action {
        Action::Capture(it) => (it.amount, books.hold(it.hold_id).map(|held| held.currency)),
        Action::Reverse(it) => {
            let currency = match posted(books, it.original_id).map(|it| it.legs.as_slice()) {
                Some([first, _]) => Some(first.money.currency),
                Some(_) | None => None,
            };
            (it.amount, currency)
        }
        Action::Transfer(_)
        | Action::Hold(_)
        | Action::Release(_)
        | Action::Legs(_)
        | Action::Exchange(_) => (None, None),
    };
    match (part, whole) {
        (Some(amount), Some(currency)) => check_money(Money { amount, currency }),
        (None, _) | (_, None) => Ok(()),
    }
}

fn capture(books: &Books, capture: &Capture, now: Now) -> Result<Plan, RejectReason> {
    let held = books.hold(capture.hold_id).ok_or(RejectReason::UnknownHold)?;
    held.check_open(now.instant)?;
    let captured = capture.amount.map_or(held.remaining, Amount::decimal);
    if captured > held.remaining {
        return Err(RejectReason::ExceedsHold);
    }
    let legs = legs_of(held, captured);
    check_legs(books, &legs)?;
    check_postings(books, &legs)?;
    let rest = exact_sub(held.remaining, captured).ok_or(RejectReason::ExceedsHold)?;
    let released = if capture.keep_rest { Decimal::ZERO } else { rest };
    Ok(Plan::Capture { hold_id: held.id, captured, released })
}

/// A hold can be released whatever became of the accounts: nothing leaves the debtor.
fn release(books: &Books, release: &Release, now: Now) -> Result<Plan, RejectReason> {
    let held = books.hold(release.hold_id).ok_or(RejectReason::UnknownHold)?;
    held.check_open(now.instant)?;
    check_told(books, held)?;
    Ok(Plan::Release { hold_id: held.id, cause: ReleaseCause::Released })
}

/// Whether the accounts of a hold can be told of.
pub(crate) fn check_told(books: &Books, held: &Held) -> Result<(), RejectReason> {
    let told = |id| books.account(id).is_some_and(|account| account.after().is_some());
    match told(held.debtor) && told(held.creditor) {
        true => Ok(()),
        false => Err(RejectReason::BalanceTooLarge),
    }
}

/// The legs of a part of a hold.
pub(crate) fn legs_of(held: &Held, amount: Decimal) -> [PlannedLeg; 2] {
    let leg = |account, amount| PlannedLeg { account, amount, currency: held.currency };
    [leg(held.debtor, -amount), leg(held.creditor, amount)]
}

/// The transfer that was posted under this id.
fn posted(books: &Books, id: TransferId) -> Option<&Posted> {
    match &books.known(id)?.record.outcome {
        InstructionOutcome::Posted(posted) => Some(posted),
        InstructionOutcome::Held(_)
        | InstructionOutcome::Released(_)
        | InstructionOutcome::Rejected(_) => None,
    }
}

fn reverse(books: &Books, reverse: &Reverse) -> Result<Plan, RejectReason> {
    let original = posted(books, reverse.original_id).ok_or(RejectReason::UnknownTransfer)?;
    let first = original.legs.first().ok_or(RejectReason::NotReversible)?;
    let in_part = original.legs.len() == 2;
    if original.reverses.is_some() || (!in_part && reverse.amount.is_some()) {
        return Err(RejectReason::NotReversible);
    }
    let whole = first.money.amount.decimal();
    let left = exact_sub(whole, books.reversed(reverse.original_id));
    let left = left.ok_or(RejectReason::ExceedsOriginal)?;
    let amount = reverse.amount.map_or(left, Amount::decimal);
    if in_part {
        if amount > left || amount.is_zero() {
            return Err(RejectReason::ExceedsOriginal);
        }
    } else if left != whole {
        return Err(RejectReason::ExceedsOriginal);
    }
    let back = original.legs.iter().rev().map(|leg| {
        let part = if in_part { amount } else { leg.money.amount.decimal() };
        let amount = if leg.direction == Direction::Credit { -part } else { part };
        PlannedLeg { account: leg.account.account_id, amount, currency: leg.money.currency }
    });
    let legs: Vec<PlannedLeg> = back.collect();
    check_legs(books, &legs)?;
    check_debits(books, &legs, None)?;
    check_postings(books, &legs)?;
    Ok(Plan::Post { legs, spends: false, reverses: Some((reverse.original_id, amount)) })
}

fn exchange(books: &Books, exchange: &Exchange, now: Now) -> Result<Plan, RejectReason> {
    let Exchange { debtor, creditor, sell, buy, .. } = exchange;
    let sold = sell.amount.decimal();
    let (exact, bought) = bought(exchange)?;
    let own = |code, amount, currency| PlannedLeg {
        account: own_account_id(&code, currency),
        amount,
        currency,
    };
    let mut legs = vec![
        planned(debtor, Money::new(-sold, sell.currency)),
        Ok(own(AccountCode::fx_position(), sold, sell.currency)),
        Ok(own(AccountCode::fx_position(), -exact, *buy)),
        planned(creditor, Money::new(bought, *buy)),
    ];
    if exact != bought {
        let rounded = exact_sub(exact, bought).ok_or(RejectReason::AmountTooLarge)?;
        legs.push(Ok(own(AccountCode::fx_rounding(), rounded, *buy)));
    }
    spend(books, distinct(legs.into_iter())?, now)
}

/// Whether the accounts allow money in these directions.
pub(crate) fn check_legs(books: &Books, legs: &[PlannedLeg]) -> Result<(), RejectReason> {
    let mut accounts = Vec::with_capacity(legs.len());
    for leg in legs {
        accounts.push((leg, books.account(leg.account).ok_or(RejectReason::UnknownAccount)?));
    }
    let any = |status| accounts.iter().any(|(_, account)| account.status == status);
    if any(Status::Closed) {
        return Err(RejectReason::AccountClosed);
    }
    if accounts.iter().any(|(leg, account)| account.refuses(leg.direction())) {
        return Err(RejectReason::AccountFrozen);
    }
    if any(Status::Locked) {
        return Err(RejectReason::AccountNotActive);
    }
    match accounts.iter().any(|(leg, account)| account.currency != leg.currency) {
        true => Err(RejectReason::CurrencyMismatch),
        false => Ok(()),
    }
}

/// Whether the debtors can pay; on `spent_on`, also whether their limits allow it.
fn check_debits(
    books: &Books,
    legs: &[PlannedLeg],
    spent_on: Option<NaiveDate>,
) -> Result<(), RejectReason> {
    let debits = legs.iter().filter(|leg| leg.amount.is_sign_negative());
    first_of(debits.map(|leg| {
        let account = books.account(leg.account).ok_or(RejectReason::UnknownAccount)?;
        let amount = leg.total()?.abs();
        if let Some(today) = spent_on {
            account.check_limits(amount, today)?;
        }
        account.check_funds(amount)
    }))
}

/// Whether the accounts can be told of once the legs are booked. Each account has one leg.
pub(crate) fn check_postings(books: &Books, legs: &[PlannedLeg]) -> Result<(), RejectReason> {
    legs.iter().try_for_each(|leg| {
        let account = books.account(leg.account).ok_or(RejectReason::UnknownAccount)?;
        account.check_posting(leg.total()?)
    })
}

/// Whether the accounts can be told of once the legs are set aside.
fn check_holdings(books: &Books, legs: &[PlannedLeg]) -> Result<(), RejectReason> {
    legs.iter().try_for_each(|leg| {
        let account = books.account(leg.account).ok_or(RejectReason::UnknownAccount)?;
        account.check_holding(leg.direction(), leg.total()?.abs())
    })
}

impl PlannedLeg {
    pub(crate) fn direction(&self) -> Direction {
        if self.amount.is_sign_negative() { Direction::Debit } else { Direction::Credit }
    }

    fn total(&self) -> Result<Total, RejectReason> {
        Total::of(self.amount).ok_or(RejectReason::BalanceTooLarge)
    }
}
