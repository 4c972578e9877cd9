//! The checks of amounts, for all kinds of instructions.

use rust_decimal::Decimal;
use shared_events::{Amount, Money};

use super::reason::{Checked, RejectReason};

/// Whether the ledger can move such an amount.
pub(crate) fn check_money(money: Money) -> Checked {
    check_positive(Some(money.amount))?;
    if !money.fits_currency() {
        return Err(RejectReason::TooManyDigits);
    }
    match money.is_within_bounds() {
        true => Ok(()),
        false => Err(RejectReason::AmountTooLarge),
    }
}

/// Whether a part, whose currency is not known yet, is more than zero.
pub(super) fn check_positive(amount: Option<Amount>) -> Checked {
    match amount.is_some_and(|part| part.decimal() <= Decimal::ZERO) {
        true => Err(RejectReason::AmountNotPositive),
        false => Ok(()),
    }
}
