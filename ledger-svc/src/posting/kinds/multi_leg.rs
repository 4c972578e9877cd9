//! Several legs at once: money moves among 2 to 100 accounts. For each currency debits equal
//! credits. More legs than allowed are not looked at one by one.

use std::{collections::BTreeMap, ops::RangeInclusive};

use rust_decimal::Decimal;
use shared_events::{Currency, Money, ledger::Direction, money::exact::exact_add};

use super::{Debtor, Description, KindRules};
use crate::{
    bank_calendar::Now,
    posting::{
        amounts::check_money,
        currencies::{may_post, supported},
        debit::NamedDebit,
        legs::{PlannedLeg, distinct},
        lock_set::LockSet,
        party::Party,
        plan::Plan,
        reason::{Checked, RejectReason, first_of},
        view::PostingView,
    },
};

/// The fewest and the most legs.
pub(crate) const LEGS: RangeInclusive<usize> = 2..=100;

/// A leg: one account, debited or credited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leg {
    /// The account.
    pub account: Party,
    /// Debit or credit.
    pub direction: Direction,
    /// The amount.
    pub money: Money,
}

/// Moves money among several accounts at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MultiLeg {
    /// The legs, each on an account of its own.
    pub legs: Vec<Leg>,
}

impl Leg {
    fn may_be_posted(&self) -> bool {
        may_post(self.money.currency, &self.account, self.direction)
    }

    /// The amount, below zero for a debit.
    fn signed(&self) -> Decimal {
        let amount = self.money.amount.decimal();
        if self.direction == Direction::Debit { -amount } else { amount }
    }
}

impl MultiLeg {
    fn check_balance(&self) -> Checked {
        let mut sums = BTreeMap::<Currency, Decimal>::new();
        for leg in &self.legs {
            let sum = sums.entry(leg.money.currency).or_default();
            *sum = exact_add(*sum, leg.signed()).ok_or(RejectReason::UnbalancedLegs)?;
        }
        match sums.values().all(Decimal::is_zero) {
            true => Ok(()),
            false => Err(RejectReason::UnbalancedLegs),
        }
    }
}

impl KindRules for MultiLeg {
    fn refers(&self, set: &mut LockSet) {
        if self.legs.len() <= *LEGS.end() {
            self.legs.iter().for_each(|leg| set.party(&leg.account, leg.money.currency));
        }
    }

    fn debits(&self, _: &dyn PostingView, each: &mut dyn FnMut(NamedDebit)) {
        let debits = self.legs.iter().filter(|leg| leg.direction == Direction::Debit);
        for leg in debits.take(*LEGS.end()) {
            let account = leg.account.account_id(leg.money.currency);
            account.into_iter().for_each(|account| each(NamedDebit::new(account, leg.money)));
        }
    }

    fn validates(&self, _: &dyn PostingView, _: Now) -> Checked {
        let allowed = || self.legs.iter().take(*LEGS.end());
        first_of(allowed().map(|leg| check_money(leg.money)))?;
        supported(allowed().all(Leg::may_be_posted))?;
        if self.legs.len() < *LEGS.start() {
            return Err(RejectReason::TooFewLegs);
        }
        if self.legs.len() > *LEGS.end() {
            return Err(RejectReason::TooManyLegs);
        }
        self.check_balance()
    }

    fn plans(&self, state: &dyn PostingView, now: Now) -> Result<Plan, RejectReason> {
        let legs = self.legs.iter().map(|leg| {
            PlannedLeg::of_party(&leg.account, Money::new(leg.signed(), leg.money.currency))
        });
        Plan::spending(state, distinct(legs)?, now)
    }

    fn describes(&self) -> Description<'_> {
        let allowed = self.legs.len() <= *LEGS.end();
        let first = self.legs.iter().find(|leg| allowed && leg.direction == Direction::Debit);
        let debtor = first.map(|leg| Debtor::of_party(&leg.account, leg.money.currency));
        Description { debtor: debtor.unwrap_or_default(), ..Description::default() }
    }
}
