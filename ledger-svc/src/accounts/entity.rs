//! An account of the ledger. Promise: available = balance + overdraft limit - pending debits, and
//! neither a posting nor a hold takes more; no number of an account loses a digit.
//!
//! The sums of all postings are [`Total`]s, which hold every digit. Balances in events are amounts,
//! which are bounded: a posting that would pass the bounds is rejected before the account changes
//! (`check_posting`, `check_hold`). So a balance that is too large can be brought down again.

use std::sync::Arc;

use chrono::NaiveDate;
use rust_decimal::Decimal;
use shared_events::{
    AccountId, Amount, Currency, Total,
    access::MAIN_BRANCH,
    ledger::{AccountCode, Direction},
};
use uuid::Uuid;

use super::limit_usage::LimitUsage;

/// The namespace of the ids of internal accounts (UUIDv5, RFC 9562).
const INTERNAL_ACCOUNTS: Uuid = Uuid::from_u128(0x6f0c_a1f5_6c6d_5b0e_9d0e_62b1_1c1f_0001);

/// The id of the internal (general ledger) account with this code, for this currency.
#[must_use]
pub fn internal_account_id(code: &AccountCode, currency: Currency) -> AccountId {
    AccountId(Uuid::new_v5(&INTERNAL_ACCOUNTS, format!("{code} {currency}").as_bytes()))
}

/// The status of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Money moves.
    Active,
    /// No money moves, or none in one direction.
    Frozen,
    /// Empty, and about to be closed.
    Locked,
    /// Closed for ever.
    Closed,
}

/// The directions that a frozen account refuses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Blocks {
    /// Debits.
    Debits,
    /// Credits.
    Credits,
    /// Both.
    #[default]
    Both,
}

/// The limits of an account. `None`: no limit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// How far below zero the balance may go.
    pub overdraft: Option<Decimal>,
    /// The most of one transfer.
    pub transfer: Option<Decimal>,
    /// The most of one day, in the bank's time zone.
    pub daily: Option<Decimal>,
    /// The most of one month, in the bank's time zone.
    pub monthly: Option<Decimal>,
    /// The least balance that must stay.
    pub minimum_balance: Option<Decimal>,
}

/// The rule of an account that stands against an instruction, in the order of the checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AccountRefusal {
    /// The account is closed.
    Closed,
    /// The account is frozen, for this direction or for both.
    Frozen,
    /// The account is about to be closed.
    Locked,
    /// The account holds another currency.
    OtherCurrency,
    /// More than one transfer may move.
    TransferLimit,
    /// More than may move on one day.
    DailyLimit,
    /// More than may move in one month.
    MonthlyLimit,
    /// The balance would fall below the least that must stay.
    MinimumBalance,
    /// The available amount is less.
    InsufficientFunds,
    /// The balance would have more digits than an amount of the account holds.
    BalanceTooLarge,
}

/// An account as an instruction left it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountAfter {
    /// The account's id.
    pub account_id: AccountId,
    /// The code of an internal account.
    pub code: Option<AccountCode>,
    /// Posted credits less posted debits.
    pub balance: Amount,
    /// The available amount. `None`: no limit.
    pub available: Option<Amount>,
    /// The account's version.
    pub version: i64,
}

/// An account with its balances.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The account's id.
    pub id: AccountId,
    /// The code of an internal account.
    pub code: Option<AccountCode>,
    /// The branch that keeps the account. `None`: the main branch.
    pub branch: Option<Arc<str>>,
    /// The one currency of the account.
    pub currency: Currency,
    /// The status.
    pub status: Status,
    /// The directions that are refused while the account is frozen.
    pub blocked: Blocks,
    /// The limits.
    pub limits: Limits,
    /// The sum of all debits ever posted.
    pub posted_debits: Total,
    /// The sum of all credits ever posted.
    pub posted_credits: Total,
    /// The amount reserved by holds on which the account is the debtor.
    pub pending_debits: Total,
    /// The amount expected from holds on which the account is the creditor.
    pub pending_credits: Total,
    /// The usage of the limits.
    pub usage: LimitUsage,
    /// Counts the changes of the account that the ledger announces.
    pub version: i64,
    /// The last change of the status, by the accounts service's count, that was applied.
    pub applied_status: i64,
    /// The last change of the limits that was applied. Each may overtake the other.
    pub applied_limits: i64,
    /// Whether the account has balance monitors.
    pub monitored: bool,
}

impl Account {
    /// A customer's account without any posting.
    #[must_use]
    pub fn open(id: AccountId, currency: Currency, limits: Limits, applied: i64) -> Self {
        let (applied_status, applied_limits) = (applied, applied);
        Self { limits, applied_status, applied_limits, ..Self::new(id, currency) }
    }

    /// The name of the branch that keeps the account.
    #[must_use]
    pub fn branch(&self) -> &str {
        self.branch.as_deref().unwrap_or(MAIN_BRANCH)
    }

    /// An internal account without any posting.
    #[must_use]
    pub fn open_internal(code: AccountCode, currency: Currency) -> Self {
        let id = internal_account_id(&code, currency);
        Self { code: Some(code), ..Self::new(id, currency) }
    }

    fn new(id: AccountId, currency: Currency) -> Self {
        Self {
            id,
            code: None,
            branch: None,
            currency,
            status: Status::Active,
            blocked: Blocks::Both,
            limits: Limits::default(),
            posted_debits: Total::ZERO,
            posted_credits: Total::ZERO,
            pending_debits: Total::ZERO,
            pending_credits: Total::ZERO,
            usage: LimitUsage::NOTHING,
            version: 1,
            applied_status: 0,
            applied_limits: 0,
            monitored: false,
        }
    }

    /// Posted credits less posted debits.
    #[must_use]
    pub fn balance(&self) -> Total {
        self.posted_credits.minus_at_most(self.posted_debits)
    }

    /// The available amount. `None`: no limit.
    #[must_use]
    pub fn available(&self) -> Option<Total> {
        let unreserved = self.balance().minus_at_most(self.pending_debits);
        self.limits.overdraft.map(|limit| unreserved.plus_at_most(Total::at_most(limit)))
    }

    /// Whether the balance is zero and nothing is reserved or expected.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.balance().is_zero() && !self.has_pending()
    }

    /// Whether anything is reserved or expected.
    #[must_use]
    pub fn has_pending(&self) -> bool {
        !self.pending_debits.is_zero() || !self.pending_credits.is_zero()
    }

    /// Whether a freeze stands against money in this direction.
    #[must_use]
    pub fn refuses(&self, direction: Direction) -> bool {
        self.status == Status::Frozen
            && match (self.blocked, direction) {
                (Blocks::Both, _)
                | (Blocks::Debits, Direction::Debit)
                | (Blocks::Credits, Direction::Credit) => true,
                (Blocks::Debits, Direction::Credit) | (Blocks::Credits, Direction::Debit) => false,
            }
    }

    /// The most that can be spent at once without falling below the overdraft or the minimum.
    /// `None`: no limit.
    #[must_use]
    pub fn spendable(&self) -> Option<Total> {
        let minimum = self.limits.minimum_balance.map(Total::at_most);
        let above_minimum = minimum.map(|minimum| self.left_after(minimum));
        [self.available(), above_minimum].into_iter().flatten().min()
    }

    /// The unreserved balance less `amount`.
    fn left_after(&self, amount: Total) -> Total {
        self.balance().minus_at_most(self.pending_debits).minus_at_most(amount)
    }

    /// Whether the account takes money of this currency in this direction.
    pub(crate) fn check_direction(
        &self,
        direction: Direction,
        currency: Currency,
    ) -> Result<(), AccountRefusal> {
        match self.status {
            Status::Closed => Err(AccountRefusal::Closed),
            Status::Frozen if self.refuses(direction) => Err(AccountRefusal::Frozen),
            Status::Locked => Err(AccountRefusal::Locked),
            Status::Active | Status::Frozen if self.currency != currency => {
                Err(AccountRefusal::OtherCurrency)
            }
            Status::Active | Status::Frozen => Ok(()),
        }
    }

    /// Whether `amount` is available. Money that returns to its origin passes no other check.
    pub(crate) fn check_funds(&self, amount: Total) -> Result<(), AccountRefusal> {
        match self.available().is_some_and(|available| available < amount) {
            true => Err(AccountRefusal::InsufficientFunds),
            false => Ok(()),
        }
    }

    /// The velocity check: whether all limits allow the account to spend `amount` on `today`.
    pub(crate) fn check_velocity(
        &self,
        amount: Total,
        today: NaiveDate,
    ) -> Result<(), AccountRefusal> {
        let passes = |limit: Option<Decimal>, amount| {
            limit.is_some_and(|limit| amount > Total::at_most(limit))
        };
        let usage = self.usage.on(today);
        if passes(self.limits.transfer, amount) {
            return Err(AccountRefusal::TransferLimit);
        }
        if passes(self.limits.daily, usage.on_day.plus_at_most(amount)) {
            return Err(AccountRefusal::DailyLimit);
        }
        if passes(self.limits.monthly, usage.in_month.plus_at_most(amount)) {
            return Err(AccountRefusal::MonthlyLimit);
        }
        let minimum = self.limits.minimum_balance.map(Total::at_most);
        match minimum.is_some_and(|minimum| self.left_after(amount) < minimum) {
            true => Err(AccountRefusal::MinimumBalance),
            false => Ok(()),
        }
    }

    /// Whether the account's numbers stay within their bounds after a posting: a credit if the
    /// amount is positive, a debit if the amount is negative.
    pub(crate) fn check_posting(&self, signed: Total) -> Result<(), AccountRefusal> {
        let side = if signed < Total::ZERO { self.posted_debits } else { self.posted_credits };
        let available = self.available();
        let is_bounded = side.plus(signed.abs()).is_some()
            && self.is_bounded(self.balance(), signed)
            && available.is_none_or(|available| available.plus_at_most(signed).is_amount());
        match is_bounded {
            true => Ok(()),
            false => Err(AccountRefusal::BalanceTooLarge),
        }
    }

    /// Whether the account's numbers stay within their bounds after a hold.
    pub(crate) fn check_hold(
        &self,
        direction: Direction,
        amount: Total,
    ) -> Result<(), AccountRefusal> {
        let (pending, available) = match direction {
            Direction::Debit => (self.pending_debits, self.available()),
            Direction::Credit => (self.pending_credits, None),
        };
        let is_bounded = self.is_bounded(pending, amount)
            && self.after().is_some()
            && available.is_none_or(|available| available.minus_at_most(amount).is_amount());
        match is_bounded {
            true => Ok(()),
            false => Err(AccountRefusal::BalanceTooLarge),
        }
    }

    /// Whether the balance, or a pending amount, has room for a change: no more digits than an
    /// amount has; a customer's is below the currency's bound, or at least smaller than before.
    fn is_bounded(&self, before: Total, change: Total) -> bool {
        let after = before.plus_at_most(change);
        let end = Total::at_most(self.currency.balance_end());
        let has_place = self.code.is_some() || after.abs() < end || after.abs() < before.abs();
        has_place && after.is_amount()
    }

    /// Counts an amount as spent today. Below zero: an amount that was reserved on `since` and is
    /// not spent after all.
    pub(crate) fn spend(&mut self, amount: Total, since: NaiveDate, today: NaiveDate) {
        self.usage = self.usage.plus(amount, since, today);
    }

    /// Posts an amount: a credit if it is positive, a debit if it is negative. The caller has
    /// checked the available amount and the bounds.
    ///
    /// # Panics
    /// If the sum has more digits than a total holds: the account would lose money.
    pub(crate) fn post(&mut self, signed: Total) {
        let (balance, side) = (
            self.balance(),
            match signed < Total::ZERO {
                true => &mut self.posted_debits,
                false => &mut self.posted_credits,
            },
        );
        *side = side.plus(signed.abs()).expect("check_posting has found room for the sum");
        assert_eq!(
            self.balance(),
            balance.plus_at_most(signed),
            "a posting changes the balance of account {} by its amount",
            self.id,
        );
    }

    /// Reserves an amount; below zero: releases it.
    ///
    /// # Panics
    /// If the sum has more digits than a total holds, or more is released than is reserved.
    pub(crate) fn reserve(&mut self, direction: Direction, amount: Total) {
        let pending = match direction {
            Direction::Debit => &mut self.pending_debits,
            Direction::Credit => &mut self.pending_credits,
        };
        *pending = pending.plus(amount).expect("check_hold has found room for the sum");
        assert!(*pending >= Total::ZERO, "more is released than is reserved on {}", self.id);
    }

    /// The account as it is now, for an outcome. `None`: the balance has more digits than an amount
    /// may have, which an old version of the ledger could bring about and no version does now.
    #[must_use]
    pub fn after(&self) -> Option<AccountAfter> {
        Some(AccountAfter {
            account_id: self.id,
            code: self.code.clone(),
            balance: self.balance().amount()?,
            available: match self.available() {
                Some(available) => Some(available.amount()?),
                None => None,
            },
            version: self.version,
        })
    }
}
