//! How large a number may be. Promise: worked out by hand, in whole numbers; nothing of it is
//! shared with the ledger.

use rust_decimal::Decimal;
use shared_events::{Currency, ledger::RejectReason as R};

use super::{
    Account, Model,
    plan::{Broken, Line},
};

/// The bound of an amount: 18 digits together with those of the currency.
pub(super) fn end(currency: Currency) -> Decimal {
    Decimal::from(10_i64.pow(18 - currency.digits()))
}

/// A number in units of 10^-14: no product of an amount and a rate has more digits after the point.
fn units(number: Decimal) -> i128 {
    let number = number.normalize();
    number.mantissa() * 10_i128.pow(14 - number.scale())
}

/// Whether so much can be on an account after a change: 28 digits; on a customer's also less than
/// 18 with the currency's, or at least less than before.
fn fits(account: &Account, before: Decimal, change: Decimal) -> bool {
    let after = (units(before) + units(change)).abs();
    let text = after.to_string();
    let zeros = text.bytes().rev().take(14).take_while(|digit| *digit == b'0').count();
    let less = after < units(end(account.currency)) || after < units(before).abs();
    text.len() - zeros <= 28 && (less || account.code.is_some())
}

impl Model {
    /// Whether what would be on the accounts can be told.
    pub(super) fn balances_fit(&self, lines: &[Line], broken: &mut Broken) {
        for (id, money) in lines {
            let Some(account) = self.accounts.get(id) else { continue };
            let fits = fits(account, account.posted, money.amount.decimal());
            broken.extend((!fits).then_some(R::BalanceTooLarge));
        }
    }

    /// Whether what would be set aside, and expected, can be told.
    pub(super) fn pending_fits(&self, lines: &[Line], broken: &mut Broken) {
        for (id, money) in lines {
            let Some(account) = self.accounts.get(id) else { continue };
            let amount = money.amount.decimal();
            let out = amount.is_sign_negative();
            let pending = if out { account.pending_out } else { account.pending_in };
            let fits = fits(account, pending, amount.abs());
            broken.extend((!fits).then_some(R::BalanceTooLarge));
        }
    }
}

/// A product of at most 28 digits, worked out by hand: digit by digit of the rate.
pub(super) fn product(sold: Decimal, rate: Decimal) -> Option<Decimal> {
    let (sold, rate) = (sold.normalize(), rate.normalize());
    let mut mantissa = 0_i128;
    for digit in rate.mantissa().to_string().bytes() {
        let part = sold.mantissa().checked_mul(i128::from(digit - b'0'))?;
        mantissa = mantissa.checked_mul(10)?.checked_add(part)?;
    }
    let mut scale = sold.scale() + rate.scale();
    while scale > 0 && mantissa % 10 == 0 {
        (mantissa, scale) = (mantissa / 10, scale - 1);
    }
    let fits = mantissa.abs() < 10_i128.pow(28) && scale < 28;
    fits.then(|| Decimal::from_i128_with_scale(mantissa, scale))
}
