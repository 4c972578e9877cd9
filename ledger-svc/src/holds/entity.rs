//! A hold: reserved money. Promise: no amount is captured that was rejected, released, expired or
//! captured before; a hold expires by the database's clock, whether or not any job has run by then.

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use shared_events::{AccountId, Currency, TransferId, money::exact::exact_sub};

/// The status of a hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HoldStatus {
    /// Money is reserved.
    Open,
    /// The whole amount was captured, or its rest released with the last capture.
    Captured,
    /// The hold was released.
    Released,
    /// The hold's time was over.
    Expired,
}

/// Why nothing can be captured from a hold, or released.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HoldRefusal {
    /// The hold was captured.
    Captured,
    /// The hold was released.
    Released,
    /// The hold's time is over.
    Expired,
}

/// A hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// The id of the instruction that placed the hold.
    pub id: TransferId,
    /// The debtor's account.
    pub debtor: AccountId,
    /// The creditor's account.
    pub creditor: AccountId,
    /// The currency.
    pub currency: Currency,
    /// The amount that is still reserved.
    pub remaining: Decimal,
    /// The status.
    pub status: HoldStatus,
    /// The instant at which the hold expires.
    pub expires_at: DateTime<Utc>,
    /// The bank's day on which the hold was placed, and counted as spent.
    pub placed_on: NaiveDate,
}

impl Hold {
    /// Whether the hold is open and its time is over.
    #[must_use]
    pub fn is_due(&self, now: DateTime<Utc>) -> bool {
        self.status == HoldStatus::Open && self.expires_at <= now
    }

    /// Whether the hold can be captured or released.
    pub(crate) fn check_open(&self, now: DateTime<Utc>) -> Result<(), HoldRefusal> {
        match self.status {
            HoldStatus::Open if self.is_due(now) => Err(HoldRefusal::Expired),
            HoldStatus::Open => Ok(()),
            HoldStatus::Captured => Err(HoldRefusal::Captured),
            HoldStatus::Released => Err(HoldRefusal::Released),
            HoldStatus::Expired => Err(HoldRefusal::Expired),
        }
    }

    /// Reduces the hold by an amount that is captured or released. The status becomes `ends_as` if
    /// nothing is left.
    ///
    /// # Panics
    /// If the amount is more than the hold has left, or less than nothing.
    pub(crate) fn reduce(&mut self, amount: Decimal, ends_as: HoldStatus) {
        assert!(amount >= Decimal::ZERO, "hold {} would grow", self.id);
        assert!(amount <= self.remaining, "hold {} has less than {amount} left", self.id);
        self.remaining = exact_sub(self.remaining, amount).expect("a part of the hold fits");
        if self.remaining.is_zero() {
            self.status = ends_as;
        }
    }
}
