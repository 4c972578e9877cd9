//! An account of the ledger. Promise: what can be spent is balance + overdraft limit - pending
//! debits, and neither posting nor holding takes more; no number of it loses a digit.
//!
//! What was ever booked is a [`Total`], which holds every digit. What is told of an account are
//! amounts, and these are bounded: a posting that would pass the bounds is rejected before it is
//! made (`check_posting`, `check_holding`). So a balance too large can be brought down again.

use chrono::{Datelike, NaiveDate};
use rust_decimal::Decimal;
use shared_events::{
    AccountId, Currency,
    accounts::Blocks,
    ledger::{AccountAfter, AccountCode, Direction, LedgerStatus, RejectReason},
    money::Total,
};
use uuid::Uuid;

/// The namespace of the ids of the bank's own accounts (UUIDv5, RFC 9562).
const OWN_ACCOUNTS: Uuid = Uuid::from_u128(0x6f0c_a1f5_6c6d_5b0e_9d0e_62b1_1c1f_0001);

/// The id of the bank's own account with this code, for this currency.
#[must_use]
pub fn own_account_id(code: &AccountCode, currency: Currency) -> AccountId {
    AccountId(Uuid::new_v5(&OWN_ACCOUNTS, format!("{code} {currency}").as_bytes()))
}

/// Before the first day of any bank of ours.
const LONG_AGO: NaiveDate = NaiveDate::from_ymd_opt(1900, 1, 1).expect("a day");

/// Where an account stands. The contract's word is the ledger's own.
pub type Status = LedgerStatus;

/// What an account may spend. `None` everywhere: without limit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// How far below zero it may go.
    pub overdraft: Option<Decimal>,
    /// The most of one transfer.
    pub transfer: Option<Decimal>,
    /// The most of one day, in the bank's time zone.
    pub daily: Option<Decimal>,
    /// The most of one month, in the bank's time zone.
    pub monthly: Option<Decimal>,
    /// The least that must stay on it.
    pub minimum_balance: Option<Decimal>,
}

/// What an account has spent lately: what it posted to others and set aside for them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spent {
    /// The last day on which it spent anything.
    pub day: NaiveDate,
    /// How much on that day.
    pub on_day: Total,
    /// How much in that day's month, until then.
    pub in_month: Total,
}

impl Spent {
    /// Nothing, ever.
    pub const NOTHING: Self = Self { day: LONG_AGO, on_day: Total::ZERO, in_month: Total::ZERO };

    /// The same as seen on `today`. A day that has begun for the account never comes again: where
    /// the clock goes back, what was spent on the later day still counts.
    fn on(&self, today: NaiveDate) -> Self {
        let day = self.day.max(today);
        let same_month = (self.day.year(), self.day.month()) == (day.year(), day.month());
        Self {
            day,
            on_day: if self.day == day { self.on_day } else { Total::ZERO },
            in_month: if same_month { self.in_month } else { Total::ZERO },
        }
    }
}

/// An account and what is on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its id.
    pub id: AccountId,
    /// Its code, if it is one of the bank's own.
    pub code: Option<AccountCode>,
    /// The one currency it holds.
    pub currency: Currency,
    /// Where it stands.
    pub status: Status,
    /// What is refused while it is frozen.
    pub blocked: Blocks,
    /// What it may spend.
    pub limits: Limits,
    /// All that was ever booked out.
    pub posted_debits: Total,
    /// All that was ever booked in.
    pub posted_credits: Total,
    /// What is set aside to go out.
    pub pending_debits: Total,
    /// What is expected to come in.
    pub pending_credits: Total,
    /// What it has spent lately.
    pub spent: Spent,
    /// Counts what the ledger announces of it.
    pub version: i64,
    /// The last change of the account's status at the accounts service that was followed.
    pub followed_status: i64,
    /// The last change of its limits that was followed. One may overtake the other.
    pub followed_limit: i64,
    /// Whether anybody watches its balance.
    pub monitored: bool,
}

impl Account {
    /// A customer's account with nothing on it.
    #[must_use]
    pub fn open(id: AccountId, currency: Currency, limits: Limits, followed: i64) -> Self {
        Self {
            limits,
            followed_status: followed,
            followed_limit: followed,
            ..Self::new(id, currency)
        }
    }

    /// One of the bank's own accounts with nothing on it.
    #[must_use]
    pub fn open_own(code: AccountCode, currency: Currency) -> Self {
        let id = own_account_id(&code, currency);
        Self { code: Some(code), ..Self::new(id, currency) }
    }

    fn new(id: AccountId, currency: Currency) -> Self {
        Self {
            id,
            code: None,
            currency,
            status: Status::Active,
            blocked: Blocks::Both,
            limits: Limits::default(),
            posted_debits: Total::ZERO,
            posted_credits: Total::ZERO,
            pending_debits: Total::ZERO,
            pending_credits: Total::ZERO,
            spent: Spent::NOTHING,
            version: 1,
            followed_status: 0,
            followed_limit: 0,
            monitored: false,
        }
    }

    /// Posted credits less posted debits.
    #[must_use]
    pub fn balance(&self) -> Total {
        self.posted_credits.minus_at_most(self.posted_debits)
    }

    /// What can be spent. `None`: without limit.
    #[must_use]
    pub fn available(&self) -> Option<Total> {
        let unpromised = self.balance().minus_at_most(self.pending_debits);
        self.limits.overdraft.map(|limit| unpromised.plus_at_most(Total::at_most(limit)))
    }

    /// Whether nothing is on it, and nothing is set aside or expected.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.balance().is_zero() && !self.has_pending()
    }

    /// Whether anything is set aside or expected.
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
    /// `None`: without limit.
    #[must_use]
    pub fn spendable(&self) -> Option<Total> {
        let minimum = self.limits.minimum_balance.map(Total::at_most);
        let above_minimum = minimum.map(|minimum| self.left_after(minimum));
        [self.available(), above_minimum].into_iter().flatten().min()
    }

    /// What there is beyond `amount` and what is set aside.
    fn left_after(&self, amount: Total) -> Total {
        self.balance().minus_at_most(self.pending_debits).minus_at_most(amount)
    }

    /// Whether `amount` is there. Nothing else is asked of money that goes back where it came from.
    pub(super) fn check_funds(&self, amount: Total) -> Result<(), RejectReason> {
        match self.available().is_some_and(|available| available < amount) {
            true => Err(RejectReason::InsufficientFunds),
            false => Ok(()),
        }
    }

    /// Whether all limits allow to spend `amount` on `today`.
    pub(super) fn check_limits(&self, amount: Total, today: NaiveDate) -> Result<(), RejectReason> {
        let passes = |limit: Option<Decimal>, amount| {
            limit.is_some_and(|limit| amount > Total::at_most(limit))
        };
        let spent = self.spent.on(today);
        if passes(self.limits.transfer, amount) {
            return Err(RejectReason::TransferLimit);
        }
        if passes(self.limits.daily, spent.on_day.plus_at_most(amount)) {
            return Err(RejectReason::DailyLimit);
        }
        if passes(self.limits.monthly, spent.in_month.plus_at_most(amount)) {
            return Err(RejectReason::MonthlyLimit);
        }
        let minimum = self.limits.minimum_balance.map(Total::at_most);
        match minimum.is_some_and(|minimum| self.left_after(amount) < minimum) {
            true => Err(RejectReason::MinimumBalance),
            false => Ok(()),
        }
    }

    /// Whether the account can be told of once an amount was booked: in if it is positive, out if
    /// it is negative.
    pub(super) fn check_posting(&self, signed: Total) -> Result<(), RejectReason> {
        let side = if signed < Total::ZERO { self.posted_debits } else { self.posted_credits };
        let is_bounded = side.plus(signed.abs()).is_some()
            && self.is_bounded(self.balance(), signed)
            && self.available().is_none_or(|it| it.plus_at_most(signed).is_amount());
        match is_bounded {
            true => Ok(()),
            false => Err(RejectReason::BalanceTooLarge),
        }
    }

    /// Whether the account can be told of once an amount was set aside to go out or to come in.
    pub(super) fn check_holding(
        &self,
        direction: Direction,
        amount: Total,
    ) -> Result<(), RejectReason> {
        let (pending, available) = match direction {
            Direction::Debit => (self.pending_debits, self.available()),
            Direction::Credit => (self.pending_credits, None),
        };
        let is_bounded = self.is_bounded(pending, amount)
            && self.after().is_some()
            && available.is_none_or(|it| it.minus_at_most(amount).is_amount());
        match is_bounded {
            true => Ok(()),
            false => Err(RejectReason::BalanceTooLarge),
        }
    }

    /// Whether so much can be on the account, or be pending, after a change: no more digits than an
    /// amount has; on a customer's less than the currency's end, or at least less than before.
    fn is_bounded(&self, before: Total, change: Total) -> bool {
        let after = before.plus_at_most(change);
        let end = Total::at_most(self.currency.balance_end());
        let has_place = self.code.is_some() || after.abs() < end || after.abs() < before.abs();
        has_place && after.is_amount()
    }

    /// Counts what is spent today. Less than nothing: money that was set aside on `since` and is
    /// not spent after all.
    pub(super) fn spend(&mut self, amount: Total, since: NaiveDate, today: NaiveDate) {
        let mut spent = self.spent.on(today);
        let since = if since == today { spent.day } else { since };
        if since == spent.day {
            spent.on_day = spent.on_day.plus_at_most(amount).max(Total::ZERO);
        }
        if (since.year(), since.month()) == (spent.day.year(), spent.day.month()) {
            spent.in_month = spent.in_month.plus_at_most(amount).max(Total::ZERO);
        }
        self.spent = spent;
    }

    /// Books an amount: in if it is positive, out if it is negative. The caller has checked that it
    /// is available, and that the account can be told of afterwards.
    pub(super) fn book(&mut self, signed: Total) {
        let side = match signed < Total::ZERO {
            true => &mut self.posted_debits,
            false => &mut self.posted_credits,
        };
        *side = side.plus(signed.abs()).expect("the posting was checked");
    }

    /// Sets an amount aside to go out or to come in; less than nothing: gives it back.
    pub(super) fn set_aside(&mut self, direction: Direction, amount: Total) {
        let pending = match direction {
            Direction::Debit => &mut self.pending_debits,
            Direction::Credit => &mut self.pending_credits,
        };
        *pending = pending.plus(amount).expect("the holding was checked");
    }

    /// The account as it is now, for an event. `None`: what is on it has more digits than an amount
    /// may have, which an old version of the ledger could bring about and none does now.
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
