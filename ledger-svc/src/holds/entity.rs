//! A hold: money set aside. Promise: nothing is captured of what was rejected, released, expired
//! or captured before; time is over when the database's clock says so, whether or not anybody was
//! there to see it.

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use shared_events::{
    AccountId, Currency, TransferId,
    ledger::{HoldStatus, RejectReason},
    money::exact::exact_sub,
};

/// A hold as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The instruction that placed it.
    pub id: TransferId,
    /// Whose money it is.
    pub debtor: AccountId,
    /// Whom it is for.
    pub creditor: AccountId,
    /// Of which currency.
    pub currency: Currency,
    /// What is still held.
    pub remaining: Decimal,
    /// Where it stands.
    pub status: HoldStatus,
    /// When it ends by itself.
    pub expires_at: DateTime<Utc>,
    /// The bank's day on which it was placed, and counted as spent.
    pub placed_on: NaiveDate,
}

impl Held {
    /// Whether its time is over.
    #[must_use]
    pub fn is_due(&self, now: DateTime<Utc>) -> bool {
        self.status == HoldStatus::Open && self.expires_at <= now
    }

    /// Whether anything can still be taken from it.
    pub(crate) fn check_open(&self, now: DateTime<Utc>) -> Result<(), RejectReason> {
        match self.status {
            HoldStatus::Open if self.is_due(now) => Err(RejectReason::HoldExpired),
            HoldStatus::Open => Ok(()),
            HoldStatus::Captured => Err(RejectReason::HoldCaptured),
            HoldStatus::Released => Err(RejectReason::HoldReleased),
            HoldStatus::Expired => Err(RejectReason::HoldExpired),
        }
    }

    /// Takes what is captured and given back together; `ends_as` where nothing is left.
    pub(crate) fn take(&mut self, amount: Decimal, ends_as: HoldStatus) {
        self.remaining = exact_sub(self.remaining, amount).expect("it is a part of what is held");
        if self.remaining.is_zero() {
            self.status = ends_as;
        }
    }
}
