//! An account of the ledger. Promise: what can be spent is balance + overdraft limit - pending
//! debits, and posting never takes more.

use rust_decimal::Decimal;
use shared_events::{
    AccountId, Currency,
    ledger::{AccountCode, LedgerStatus},
};
use uuid::Uuid;

/// The namespace of the ids of the bank's own accounts (UUIDv5, RFC 9562).
const OWN_ACCOUNTS: Uuid = Uuid::from_u128(0x6f0c_a1f5_6c6d_5b0e_9d0e_62b1_1c1f_0001);

/// The id of the bank's own account with this code, for this currency.
#[must_use]
pub fn own_account_id(code: &AccountCode, currency: Currency) -> AccountId {
    AccountId(Uuid::new_v5(&OWN_ACCOUNTS, format!("{code} {currency}").as_bytes()))
}

/// Where an account stands. The contract's word is the ledger's own.
pub type Status = LedgerStatus;

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
    /// How far below zero it may go. `None`: without limit.
    pub overdraft_limit: Option<Decimal>,
    /// All that was ever booked out.
    pub posted_debits: Decimal,
    /// All that was ever booked in.
    pub posted_credits: Decimal,
    /// What is set aside to go out.
    pub pending_debits: Decimal,
    /// What is expected to come in.
    pub pending_credits: Decimal,
    /// Counts what the ledger announces of it.
    pub version: i64,
    /// The last change of the account's status at the accounts service that was followed.
    pub followed_status: i64,
    /// The last change of its limit that was followed. One may overtake the other.
    pub followed_limit: i64,
}

/// An account as an outcome left it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct After {
    /// Which account.
    pub id: AccountId,
    /// Its code, if it is one of the bank's own.
    pub code: Option<AccountCode>,
    /// Posted credits less posted debits.
    pub balance: Decimal,
    /// What can be spent. `None`: without limit.
    pub available: Option<Decimal>,
    /// The account's version.
    pub version: i64,
}

impl Account {
    /// A customer's account with nothing on it.
    #[must_use]
    pub fn open(
        id: AccountId,
        currency: Currency,
        overdraft_limit: Decimal,
        followed: i64,
    ) -> Self {
        Self {
            overdraft_limit: Some(overdraft_limit),
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

    const fn new(id: AccountId, currency: Currency) -> Self {
        Self {
            id,
            code: None,
            currency,
            status: Status::Active,
            overdraft_limit: None,
            posted_debits: Decimal::ZERO,
            posted_credits: Decimal::ZERO,
            pending_debits: Decimal::ZERO,
            pending_credits: Decimal::ZERO,
            version: 1,
            followed_status: 0,
            followed_limit: 0,
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
        self.overdraft_limit.map(|limit| self.balance() + limit - self.pending_debits)
    }

    /// Whether nothing is on it, and nothing is set aside or expected.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.balance().is_zero() && self.pending_debits.is_zero() && self.pending_credits.is_zero()
    }

    /// Books an amount: in if it is positive, out if it is negative. The caller has checked that it
    /// is available.
    pub(super) fn book(&mut self, signed: Decimal) {
        match signed.is_sign_negative() {
            true => self.posted_debits -= signed,
            false => self.posted_credits += signed,
        }
        self.version += 1;
    }

    /// The account as it is now, for an event.
    #[must_use]
    pub fn after(&self) -> After {
        After {
            id: self.id,
            code: self.code.clone(),
            balance: self.balance(),
            available: self.available(),
            version: self.version,
        }
    }
}
