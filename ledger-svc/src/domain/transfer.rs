//! The decision on one transfer. Promise: the checks run in the order of
//! [`RejectReason::ALL`](shared_events::ledger::RejectReason::ALL), so every reader of a rejection
//! knows which rules held.

use std::ops::RangeInclusive;

use chrono::Datelike;
use rust_decimal::Decimal;
use shared_events::{
    ledger::{END_TO_END_ID_CHARS_MAX, Party, REFERENCE_CHARS_MAX, RejectReason, Transfer},
    money::AMOUNT_MAX,
};

use super::account::{Account, After, Status};

/// The years in which a transfer can be booked. Other dates are slips of the pen, and some of them
/// no database can store.
const BOOKING_YEARS: RangeInclusive<i32> = 1900..=2199;

/// What the ledger decided on a transfer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Money moved.
    Posted {
        /// Who paid, and what is left.
        debtor: After,
        /// Who was paid, and what there is now.
        creditor: After,
    },
    /// Nothing moved.
    Rejected {
        /// Why.
        reason: RejectReason,
        /// The debtor's account as it is, where it exists.
        debtor: Option<After>,
    },
}

/// What can be said of a transfer without looking at any account.
pub(super) fn check_form(transfer: &Transfer) -> Result<(), RejectReason> {
    let amount = transfer.money.amount.decimal();
    let invalid = |text: &Option<String>, chars_max| {
        let text = text.as_deref().unwrap_or_default();
        text.chars().count() > chars_max || text.chars().any(char::is_control)
    };
    if amount <= Decimal::ZERO {
        return Err(RejectReason::AmountNotPositive);
    }
    if !transfer.money.fits_currency() {
        return Err(RejectReason::TooManyDigits);
    }
    if amount > AMOUNT_MAX {
        return Err(RejectReason::AmountTooLarge);
    }
    if invalid(&transfer.reference, REFERENCE_CHARS_MAX)
        || invalid(&transfer.end_to_end_id, END_TO_END_ID_CHARS_MAX)
    {
        return Err(RejectReason::InvalidText);
    }
    if transfer.booking_date.is_some_and(|date| !BOOKING_YEARS.contains(&date.year())) {
        return Err(RejectReason::InvalidBookingDate);
    }
    Ok(())
}

/// Whether the two accounts allow this transfer between them.
pub(super) fn check_accounts(
    transfer: &Transfer,
    debtor: Option<&Account>,
    creditor: Option<&Account>,
) -> Result<(), RejectReason> {
    let (Some(debtor), Some(creditor)) = (debtor, creditor) else {
        return Err(RejectReason::UnknownAccount);
    };
    let either = |status| debtor.status == status || creditor.status == status;
    if either(Status::Closed) {
        return Err(RejectReason::AccountClosed);
    }
    if either(Status::Frozen) {
        return Err(RejectReason::AccountFrozen);
    }
    if either(Status::Locked) {
        return Err(RejectReason::AccountNotActive);
    }
    let currency = transfer.money.currency;
    if debtor.currency != currency || creditor.currency != currency {
        return Err(RejectReason::CurrencyMismatch);
    }
    let amount = transfer.money.amount.decimal();
    if debtor.available().is_some_and(|available| available < amount) {
        return Err(RejectReason::InsufficientFunds);
    }
    Ok(())
}

/// BLAKE3 over everything that a transfer says. Same content, same digest: `1.1` is `1.10`.
#[must_use]
pub fn digest(transfer: &Transfer) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    for party in [&transfer.debtor, &transfer.creditor] {
        match party {
            Party::AccountId(id) => field(&mut hasher, b"id", id.uuid().as_bytes()),
            Party::Code(code) => field(&mut hasher, b"code", code.0.as_bytes()),
        }
    }
    field(&mut hasher, b"amount", &transfer.money.amount.decimal().normalize().serialize());
    field(&mut hasher, b"currency", transfer.money.currency.code().as_bytes());
    if let Some(reference) = &transfer.reference {
        field(&mut hasher, b"reference", reference.as_bytes());
    }
    if let Some(end_to_end_id) = &transfer.end_to_end_id {
        field(&mut hasher, b"end_to_end_id", end_to_end_id.as_bytes());
    }
    if let Some(booking_date) = transfer.booking_date {
        field(&mut hasher, b"booking_date", booking_date.to_string().as_bytes());
    }
    *hasher.finalize().as_bytes()
}

/// Name, length, value: no two different contents make the same bytes.
fn field(hasher: &mut blake3::Hasher, name: &[u8], value: &[u8]) {
    hasher.update(name).update(&(value.len() as u64).to_be_bytes()).update(value);
}
