//! Planned legs, and the checks of their accounts. Promise: each rule is checked once for all kinds
//! of instructions; nothing here changes an account.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use rust_decimal::Decimal;
use shared_events::{AccountId, Currency, Money, Total, ledger::Direction};

use super::{
    party::Party,
    reason::{Checked, RejectReason, first_of},
    view::PostingView,
};
use crate::{accounts::Account, holds::Hold};

/// A leg of a plan: a debit of the account if the amount is negative, a credit if it is positive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PlannedLeg {
    pub(crate) account: AccountId,
    pub(crate) amount: Decimal,
    pub(crate) currency: Currency,
}

impl PlannedLeg {
    /// A leg on the account of a party.
    pub(super) fn of_party(party: &Party, signed: Money) -> Result<Self, RejectReason> {
        let account = party.account_id(signed.currency).ok_or(RejectReason::UnknownAccount)?;
        Ok(Self { account, amount: signed.amount.decimal(), currency: signed.currency })
    }

    pub(crate) const fn direction(&self) -> Direction {
        if self.amount.is_sign_negative() { Direction::Debit } else { Direction::Credit }
    }

    fn total(&self) -> Result<Total, RejectReason> {
        Total::of(self.amount).ok_or(RejectReason::BalanceTooLarge)
    }
}

/// A debit and a credit of one amount, from a debtor to a creditor. With `allow_partial` the amount
/// is as much of `money` as the debtor can spend, if the debtor can spend anything.
pub(super) fn between(
    state: &dyn PostingView,
    debtor: &Party,
    creditor: &Party,
    money: Money,
    allow_partial: bool,
) -> Result<[PlannedLeg; 2], RejectReason> {
    let spendable = debtor
        .account_id(money.currency)
        .and_then(|id| state.account(id))
        // An account of another currency says nothing about this amount.
        .filter(|account| allow_partial && account.currency == money.currency)
        .and_then(Account::spendable)
        .filter(|spendable| *spendable > Total::ZERO)
        .and_then(Total::decimal);
    let amount = money.amount.decimal();
    let amount = spendable.map_or(amount, |spendable| amount.min(spendable));
    let debit = PlannedLeg::of_party(debtor, Money::new(-amount, money.currency))?;
    let credit = PlannedLeg::of_party(creditor, Money::new(amount, money.currency))?;
    match debit.account == credit.account {
        true => Err(RejectReason::SameAccount),
        false => Ok([debit, credit]),
    }
}

/// The legs, if each is on an account of its own: an account's entry is found by the transfer.
pub(super) fn distinct(
    legs: impl Iterator<Item = Result<PlannedLeg, RejectReason>>,
) -> Result<Vec<PlannedLeg>, RejectReason> {
    let legs: Vec<_> = legs.collect();
    let mut seen = BTreeSet::new();
    match legs.iter().flatten().all(|leg| seen.insert(leg.account)) {
        true => legs.into_iter().collect(),
        false => Err(RejectReason::SameAccount),
    }
}

/// The legs of a part of a hold.
pub(super) fn of_hold(hold: &Hold, amount: Decimal) -> [PlannedLeg; 2] {
    let leg = |account, amount| PlannedLeg { account, amount, currency: hold.currency };
    [leg(hold.debtor, -amount), leg(hold.creditor, amount)]
}

fn account<'a>(state: &'a dyn PostingView, leg: &PlannedLeg) -> Result<&'a Account, RejectReason> {
    state.account(leg.account).ok_or(RejectReason::UnknownAccount)
}

/// Whether the accounts take money in these directions.
pub(crate) fn check_accounts(state: &dyn PostingView, legs: &[PlannedLeg]) -> Checked {
    first_of(
        legs.iter()
            .map(|leg| Ok(account(state, leg)?.check_direction(leg.direction(), leg.currency)?)),
    )
}

/// Whether the debtors have the money. `spent_on`: whether their limits allow it on that day, too.
pub(super) fn check_debits(
    state: &dyn PostingView,
    legs: &[PlannedLeg],
    spent_on: Option<NaiveDate>,
) -> Checked {
    let debits = legs.iter().filter(|leg| leg.direction() == Direction::Debit);
    first_of(debits.map(|leg| {
        let (account, amount) = (account(state, leg)?, leg.total()?.abs());
        if let Some(today) = spent_on {
            account.check_velocity(amount, today)?;
        }
        Ok(account.check_funds(amount)?)
    }))
}

/// Whether the accounts' numbers stay within their bounds once the legs are posted. Each account
/// has one leg.
pub(crate) fn check_postings(state: &dyn PostingView, legs: &[PlannedLeg]) -> Checked {
    legs.iter().try_for_each(|leg| Ok(account(state, leg)?.check_posting(leg.total()?)?))
}

/// Whether the accounts' numbers stay within their bounds once the legs are reserved.
pub(super) fn check_holds(state: &dyn PostingView, legs: &[PlannedLeg]) -> Checked {
    legs.iter().try_for_each(|leg| {
        Ok(account(state, leg)?.check_hold(leg.direction(), leg.total()?.abs())?)
    })
}

/// Whether the outcome of a release can show the hold's accounts.
pub(crate) fn check_release(state: &dyn PostingView, hold: &Hold) -> Checked {
    let is_bounded = |id| state.account(id).is_some_and(|account| account.after().is_some());
    match is_bounded(hold.debtor) && is_bounded(hold.creditor) {
        true => Ok(()),
        false => Err(RejectReason::BalanceTooLarge),
    }
}
