//! An account of the ledger. Promise: what can be spent is balance + overdraft limit - pending
//! debits, and neither posting nor holding takes more.

use chrono::{Datelike, NaiveDate};
use rust_decimal::Decimal;
use shared_events::{
    AccountId, Amount, Currency,
    accounts::Blocks,
    ledger::{AccountAfter, AccountCode, Direction, LedgerStatus, RejectReason},
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
    pub on_day: Decimal,
    /// How much in that day's month, until then.
    pub in_month: Decimal,
}

impl Spent {
    /// Nothing, ever.
    pub const NOTHING: Self =
        Self { day: LONG_AGO, on_day: Decimal::ZERO, in_month: Decimal::ZERO };

    /// The same as seen on `today`.
    fn on(&self, today: NaiveDate) -> Self {
        let same_month = (self.day.year(), self.day.month()) == (today.year(), today.month());
        Self {
            day: today,
            on_day: if self.day == today { self.on_day } else { Decimal::ZERO },
            in_month: if same_month { self.in_month } else { Decimal::ZERO },
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
    pub posted_debits: Decimal,
    /// All that was ever booked in.
    pub posted_credits: Decimal,
    /// What is set aside to go out.
    pub pending_debits: Decimal,
    /// What is expected to come in.
    pub pending_credits: Decimal,
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
            posted_debits: Decimal::ZERO,
            posted_credits: Decimal::ZERO,
            pending_debits: Decimal::ZERO,
            pending_credits: Decimal::ZERO,
            spent: Spent::NOTHING,
            version: 1,
            followed_status: 0,
            followed_limit: 0,
            monitored: false,
        }
    }

    /// Posted credits less posted debits.
    #[must_use]
    pub fn balance(&self) -> Decimal {
        self.posted_credits - self.posted_debits
    }

    /// What can be spent. `None`: without limit.
    #[must_use]
    pub fn available(&self) -> Option<Decimal> {
        self.limits.overdraft.map(|limit| self.balance() + limit - self.pending_debits)
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
    pub fn spendable(&self) -> Option<Decimal> {
        let above_minimum = self.limits.minimum_balance.map(|it| self.left_after(it));
        [self.available(), above_minimum].into_iter().flatten().min()
    }

    /// What there is beyond `amount` and what is set aside.
    fn left_after(&self, amount: Decimal) -> Decimal {
        self.balance() - self.pending_debits - amount
    }

    /// Whether `amount` is there. Nothing else is asked of money that goes back where it came from.
    pub(super) fn check_funds(&self, amount: Decimal) -> Result<(), RejectReason> {
        match self.available().is_some_and(|available| available < amount) {
            true => Err(RejectReason::InsufficientFunds),
            false => Ok(()),
        }
    }

    /// Whether all limits allow to spend `amount` on `today`.
    pub(super) fn check_limits(
        &self,
        amount: Decimal,
        today: NaiveDate,
    ) -> Result<(), RejectReason> {
        let passes = |limit: Option<Decimal>, amount| limit.is_some_and(|limit| amount > limit);
        let spent = self.spent.on(today);
        if passes(self.limits.transfer, amount) {
            return Err(RejectReason::TransferLimit);
        }
        if passes(self.limits.daily, spent.on_day + amount) {
            return Err(RejectReason::DailyLimit);
        }
        if passes(self.limits.monthly, spent.in_month + amount) {
            return Err(RejectReason::MonthlyLimit);
        }
        if self.limits.minimum_balance.is_some_and(|it| self.left_after(amount) < it) {
            return Err(RejectReason::MinimumBalance);
        }
        Ok(())
    }

    /// Counts what is spent today. Less than nothing: money that was set aside on `since` and is
    /// not spent after all.
    pub(super) fn spend(&mut self, amount: Decimal, since: NaiveDate, today: NaiveDate) {
        let mut spent = self.spent.on(today);
        if since == today {
            spent.on_day = (spent.on_day + amount).max(Decimal::ZERO);
        }
        if (since.year(), since.month()) == (today.year(), today.month()) {
            spent.in_month = (spent.in_month + amount).max(Decimal::ZERO);
        }
        self.spent = spent;
    }

    /// Books an amount: in if it is positive, out if it is negative. The caller has checked that it
    /// is available.
    pub(super) fn book(&mut self, signed: Decimal) {
        match signed.is_sign_negative() {
            true => self.posted_debits -= signed,
            false => self.posted_credits += signed,
        }
    }

    /// Sets an amount aside to go out or to come in; less than nothing: gives it back.
    pub(super) fn set_aside(&mut self, direction: Direction, amount: Decimal) {
        match direction {
            Direction::Debit => self.pending_debits += amount,
            Direction::Credit => self.pending_credits += amount,
        }
    }

    /// The account as it is now, for an event.
    #[must_use]
    pub fn after(&self) -> AccountAfter {
        AccountAfter {
            account_id: self.id,
            code: self.code.clone(),
            balance: Amount(self.balance()),
            available: self.available().map(Amount),
            version: self.version,
        }
    }
}
